"""Protects 360 and stereo nodes: the library's paintings and scores, and files that viewers open as 360."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import torch

from pstyle.core.files import BadFile
from pstyle.core.folders import Folders
from pstyle.image.reading import open_image
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import load_vgg
from pstyle.painting.painter import Painter
from pstyle.style.paint_settings import PaintSettings
from pstyle.vr.gpano import read_headings
from pstyle.vr.panorama import paint_panorama
from pstyle.vr.seam_scores import SeamConfig, seam_scores
from pstyle.vr.stereo import StereoConfig, paint_stereo
from tests.nodes.conftest import tiny_generator


@pytest.fixture
def spheres(rng: torch.Generator) -> torch.Tensor:
    """Two tiny 360 pictures on a wire, (2, 32, 64, 3)."""
    return torch.rand(2, 32, 64, 3, generator=rng)


@pytest.fixture
def painter(style) -> Painter:
    return Painter(style.style, load_generator(), load_vgg())


def settings(**changed) -> dict:
    return asdict(PaintSettings()) | changed


def test_spheres_are_painted_as_the_library_paints_them(nodes, spheres, style, painter) -> None:
    (painted,) = nodes.PStylePaint360().paint(spheres, style, **settings(strength=0.8))["result"]
    expected = paint_panorama(painter, spheres.movedim(-1, 1), strength=0.8)
    assert torch.equal(painted, expected.movedim(1, -1)) and painted.shape == spheres.shape


def test_a_mask_keeps_what_is_black(nodes, spheres, style) -> None:
    mask = torch.zeros(1, 32, 64)
    mask[..., 30:] = 1
    (painted,) = nodes.PStylePaint360().paint(spheres, style, mask=mask, **settings())["result"]
    assert torch.equal(painted[:, :, :30], spheres[:, :, :30])
    assert not torch.equal(painted[:, :, 30:], spheres[:, :, 30:])


@pytest.mark.parametrize("layout", ["side-by-side", "top-bottom"])
def test_eyes_are_painted_as_the_library_paints_them(nodes, spheres, style, painter, layout) -> None:
    config = StereoConfig(layout, "top-bottom")
    (painted,) = nodes.PStylePaintStereo().paint(spheres, style, **asdict(config), **settings())["result"]
    expected = paint_stereo(painter, spheres.movedim(-1, 1), config)
    assert torch.equal(painted, expected.movedim(1, -1))


def test_a_wired_disparity_counts_in_pixels(nodes, spheres, style, painter) -> None:
    node, config = nodes.PStylePaintStereo(), StereoConfig()
    disparity = torch.full((1, 32, 32), 0.5)
    (painted,) = node.paint(spheres, style, disparity, 6.0, **asdict(config), **settings())["result"]
    expected = paint_stereo(
        painter, spheres.movedim(-1, 1), config, disparity=torch.full((1, 1, 32, 32), 3.0)
    )
    assert torch.equal(painted, expected.movedim(1, -1))
    with pytest.raises(ValueError, match="disparity_px must be from 0"):
        node.paint(spheres, style, disparity, float("nan"), **asdict(config), **settings())
    with pytest.raises(ValueError, match="3 disparities for 2 pictures"):
        node.paint(spheres, style, disparity.expand(3, -1, -1), 6.0, **asdict(config), **settings())


def test_scores_are_the_librarys(nodes, spheres) -> None:
    node, pictures = nodes.PStyleSeamScore(), spheres.movedim(-1, 1)
    found = node.score(spheres, "360", "side-by-side")
    one, two = (seam_scores(picture, SeamConfig()) for picture in pictures.split(1))
    report, seam, pole, eyes, ratio = found["result"]
    assert (seam, pole) == pytest.approx(((one.seam + two.seam) / 2, (one.pole + two.pole) / 2))
    assert eyes == ratio == 0 and found["ui"]["text"] == [report] and "seam" in report
    ratio = node.score(spheres, "stereo", "side-by-side", spheres[:1])["result"][4]
    expected = [seam_scores(picture, SeamConfig("stereo"), pictures[:1]) for picture in pictures.split(1)]
    assert ratio == pytest.approx((expected[0].eyes_ratio + expected[1].eyes_ratio) / 2)
    with pytest.raises(ValueError, match="3 contents for 2 pictures"):
        node.score(spheres, "stereo", "side-by-side", spheres[[0, 0, 0]])


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_360_pictures_are_saved_as_such(nodes, spheres, folders: Folders, kind: str) -> None:
    (names,) = nodes.PStyleSave360().save(spheres, "my", kind, False)["result"]
    assert names == f"my_1.{kind}\nmy_2.{kind}"
    for name, picture in zip(names.split(), spheres, strict=True):
        assert (
            read_headings(folders.output / name) == {}
            and b"equirectangular" in (folders.output / name).read_bytes()
        )
        assert (open_image(folders.output / name)[0].movedim(0, -1) - picture).abs().mean() < 0.1


def test_a_saved_360_picture_is_replaced_only_when_asked(nodes, spheres, folders: Folders) -> None:
    node = nodes.PStyleSave360()
    assert node.save(spheres[:1], "my", "png", False)["result"] == ("my.png",)
    before = (folders.output / "my.png").read_bytes()
    with pytest.raises(BadFile, match="exists already"):
        node.save(spheres[1:], "my", "png", False)
    assert (folders.output / "my.png").read_bytes() == before
    node.save(spheres[1:], "my", "png", True)
    assert (folders.output / "my.png").read_bytes() != before
    assert "not a usable name" in node.VALIDATE_INPUTS("../my") and node.VALIDATE_INPUTS("my") is True


def test_pictures_of_other_shapes_are_refused(nodes, spheres, style, folders: Folders) -> None:
    with pytest.raises(ValueError, match="twice as wide as high: got 63x32 px"):
        nodes.PStylePaint360().paint(spheres[:, :, :63], style, **settings())
    with pytest.raises(ValueError, match="twice as wide as high"):
        nodes.PStyleSave360().save(spheres[:, :, :63], "my", "png", False)
    with pytest.raises(ValueError, match="odd width"):
        nodes.PStylePaintStereo().paint(spheres[:, :, :63], style, **asdict(StereoConfig()), **settings())
    assert not folders.output.exists() or not list(folders.output.iterdir())


def test_another_generator_may_be_wired(nodes, spheres, style) -> None:
    from pstyle_pack.nodes.wires import Networks

    other = Networks(tiny_generator(1), load_vgg())
    with pytest.raises(ValueError, match="learned with another generator"):
        nodes.PStylePaint360().paint(spheres, style, generator=other, **settings())
