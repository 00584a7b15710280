"""Protects painting at a picture's own size: parts as in the whole, levels and strokes as they are set."""

from __future__ import annotations

import pytest
import torch

from pstyle.image.resizing import resize_to
from pstyle.nets.generator import FORM, GRAIN, LEVELS, TEXTURE
from pstyle.style.paint_settings import MAX_STRENGTH, PaintSettings
from tests.conftest import random_picture


@pytest.mark.parametrize("amount", [0.4, 1.0, 1.3])
def test_a_part_of_a_picture_is_painted_as_in_the_whole(painter, rng, amount):
    picture, amounts = torch.rand(1, 3, 64, 384, generator=rng), (amount,) * LEVELS
    whole, painted = painter.measure(picture, amounts), painter.paint(picture, amounts)
    assert torch.allclose(painter.paint(picture, amounts, whole), painted, atol=1e-4)
    part = painter.paint(picture[..., 96:], amounts, whole, origin=(0, 96))
    assert torch.allclose(part[..., 144:], painted[..., 240:], atol=1e-4)
    assert not torch.allclose(painter.paint(picture[..., 96:], amounts), part, atol=1e-3)


@pytest.mark.parametrize("amount", [0.4, 1.0])
def test_a_part_across_a_panorama_s_seam_is_painted_as_in_the_whole(painter, rng, amount):
    picture, amounts = torch.rand(1, 3, 64, 384, generator=rng), (amount,) * LEVELS
    whole = painter.measure(picture, amounts, padding="circular")
    painted = painter.paint(picture, amounts, padding="circular").roll(192, 3)
    across = picture.roll(192, 3)[..., 32:]  # its first column is the panorama's 224th
    part = painter.paint(across, amounts, whole, "replicate", origin=(0, 224), around_px=384)
    assert torch.allclose(part[..., 144:-128], painted[..., 176:-128], atol=1e-4)


@pytest.mark.parametrize("size", [(64, 90), (33, 47)])
@pytest.mark.parametrize("stroke", [0.5, 0.7, 1.4, 2.0])
def test_strokes_grow_as_those_of_a_smaller_picture_made_larger(painter, rng, stroke, size):
    picture = 0.2 + 0.6 * random_picture(rng, *size)  # so that reduced it is still within [0, 1]
    reduced = resize_to(picture, *(round(side / stroke) for side in size))
    found = painter(picture, PaintSettings(stroke=stroke))
    assert torch.equal(found, resize_to(painter(reduced), *size))
    assert not torch.allclose(found, painter(picture), atol=0.02)


@pytest.mark.parametrize("size", [(64, 90), (33, 47)])
def test_coarse_and_fine_move_their_own_levels(painter, rng, size):
    """The picture is the one of a painter whose levels are set by hand."""
    picture = random_picture(rng, *size)
    for moved, levels in (({"coarse": 0.5}, {FORM}), ({"fine": 0.5}, {TEXTURE, GRAIN})):
        amounts = tuple(0.4 if level in levels else 0.8 for level in range(LEVELS))
        found = painter(picture, PaintSettings(strength=0.8, **moved))
        assert torch.equal(found, painter.paint(picture, amounts))
        assert not torch.allclose(found, painter(picture, strength=0.8), atol=1e-3)


def test_no_level_gets_more_of_the_style_than_there_may_be(painter):
    for settings in (PaintSettings(strength=1.5, coarse=1.5), PaintSettings(strength=1.2, fine=1.4)):
        assert max(painter.amounts(settings)) == MAX_STRENGTH


def test_settings_that_come_back_are_not_built_again(painter, picture):
    """A slider that is moved back and forth: the last four are kept, and paint the same as when new."""
    amounts = [(0.2 * number,) * LEVELS for number in range(1, 6)]
    painted = [painter.paint(picture, one) for one in amounts]
    kept = [painter.styled_at(one)[0] for one in amounts[1:]]
    assert all(painter.styled_at(one)[0] is styled for one, styled in zip(amounts[1:], kept, strict=True))
    painter.styled_at(amounts[0])
    assert painter.styled_at(amounts[1])[0] is not kept[0] and painter.styled_at(amounts[4])[0] is kept[3]
    painter.clear()
    assert painter.styled_at(amounts[4])[0] is not kept[3]
    for one, expected in zip(amounts, painted, strict=True):
        assert torch.equal(painter.paint(picture, one), expected)
