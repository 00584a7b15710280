"""Protects any size: painted tile by tile, a picture is the one that is painted whole."""

from __future__ import annotations

import pytest
import torch

from pstyle.image.masks import fitted_mask
from pstyle.nets.generator import LEVELS
from pstyle.painting.painter import Painter
from pstyle.painting.sources import InMemory, loaded
from pstyle.painting.tiled import Joined, Masked, painting
from pstyle.style.paint_settings import PaintSettings
from pstyle.style.provenance import Provenance
from pstyle.style.styled_generator import StyledGenerator
from tests.conftest import random_picture

LOOKS = (
    PaintSettings(),
    PaintSettings(strength=0.4),
    PaintSettings(strength=1.3),
    PaintSettings(stroke=0.7),
    PaintSettings(stroke=1.6, detail=0.5),
    PaintSettings(strength=0.8, coarse=0.5, keep_color=True),
    PaintSettings(fine=0.4, keep_light=True, detail=1.0),
)


@pytest.fixture
def other(tiny_generator, tiny_vgg, rng) -> Painter:
    """A painter of another style of the same generator."""
    styled = StyledGenerator(tiny_generator, torch.randn(LEVELS, 16, generator=rng))
    return Painter(styled.style(Provenance()), tiny_generator, tiny_vgg, "cpu")


@pytest.mark.parametrize("settings", LOOKS)
def test_tiles_make_the_whole(painter, rng, settings):
    picture = random_picture(rng, 203, 331)
    tiled = loaded(painting(painter, InMemory(picture), settings, side_px=64), side_px=96)
    assert (tiled - painter(picture, settings)).abs().max() < 1e-4


@pytest.mark.parametrize("size", [(1, 1), (1, 150), (7, 9), (16, 17), (65, 64), (129, 8), (64, 72)])
def test_every_size_is_taken(painter, rng, size):
    picture = torch.rand(1, 3, *size, generator=rng)
    tiled = loaded(painting(painter, InMemory(picture), PaintSettings(strength=0.9), side_px=32), side_px=32)
    assert (tiled - painter(picture, strength=0.9)).abs().max() < 1e-4


def test_masks_and_a_second_style_tiled(painter, other, rng):
    picture, mask = random_picture(rng, 301, 397), torch.zeros(1, 1, 40, 50)
    mask[..., 20:] = 1
    fitted = fitted_mask(mask, picture)
    first, second = (
        painting(one, InMemory(picture), PaintSettings(), side_px=128) for one in (painter, other)
    )
    found = loaded(Joined(first, second, InMemory(fitted)), side_px=64)
    assert (found - painter(picture, mask=mask, second=other)).abs().max() < 1e-4
    found = loaded(Masked(first, InMemory(picture), InMemory(fitted)), side_px=64)
    assert (found - painter(picture, mask=mask)).abs().max() < 1e-4
