"""Protects `pstyle paint-stereo`: pairs of eyes in, pairs out, and nothing is lost over a bad one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks.worlds import stereo_pair
from pstyle.image.reading import open_image
from pstyle.image.writing import save_image
from pstyle.painting.painter import load_painter
from pstyle.vr.stereo import StereoConfig, paint_stereo
from tests.conftest import random_picture


@pytest.fixture(autouse=True)
def eyes(place: Path) -> None:
    """A pair of eyes, and a picture that is none."""
    pair = stereo_pair(32, 48)
    save_image("eyes.png", torch.cat([pair.left, pair.right], dim=3))
    save_image("odd.png", random_picture(torch.Generator().manual_seed(0), 31, 45))


def test_painted_eyes_are_the_librarys(call) -> None:
    command = ("paint-stereo", "style.safetensors", "eyes.png", "-o", "out")
    save_image("disparity.png", torch.full((1, 1, 32, 48), 0.2))
    known = ("--disparity", "disparity.png", "--disparity-px", "20")
    code, out, _ = call(*command, *known)
    assert code == 0 and out == ["out/eyes.png"]
    painter, disparity = load_painter("style.safetensors", "cpu"), torch.full((1, 1, 32, 48), 4.0)
    expected = paint_stereo(painter, open_image("eyes.png"), disparity=disparity)
    assert torch.allclose(open_image(out[0]), expected, atol=1 / 255)


def test_what_is_no_pair_of_eyes_is_passed_over_and_told(call) -> None:
    code, out, err = call("paint-stereo", "style.safetensors", "odd.png", "eyes.png", "-o", "out")
    assert code == 2 and [Path(line).stem for line in out] == ["eyes"]
    assert "odd.png: a side-by-side picture holds two eyes of one size: got 45x31 px, of odd" in err
    assert err.count("\n") == 1 and "1 of 2 pictures" in err


def test_layouts_are_flags(call) -> None:
    flags = ("--layout", "side-by-side", "--out-layout", "top-bottom")
    code, out, _ = call("paint-stereo", "style.safetensors", "eyes.png", "-o", "out", *flags)
    assert code == 0 and open_image(out[0]).shape == (1, 3, 64, 48)
    assert StereoConfig("side-by-side", "top-bottom").painted_layout == "top-bottom"
