"""Protects stars: what they weigh, that dislikes never weigh, and how far a style keeps from those."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pstyle.taste.stars import dislike, margin_of, weights_from_stars

starred = st.lists(st.integers(0, 5), min_size=1, max_size=50).filter(any)


@given(starred)
def test_shares_sum_to_one_follow_the_stars_and_leave_dislikes_out(stars):
    shares = weights_from_stars(stars)
    assert sum(shares) == pytest.approx(1) and min(shares) >= 0
    for star, share in zip(stars, shares, strict=True):
        assert (share == 0) == (star == 0)
    ordered = [share for _, share in sorted(zip(stars, shares, strict=True))]
    assert all(a <= b + 1e-12 for a, b in zip(ordered, ordered[1:], strict=False))


@given(starred)
def test_enough_pictures_count(stars):
    shares = [share for share in weights_from_stars(stars) if share > 0]
    effective = math.exp(-sum(share * math.log(share) for share in shares))
    assert effective >= min(3, (len(shares) + 1) / 2) - 1e-3


def test_equal_stars_count_alike():
    assert weights_from_stars([4, 4, 4]) == pytest.approx([1 / 3] * 3)


def test_a_star_more_counts_e_times_as_much_among_many():
    shares = weights_from_stars([5, 4] * 10)
    assert shares[0] / shares[1] == pytest.approx(math.e)


@pytest.mark.parametrize("stars", [[6], [-1], [2.5], [True], [0], [0, 0]])
def test_other_stars_are_refused(stars):
    with pytest.raises(ValueError, match="stars are whole numbers from 0|no picture is liked"):
        weights_from_stars(stars)


def test_the_margin_is_the_median_distance():
    codes = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])  # a triangle of sides 3, 4, 5
    assert margin_of(codes).item() == 4


def test_dislike_pushes_away_within_the_margin_only():
    codes = torch.tensor([[0.0, 0.0]])
    latent = torch.tensor([[1.0, 0.0]], requires_grad=True)
    found = dislike(latent, codes, torch.tensor(2.0))
    assert found.item() == pytest.approx(0.5)
    found.backward()
    assert latent.grad[0, 0] < 0  # descending it leads away
    assert dislike(torch.tensor([[2.5, 0.0]]), codes, torch.tensor(2.0)) == 0


def test_dislike_has_a_finite_gradient_at_the_picture_itself():
    latent = torch.zeros(4, 3, requires_grad=True)
    dislike(latent, torch.zeros(1, 3), torch.tensor(1.0)).backward()
    assert latent.grad.isfinite().all()
