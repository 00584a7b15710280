"""Protects matching of eyes: exact pairs of known disparity, hidden places, circles."""

from __future__ import annotations

import pytest
import torch

from benchmarks.worlds import stereo_pair
from pstyle.vr.disparity import match_eyes, match_of_disparity, seen_by_left, warp_by_disparity


@pytest.fixture(scope="module")
def pair():
    return stereo_pair(96, 192, seed=1)


@pytest.mark.parametrize("around", [False, True])
def test_the_disparity_of_a_known_pair_is_found(pair, around):
    found, known = match_eyes(pair.left, pair.right, around), match_of_disparity(pair.disparity, around)
    both = (known.seen * found.seen) > 0
    assert both.float().mean() > 0.8
    error = (found.shift - known.shift).abs()[both]
    assert error.median() < 0.25 and (error > 1).float().mean() < 0.04
    assert found.seen[known.seen > 0].mean() > 0.93


def test_a_known_disparity_brings_one_eye_to_the_other(pair):
    match = match_of_disparity(pair.disparity, around=True)
    error = (warp_by_disparity(pair.left, match.shift, around=True) - pair.right).abs().mean(1, keepdim=True)
    assert error[match.seen > 0].median() < 0.01
    assert (pair.left - pair.right).abs().mean() > 3 * error[match.seen > 0].mean()


def test_what_is_hidden_from_the_left_eye_is_not_seen():
    """A near block before a wall: right of it, the right eye sees what the block hides from the left one."""
    disparity = torch.zeros(1, 1, 4, 20)
    disparity[..., 10:14] = 3
    match = match_of_disparity(disparity)
    assert match.shift[0, 0, 0, 7:11].tolist() == [3] * 4
    assert match.seen[0, 0, 0].tolist() == [1.0] * 11 + [0.0] * 3 + [1.0] * 6
    filled = torch.where(match.seen > 0, match.shift, 0.0)
    assert torch.equal(seen_by_left(filled), match.seen)


def test_an_unknown_disparity_is_not_seen():
    disparity = torch.full((1, 1, 2, 8), float("nan"))
    assert match_of_disparity(disparity).seen.sum() == 0


def test_columns_go_around(pair):
    turned = match_of_disparity(pair.disparity.roll(70, 3), around=True)
    assert torch.equal(turned.shift.roll(-70, 3), match_of_disparity(pair.disparity, around=True).shift)
    moved = warp_by_disparity(pair.left.roll(70, 3), turned.shift, around=True).roll(-70, 3)
    plain = warp_by_disparity(pair.left, turned.shift.roll(-70, 3), around=True)
    assert torch.allclose(moved, plain, atol=1e-3)
    flat = match_of_disparity(torch.full((1, 1, 2, 8), 2.0))
    assert flat.seen[0, 0, 0].tolist() == [1.0] * 6 + [0.0] * 2


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (3, 5), (17, 9), (40, 7)])
@pytest.mark.parametrize("around", [False, True])
def test_the_smallest_pictures_match(rng, size, around):
    eye = torch.rand(1, 3, *size, generator=rng)
    match = match_eyes(eye, eye, around)
    assert match.shift.shape == match.seen.shape == (1, 1, *size) and match.shift.isfinite().all()
