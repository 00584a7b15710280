"""Protects the parts that a sphere is painted in: they cover it, hardly stretch it, and come back."""

from __future__ import annotations

import math

import pytest
import torch

from benchmarks.worlds import world
from pstyle.vr.sphere import pixel_directions
from pstyle.vr.sphere_parts import HALF_JOIN, RINGS, Cap, Strip, levels_of, pasted, share_of


@pytest.mark.parametrize("height", [16, 40, 128, 520])
def test_parts_cover_what_is_taken_of_them(height):
    shares = [torch.ones(height), *(share_of(level, height)[0, 0, :, 0] for level in range(1, RINGS + 2))]
    taken = [
        share * (1 - outer) for share, outer in zip(shares, [*shares[1:], torch.zeros(height)], strict=True)
    ]
    for level, parts in enumerate(levels_of(height, 73)):
        covered = torch.zeros(height)
        for part in parts:
            covered[part.top : part.bottom] = 1
            if isinstance(part, Strip):
                assert part.width % 8 == part.top % 8 == part.bottom % 8 == 0 and part.width >= 16
            else:
                assert part.side_px % 8 == 0
        assert (covered[taken[level] > 0] == 1).all()


def test_no_part_stretches_by_more_than_a_fifth_where_it_is_taken():
    height = 512
    for level, parts in enumerate(levels_of(height, 73)[:-1]):
        latitude = pixel_directions(height).latitude[:, 0]
        inner = share_of(level, height)[0, 0, :, 0] if level else torch.ones(height)
        outer = share_of(level + 1, height)[0, 0, :, 0]
        stretch = parts[0].width / (2 * height) / torch.cos(latitude[(inner >= 0.5) & (outer <= 0.5)])
        assert stretch.min() > 0.82 and stretch.max() < 1.21
    assert math.radians(5) > HALF_JOIN


@pytest.mark.parametrize("pole", [1, -1])
def test_a_cap_comes_back_as_it_was(pole):
    sphere = world(*pixel_directions(256))
    rows = (0, 60) if pole > 0 else (196, 256)
    cap = Cap(256, *rows, 144, pole)
    back = cap.back(cap.of(sphere))
    assert back.shape == (1, 3, 60, 512) and (back - sphere[:, :, rows[0] : rows[1]]).abs().mean() < 0.01


@pytest.mark.parametrize("pole", [1, -1])
@pytest.mark.parametrize("side_px", [64, 72])
def test_a_cap_shows_directions_as_far_from_its_middle_as_from_the_pole(pole, side_px):
    """Of a sphere painted with its own directions each pixel of the face has the right one."""
    height = 256
    longitude, latitude = pixel_directions(height)
    sphere = torch.stack(  # east, up, ahead
        [latitude.cos() * longitude.sin(), latitude.sin(), latitude.cos() * longitude.cos()]
    )[None].float()
    rows = (0, 10) if pole > 0 else (246, 256)
    east, up, ahead = Cap(height, *rows, side_px, pole).of(sphere)[0]
    steps = torch.arange(side_px) - (side_px - 1) / 2
    angle = torch.hypot(steps[:, None], steps) * math.pi / height  # from the pole
    assert torch.allclose(up, pole * angle.cos(), atol=2e-3)
    along = angle.sin() / torch.hypot(steps[:, None], steps)
    assert torch.allclose(east, along * steps, atol=2e-3)
    assert torch.allclose(ahead, pole * along * steps[:, None], atol=2e-3)


@pytest.mark.parametrize("height", [40, 128, 520])
def test_parts_north_and_south_mirror_each_other(height):
    for north, south in levels_of(height, 73)[1:]:
        assert (south.top, south.bottom) == (height - north.bottom, height - north.top)
        assert (north.width == south.width) if isinstance(north, Strip) else (north.side_px == south.side_px)
    for level in range(1, RINGS + 2):
        share = share_of(level, height)[0, 0, :, 0]
        assert torch.allclose(share, share.flip(0), atol=1e-6) and share[height // 2] == 0 and share[0] == 1
        assert (share[: height // 2].diff() <= 0).all()


def test_a_strip_comes_back_as_it_was():
    sphere = world(*pixel_directions(256))
    strip = Strip(256, 48, 104, 384)
    assert strip.of(sphere).shape == (1, 3, 56, 384)
    assert (strip.back(strip.of(sphere)) - sphere[:, :, 48:104]).abs().mean() < 0.01


def test_pasted_rows_take_the_place_of_their_own(rng):
    picture, rows = torch.rand(2, 1, 3, 24, 48, generator=rng)
    parts = (Strip(24, 8, 16, 48), Cap(24, 16, 24, 16, -1))
    before = picture.clone()
    found = pasted(picture, parts, [rows[:, :, 8:16], rows[:, :, 16:]])
    assert torch.equal(found, torch.cat([picture[:, :, :8], rows[:, :, 8:]], dim=2))
    assert torch.equal(picture, before)
