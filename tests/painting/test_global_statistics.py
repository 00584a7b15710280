"""Protects what tiles know of the whole picture: the very statistics of the picture in one piece."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from pstyle.nets.generator import LEVELS
from pstyle.painting.global_statistics import RunningStatistics, global_statistics_of, tiles_of
from pstyle.painting.native import FULL_STRENGTH
from pstyle.painting.sources import InMemory
from tests.conftest import random_picture


@pytest.mark.parametrize("offset", [0.0, 20.0])
def test_running_statistics_are_those_of_all_pieces(rng, offset):
    """Also where the mean is far larger than the deviation, which a sum of squares would lose."""
    pieces = [
        offset + number + torch.randn(1, 3, *size, generator=rng)
        for number, size in enumerate([(1, 1), (17, 3), (2, 64), (40, 41), (1, 2)])
    ]
    running = RunningStatistics()
    for piece in pieces:
        running.add(piece)
    found = running.statistics()
    values = np.concatenate([piece[0].flatten(1).numpy() for piece in pieces], axis=1).astype(np.float64)
    assert found.mean.shape == (1, 3, 1, 1) and found.mean.dtype == torch.float32
    assert found.mean.flatten().tolist() == pytest.approx(values.mean(1).tolist(), rel=1e-5, abs=1e-5)
    assert found.variance.flatten().tolist() == pytest.approx(values.var(1).tolist(), rel=1e-3)


@pytest.mark.parametrize("amount", [1.0, 0.4, 1.3])
@pytest.mark.parametrize(("size", "side_px"), [((130, 203), 64), ((9, 150), 32), ((64, 64), 64)])
def test_over_tiles_they_are_those_of_the_picture_measured_at_once(painter, rng, amount, size, side_px):
    picture, amounts = random_picture(rng, *size), (amount,) * LEVELS
    found = global_statistics_of(painter, InMemory(picture), amounts, side_px)
    expected = painter.measure(picture, amounts)
    assert (found.own is None) == (expected.own is None) == (amounts == FULL_STRENGTH)
    for mine, other in ((found.painted, expected.painted), (found.rebuilt, expected.rebuilt)):
        assert mine.keys() == other.keys()
        for site in other:
            deviation = other[site].variance.sqrt()
            assert torch.allclose(
                mine[site].mean, other[site].mean, atol=1e-3 * deviation.max().item() + 1e-5
            )
            assert torch.allclose(mine[site].variance.sqrt(), deviation, rtol=1e-3, atol=1e-4), site
    for site, value in (expected.own or {}).items():
        assert torch.allclose(found.own[site], value, rtol=1e-3, atol=1e-3)


def padded(side: int) -> int:
    """The side of a picture that the generator can paint: a multiple of 8, at least 16."""
    return max(16, math.ceil(side / 8) * 8)


@pytest.mark.parametrize(("height", "width"), [(70, 45), (8, 100), (5, 5)])
def test_own_parts_of_tiles_cover_features_of_any_stride_once(height, width):
    picture = torch.zeros(1, 1, height, width)
    rows, columns = padded(height), padded(width)
    for stride in (1, 2, 4, 8):
        count = torch.zeros(1, 1, rows // stride, columns // stride)
        place = torch.arange(count.numel()).view_as(count)
        for tile in tiles_of(InMemory(picture), 32, 11):
            top, left = tile.window.top // stride, tile.window.left // stride
            high, wide = (
                max(16, -(-side // 8) * 8) // stride for side in (tile.window.height, tile.window.width)
            )
            own = tile.own(place[..., top : top + high, left : left + wide])
            count.view(-1)[own.flatten()] += 1
        assert torch.equal(count, torch.ones_like(count))


def test_features_that_are_not_finite_are_refused(painter):
    with pytest.raises(ValueError, match="not finite: lower the strength"):
        global_statistics_of(painter, InMemory(torch.full((1, 3, 40, 40), torch.nan)), FULL_STRENGTH, 32)
