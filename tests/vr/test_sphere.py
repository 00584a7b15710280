"""Protects the geometry of the sphere: directions, what is seen in them, and borders that are none."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.worlds import world
from pstyle.vr.sphere import (
    check_panorama,
    extended,
    inner,
    perspective,
    pixel_directions,
    resized,
    row_weights,
    sampled,
    with_width,
)


def picture_of_the_world(height: int) -> torch.Tensor:
    return world(*pixel_directions(height))


@pytest.mark.parametrize("latitude", [0.0, 0.7, math.pi / 2, -math.pi / 2])
def test_a_view_of_the_picture_is_a_view_of_the_world(latitude):
    where = perspective(1.0, latitude, math.radians(70), 48)
    seen = sampled(picture_of_the_world(256), where)
    assert (seen - world(*where)).abs().mean() < 0.02


def test_a_view_looks_where_it_is_turned_to():
    where = perspective(0.5, 0.3, math.radians(90), 101)
    assert where.longitude[50, 50] == pytest.approx(0.5) and where.latitude[50, 50] == pytest.approx(0.3)
    assert where.latitude[0, 50] > 0.3 and where.longitude[50, 100] > 0.5  # up is north, right is east
    level = perspective(0.0, 0.0, math.radians(90), 2).longitude  # pixels at half of tan(45 degrees)
    assert level[0].tolist() == pytest.approx([-math.atan(0.5), math.atan(0.5)])


def test_pixels_come_back_from_their_own_directions(rng):
    picture = torch.rand(1, 3, 16, 32, generator=rng)
    assert torch.allclose(sampled(picture, pixel_directions(16)), picture, atol=1e-4)


def test_beyond_a_pole_rows_come_back_half_a_turn_away():
    found = extended(picture_of_the_world(64), 3)
    latitude = torch.tensor([math.pi / 2 + (row + 0.5) * math.pi / 64 for row in (2, 1, 0)])
    longitude = pixel_directions(64).longitude[0]
    beyond = world(*torch.broadcast_tensors(longitude, latitude[:, None]))
    assert torch.allclose(found[:, :, :3, 3:-3], beyond, atol=1e-4)
    assert torch.equal(found[..., 3:-3, :3], picture_of_the_world(64)[..., -3:])
    assert torch.equal(inner(found, 3), picture_of_the_world(64))


def test_rows_weigh_what_they_show():
    weights = row_weights(1000)
    assert weights.mean().item() == pytest.approx(2 / math.pi, rel=1e-5)  # the mean of a cosine
    assert torch.allclose(weights, weights.flip(0)) and weights[0] < 0.002


@given(st.integers(9, 40), st.integers(9, 40))
@settings(max_examples=30, deadline=None)
def test_resizing_goes_around(height, other):
    """A turned picture, resized, is the resized one turned, where turns are whole columns of both."""
    picture = torch.rand(1, 3, height, 2 * height, generator=torch.Generator().manual_seed(height))
    found = resized(picture, other)
    assert found.shape == (1, 3, other, 2 * other)
    assert torch.allclose(resized(picture.roll(height, 3), other).roll(-other, 3), found, atol=1e-5)


def test_a_width_is_that_of_the_same_world():
    found = with_width(picture_of_the_world(256), 360)
    longitude = ((torch.arange(360, dtype=torch.float64) + 0.5) / 180 - 1) * math.pi
    expected = world(*torch.broadcast_tensors(longitude, pixel_directions(256).latitude[:, :1]))
    assert (found - expected).abs().mean() < 0.01
    assert (found - expected).abs()[..., (0, -1)].mean() < 0.015


@pytest.mark.parametrize(("height", "width"), [(600, 1000), (512, 1023), (100, 100)])
def test_other_proportions_are_refused(height, width):
    said_so = f"twice as wide as high: got {width}x{height} px; resize it to"
    with pytest.raises(ValueError, match=said_so) as said:
        check_panorama(torch.zeros(1, 3, height, width))
    assert "\n" not in str(said.value)
