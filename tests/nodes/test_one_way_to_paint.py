"""Protects the promise that the Python call, the command line and the nodes paint one picture, to the bit,
also above the reference size; and that what comes in is checked once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from pstyle import cli
from pstyle.image.reading import open_image
from pstyle.image.writing import encoded, save_image
from pstyle.painting.paint import SizeConfig, paint
from pstyle.painting.painter import Painter, load_painter
from pstyle.style.paint_settings import PaintSettings
from pstyle.style.style import save_style
from pstyle.video.stabilizing import VideoConfig, VideoPainter
from pstyle.vr.panorama import paint_panorama
from pstyle.vr.stereo import StereoConfig, paint_stereo
from tests.conftest import random_picture
from tests.nodes.conftest import random_style

LARGE = ((1024, 1024), (900, 1500))  # above the reference size of 768 px
SETTINGS = PaintSettings(strength=0.8, stroke=1.2, detail=0.2)
FLAGS = ("--strength", "0.8", "--stroke", "1.2", "--detail", "0.2")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, style) -> Path:
    """A working folder with the node's style in a file."""
    save_style(tmp_path / "style.safetensors", style.style)
    save_style(tmp_path / "second.safetensors", random_style(3).style)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def painter(place: Path) -> Painter:
    return load_painter("style.safetensors", "cpu")


def in_a_file(picture: torch.Tensor, name: str = "photo.png") -> torch.Tensor:
    """A picture (1, 3, H, W) as it comes out of a file of this name."""
    save_image(name, picture, overwrite=True)
    return open_image(name)


def on_wire(picture: torch.Tensor) -> torch.Tensor:
    return picture.movedim(1, -1)


def from_wire(found: dict) -> torch.Tensor:
    return found["result"][0].movedim(-1, 1)


def video_settings(**changed) -> dict[str, list]:
    return {name: [value] for name, value in (asdict(VideoConfig()) | asdict(SETTINGS) | changed).items()}


@pytest.fixture
def small_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference size of 24 px, also where neither an input nor a flag sets it."""
    monkeypatch.setattr(SizeConfig.__init__, "__defaults__", ("auto", 24))
    assert SizeConfig() == SizeConfig("auto", 24)


@pytest.mark.parametrize("size", LARGE)
def test_a_picture_is_one_painting_whoever_asks(nodes, style, painter, rng, size) -> None:
    photo = in_a_file(random_picture(rng, *size))
    expected = painter(photo, SETTINGS)
    assert expected.shape == photo.shape
    assert torch.equal(
        from_wire(nodes.PStylePaint().paint(on_wire(photo), style, **asdict(SETTINGS))), expected
    )
    found = nodes.PStylePaintVideo().paint([on_wire(photo)], [style], **video_settings())
    assert torch.equal(from_wire(found), expected)
    assert cli.main(["paint", "style.safetensors", "photo.png", "-o", "out", *FLAGS]) == 0
    assert Path("out/photo.png").read_bytes() == encoded(expected, "photo.png")


@pytest.mark.parametrize("size", [(32, 32), (45, 75)])
def test_above_a_small_reference_size_too(nodes, style, painter, rng, small_reference, size) -> None:
    photo = in_a_file(random_picture(rng, *size))
    expected = painter(photo, SETTINGS)
    assert torch.equal(paint(photo, painter, SETTINGS), expected)
    assert torch.equal(VideoPainter(painter, SETTINGS)(photo), expected)
    found = nodes.PStylePaint().paint(on_wire(photo), style, look_size_px=24, **asdict(SETTINGS))
    assert torch.equal(from_wire(found), expected)
    for flags in (("--look-size-px", "24"), ("--look-size-px", "24", "--frames")):
        command = ["paint", "style.safetensors", "photo.png", "-o", "out", "--overwrite"]
        assert cli.main([*command, *FLAGS, *flags]) == 0
        assert Path("out/photo.png").read_bytes() == encoded(expected, "photo.png")
    native = painter(photo, SETTINGS, size=SizeConfig(look_size_px=0))
    assert not torch.allclose(native, expected, atol=0.02)


@pytest.mark.parametrize("reference_px", [0, 40])
def test_masks_and_a_second_style_are_one_painting_too(nodes, style, painter, rng, reference_px) -> None:
    photo, mask = in_a_file(random_picture(rng, 72, 100)), torch.zeros(1, 1, 72, 100)
    mask[..., 40:] = 1
    save_image("mask.png", mask)
    second, size = load_painter("second.safetensors", "cpu"), SizeConfig(look_size_px=reference_px)
    for other, wired, flags in (
        (None, None, ()),
        (second, random_style(3), ("--second", "second.safetensors")),
    ):
        expected = painter(photo, SETTINGS, mask, other, size)
        given = {"mask": mask[0], "second_style": wired, "look_size_px": reference_px}
        found = nodes.PStylePaint().paint(on_wire(photo), style, **given, **asdict(SETTINGS))
        assert torch.equal(from_wire(found), expected)
        more = ("--mask", "mask.png", *flags, "--look-size-px", str(reference_px), *FLAGS)
        assert cli.main(["paint", "style.safetensors", "photo.png", "-o", "out", "--overwrite", *more]) == 0
        assert Path("out/photo.png").read_bytes() == encoded(expected, "photo.png")
        if other is None:
            masked = VideoPainter(painter, SETTINGS, size=size)(photo, mask)
            assert torch.allclose(masked, expected, atol=0 if reference_px else 1e-4, rtol=0)


def test_spheres_and_pairs_are_one_painting_too(nodes, style, painter, rng, small_reference) -> None:
    sphere, pair = in_a_file(random_picture(rng, 80, 160), "sphere.png"), random_picture(rng, 60, 160)
    found = nodes.PStylePaint360().paint(on_wire(sphere), style, **asdict(SETTINGS))
    expected = paint_panorama(painter, sphere, SETTINGS)
    assert torch.equal(from_wire(found), expected)
    native = paint_panorama(painter, sphere, SETTINGS, size=SizeConfig(look_size_px=0))
    assert not torch.allclose(native, expected, atol=0.02)
    command = ("style.safetensors", "-o", "out", *FLAGS)
    assert cli.main(["paint-360", *command, "sphere.png", "--format", "png"]) == 0
    assert torch.equal(open_image("out/sphere.png"), in_a_file(expected, "expected.png"))
    pair = in_a_file(pair, "pair.png")
    config = asdict(StereoConfig())
    expected = paint_stereo(painter, pair, settings=SETTINGS)
    found = nodes.PStylePaintStereo().paint(on_wire(pair), style, **config, **asdict(SETTINGS))
    assert torch.equal(from_wire(found), expected)
    native = paint_stereo(painter, pair, settings=SETTINGS, size=SizeConfig(look_size_px=0))
    assert not torch.allclose(native, expected, atol=0.02)
    assert cli.main(["paint-stereo", *command, "pair.png"]) == 0
    assert Path("out/pair.png").read_bytes() == encoded(expected, "pair.png")


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What passes `check_image`, in whichever module that is called."""
    found: list[str] = []
    real = sys.modules["pstyle.image.checks"].check_image

    def counted(image: torch.Tensor, what: str = "image") -> torch.Tensor:
        found.append(what)
        return real(image, what)

    for name, module in list(sys.modules.items()):
        if name.startswith(("pstyle.", "pstyle_pack.")) and getattr(module, "check_image", None) is real:
            monkeypatch.setattr(module, "check_image", counted)
    return found


