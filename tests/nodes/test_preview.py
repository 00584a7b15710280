"""Protects the slider: what a painting node tells the page, and the files behind it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from pstyle_pack.nodes import host, preview

from pstyle.image.reading import open_image
from pstyle.style.paint_settings import PaintSettings
from pstyle.video.stabilizing import VideoConfig
from pstyle.vr.stereo import StereoConfig
from tests.conftest import random_picture


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of a host with a page."""
    folder = tmp_path / "page"
    folder.mkdir()
    monkeypatch.setattr(host, "page_folder", lambda: folder)
    return folder


def test_without_a_page_nothing_is_written(nodes, image, style, folders) -> None:
    assert nodes.PStylePaint().paint(image, style)["ui"] == {}
    assert not folders.temp.exists()


def test_the_first_picture_and_its_painting_are_shown(nodes, image, style, page: Path) -> None:
    found = nodes.PStylePaint().paint(image, style)
    [shown] = found["ui"][preview.KEY]
    for part, picture in (("before", image), ("after", found["result"][0])):
        assert set(shown[part]) == {"filename", "subfolder", "type"} and shown[part]["type"] == "temp"
        seen = open_image(page / shown[part]["filename"])
        assert (seen - picture[:1].movedim(-1, 1)).abs().mean() < 0.02
    assert len(list(page.iterdir())) == 2


@pytest.mark.parametrize("name", ["PStylePaint", "PStylePaint360", "PStyleRestore"])
def test_whatever_paints_a_picture_over_shows_both(nodes, style, page: Path, rng, name: str) -> None:
    node, image = getattr(nodes, name)(), random_picture(rng, 32, 64).movedim(1, -1)
    found = node.restore(image) if name == "PStyleRestore" else node.paint(image, style)
    [shown] = found["ui"][preview.KEY]
    assert all((page / shown[part]["filename"]).exists() for part in ("before", "after"))


def test_eyes_are_shown_as_the_painted_ones_lie(nodes, style, page: Path, rng) -> None:
    image, config = random_picture(rng, 32, 64).movedim(1, -1), StereoConfig("side-by-side", "top-bottom")
    found = nodes.PStylePaintStereo().paint(image, style, **asdict(config), strength=0.0)
    [shown] = found["ui"][preview.KEY]
    before, after = (open_image(page / shown[part]["filename"]) for part in ("before", "after"))
    assert before.shape == after.shape == (1, 3, 64, 32)
    assert (before[:, :, :32] - image[:, :, :32].movedim(-1, 1)).abs().mean() < 0.02


def test_of_a_video_the_frame_in_the_middle_is_shown(nodes, style, page: Path, rng) -> None:
    frames = random_picture(rng, 48, 64).expand(3, -1, -1, -1) * torch.tensor([0.0, 1.0, 0.2]).view(
        3, 1, 1, 1
    )
    listed = {name: [value] for name, value in (asdict(PaintSettings()) | asdict(VideoConfig())).items()}
    found = nodes.PStylePaintVideo().paint([frames.movedim(1, -1)], [style], **listed)
    [shown] = found["ui"][preview.KEY]
    before, after = (open_image(page / shown[part]["filename"]) for part in ("before", "after"))
    assert (before - frames[1:2]).abs().mean() < 0.02
    assert (after - found["result"][0][1:2].movedim(-1, 1)).abs().mean() < 0.02


def test_an_unchanged_picture_is_written_once(nodes, image, style, page: Path) -> None:
    node = nodes.PStylePaint()
    names = [node.paint(image, style, strength=s)["ui"][preview.KEY][0] for s in (1.0, 0.5, 1.0)]
    assert names[0]["before"] == names[1]["before"] and names[0] == names[2] != names[1]
    assert len(list(page.iterdir())) == 3


@pytest.mark.parametrize(
    ("size", "shown"),
    [((1, 1), (1, 1)), ((30, 2100), (15, 1024)), ((3000, 1), (1024, 1)), ((63, 65), (63, 65))],
)
@pytest.mark.parametrize("channels", [3, 4])
def test_pictures_of_any_size_fit_the_page(page: Path, rng, size, shown, channels: int) -> None:
    picture = torch.rand(1, channels, *size, generator=rng)
    [found] = preview.before_after(picture, picture)[preview.KEY]
    assert tuple(open_image(page / found["after"]["filename"]).shape) == (1, 3, *shown)
