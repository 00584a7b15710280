"""Protects what painting promises where a CPU computes in bfloat16: the same bytes every time, and tiles that
are the whole.
"""

from __future__ import annotations

import pytest
import torch

from pstyle.core.precision import psnr_db
from pstyle.painting.paint import SizeConfig, paint
from pstyle.painting.painter import Painter
from pstyle.style.paint_settings import PaintSettings
from pstyle.video.stabilizing import paint_video
from tests.conftest import random_picture

pytestmark = pytest.mark.bfloat16
SETTINGS = PaintSettings(strength=0.8, stroke=1.3, detail=0.2)


def made_anew(painter: Painter) -> Painter:
    return Painter(painter.style, painter.generator, painter.vgg, "cpu")


def test_the_same_picture_is_the_same_bytes(painter: Painter, rng: torch.Generator) -> None:
    assert painter.dtype == torch.bfloat16
    picture = random_picture(rng, 150, 203)
    for size in (SizeConfig(), SizeConfig(look_size_px=64), SizeConfig("always", 0)):
        first, *others = (made_anew(painter)(picture, SETTINGS, size=size) for _ in range(3))
        assert all(torch.equal(first, other) for other in others)


def test_frames_are_the_same_bytes_and_the_first_is_a_picture(painter: Painter, rng: torch.Generator) -> None:
    picture = random_picture(rng, 100, 120)
    frames = [picture[..., 3 * number : 80 + 3 * number, :100] for number in range(3)]
    for size in (SizeConfig(), SizeConfig(look_size_px=40)):
        first, again = (list(paint_video(made_anew(painter), frames, SETTINGS, size=size)) for _ in range(2))
        assert all(map(torch.equal, first, again))
    assert torch.equal(first[0], painter(frames[0], SETTINGS, size=size))


@pytest.mark.parametrize("settings", [PaintSettings(), SETTINGS, PaintSettings(strength=0.4)])
def test_tiles_are_the_whole(painter: Painter, rng: torch.Generator, settings: PaintSettings) -> None:
    """As far as the format goes: it has 8 bits, so what differs in the last of them differs by 0.004."""
    picture = random_picture(rng, 203, 331)
    tiled, whole = (
        paint(picture, painter, settings, size=SizeConfig(tile, 0)) for tile in ("always", "never")
    )
    assert psnr_db(tiled, whole) > 45 and (tiled - whole).abs().max() < 0.05