def ways_through_nodes(nodes, style, image, mask) -> dict[str, Callable[[], object]]:
    other = random_style(3)
    return {
        "image": lambda: nodes.PStylePaint().paint(image, style),
        "image mask": lambda: nodes.PStylePaint().paint(image, style, mask),
        "image mask ": lambda: nodes.PStylePaint().paint(image, style, mask, second_style=other),
        "frame": lambda: nodes.PStylePaintVideo().paint([image[:1]], [style], **video_settings()),
        "mask frame": lambda: nodes.PStylePaintVideo().paint(
            [image[:1]], [style], [mask], **video_settings()
        ),
        "image ": lambda: nodes.PStylePaintStereo().paint(image, style, **asdict(StereoConfig())),
        "image  ": lambda: nodes.PStylePaint360().paint(image[:, :32, :64], style),
        "image mask  ": lambda: nodes.PStylePaint360().paint(image[:, :32, :64], style, mask),
    }


def ways_through_the_library(painter, image, mask) -> dict[str, Callable[[], object]]:
    second = load_painter("second.safetensors", "cpu")
    return {
        "image": lambda: painter(image),
        "image ": lambda: painter(image, size=SizeConfig("always", 24)),
        "image mask": lambda: painter(image, mask=mask),
        "image mask ": lambda: painter(image, mask=mask, second=second),
        "frame": lambda: VideoPainter(painter)(image[:1]),
        "frame mask": lambda: VideoPainter(painter)(image[:1], mask),
        "image  ": lambda: paint_stereo(painter, image),
        "image mask  ": lambda: paint_panorama(painter, image[..., :32, :64], mask=mask),
    }


def test_what_comes_in_is_checked_once(nodes, style, painter, image, checked: list[str]) -> None:
    mask = torch.ones(1, 1, 72, 80)
    ways = [*ways_through_nodes(nodes, style, image, mask[0]).items()]
    ways += ways_through_the_library(painter, image.movedim(-1, 1), mask).items()
    for expected, way in ways:
        checked.clear()
        way()
        assert checked == expected.split(), expected


def test_what_comes_from_a_file_is_checked_as_it_is_read(painter, rng, checked: list[str]) -> None:
    in_a_file(random_picture(rng, 24, 30))
    save_image("mask.png", torch.ones(1, 1, 24, 30))
    for more, count in (((), 1), (("--mask", "mask.png"), 2), (("--frames",), 1)):
        checked.clear()
        assert cli.main(["paint", "style.safetensors", "photo.png", "-o", "out", "--overwrite", *more]) == 0
        assert len(checked) == count + 1  # and what is written, once
