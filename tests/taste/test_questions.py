"""Protects what is asked: the best expected, no two that look alike, a blind one now and then."""

from __future__ import annotations

import itertools

import pytest
import torch

from pstyle.image.colors import rgb_to_lab
from pstyle.taste.preference import Belief
from pstyle.taste.questions import best_point, candidates, distance, features, question, within


def gray(points: torch.Tensor) -> torch.Tensor:
    """Pictures (K, 3, 8, 8) as bright as the first coordinate."""
    return (0.5 + points[:, :1] / 8).view(-1, 1, 1, 1).expand(-1, 3, 8, 8)


def belief(mean: list[float], spread: float) -> Belief:
    size = len(mean)
    return Belief(torch.tensor(mean).double(), spread**2 * torch.eye(size).double())


def test_features_are_coordinates_and_halved_negative_squares():
    assert features(torch.tensor([[2.0, -1.0]])).tolist() == [[2.0, -1.0, -2.0, -0.5]]


def test_the_best_lies_within_where_squares_say_so():
    line = torch.linspace(-2, 2, 81)[:, None]
    assert best_point(belief([1.0, 2.0], 0.1), line).item() == pytest.approx(0.5)  # w / q


def test_a_sure_belief_asks_first_for_what_it_expects_most(rng):
    pool = torch.linspace(-2, 2, 41)[:, None]
    found = question(belief([1.0, 1.0], 1e-6), pool, 1, 0.0, gray, rng)
    assert found.item() == pytest.approx(1.0)


def test_the_second_raises_the_expected_best_as_much_as_any(rng):
    pool = torch.linspace(-2, 2, 21)[:, None]
    known = belief([0.0, 1.0], 0.8)
    found = question(known, pool, 2, 0.0, gray, rng)
    weights = known.draw(20_000, torch.Generator().manual_seed(5))  # the gain anew, from other draws

    def expected(points: torch.Tensor) -> float:
        return (features(points) @ weights.mT).max(0).values.mean().item()

    best = max(expected(torch.stack([found[0], other])) for other in pool)
    assert expected(found) > best - 0.02
    assert expected(found) > expected(found[:1].repeat(2, 1)) + 0.1


@pytest.mark.parametrize("blind", [False, True])
def test_no_two_look_alike(rng, blind):
    pool = candidates(torch.zeros(3), 64, 0.3, rng)
    found = question(belief([0.0] * 3 + [1.0] * 3, 1.0), pool, 4, 2.3, gray, rng, blind)
    assert len(found) == 4
    for one, other in itertools.combinations(gray(found), 2):
        assert distance(rgb_to_lab(one[None]), rgb_to_lab(other[None])) >= 2.3


def test_fewer_are_asked_where_all_look_alike(rng):
    pool = torch.randn(32, 2, generator=rng)
    found = question(belief([0.0] * 4, 1.0), pool, 4, 2.3, lambda points: gray(0 * points), rng)
    assert len(found) == 1


def test_blind_ones_come_from_the_whole_pool():
    pool, sure = torch.linspace(-2, 2, 41)[:, None], belief([3.0, 1.0], 1e-6)
    drawn = {
        round(question(sure, pool, 2, 0.0, gray, torch.Generator().manual_seed(seed), True)[1].item(), 1)
        for seed in range(30)
    }
    assert min(drawn) < -1 and len(drawn) > 10


def test_candidates_stay_where_styles_do_not_break(rng):
    pool = candidates(torch.tensor([1.9, -1.9]), 500, 1.0, rng)
    assert pool.shape == (500, 2) and pool.abs().max() == 2 and torch.equal(within(pool), pool)


def test_distance_is_that_of_cie_lab():
    black, white = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    assert distance(rgb_to_lab(black), rgb_to_lab(white)) == pytest.approx(100, abs=0.1)
