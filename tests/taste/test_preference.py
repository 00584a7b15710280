"""Protects what answers are believed to say: the posterior's mode against another implementation."""

from __future__ import annotations

import choix
import numpy as np
import pytest
import torch

from pstyle.taste.preference import Belief, Pick, Prior, laplace_posterior

ITEMS = 7
ONE_HOT = torch.eye(ITEMS, dtype=torch.float64)


@pytest.fixture
def utilities() -> np.ndarray:
    return np.random.default_rng(0).normal(size=ITEMS)


def drawn_pairs(utilities: np.ndarray, count: int) -> list[tuple[int, int]]:
    """Winner and loser of random pairs."""
    rng, pairs = np.random.default_rng(1), []
    for _ in range(count):
        a, b = rng.choice(ITEMS, 2, replace=False)
        first = rng.random() < 1 / (1 + np.exp(utilities[b] - utilities[a]))
        pairs.append((int(a), int(b)) if first else (int(b), int(a)))
    return pairs


def drawn_bests(utilities: np.ndarray, count: int) -> list[tuple[int, list[int]]]:
    """The winner among four, and the losers."""
    rng, found = np.random.default_rng(2), []
    for _ in range(count):
        shown = rng.choice(ITEMS, 4, replace=False)
        chances = np.exp(utilities[shown])
        best = rng.choice(4, p=chances / chances.sum())
        found.append((int(shown[best]), [int(i) for i in np.delete(shown, best)]))
    return found


@pytest.mark.parametrize("precision", [0.02, 0.2, 2.0])
def test_pairs_agree_with_choix(utilities, precision):
    pairs = drawn_pairs(utilities, 60)
    own = laplace_posterior(
        [Pick(ONE_HOT[[win, lose]], 0) for win, lose in pairs], Prior.even(ITEMS, precision)
    )
    theirs = choix.opt_pairwise(ITEMS, pairs, alpha=precision / 2, tol=1e-12)  # its penalty is alpha * w^2
    assert np.abs(own.mean.numpy() - theirs).max() < 1e-4


def test_bests_of_four_agree_with_choix(utilities):
    bests = drawn_bests(utilities, 50)
    own = laplace_posterior([Pick(ONE_HOT[[win, *rest]], 0) for win, rest in bests], Prior.even(ITEMS, 0.2))
    theirs = choix.opt_top1(ITEMS, bests, alpha=0.1, tol=1e-12)
    assert np.abs(own.mean.numpy() - theirs).max() < 1e-4


def test_a_weight_of_two_is_the_same_answer_twice(utilities):
    picks = [Pick(ONE_HOT[[win, lose]], 0) for win, lose in drawn_pairs(utilities, 10)]
    doubled = laplace_posterior([Pick(p.features, p.chosen, 2.0) for p in picks], Prior.even(ITEMS))
    assert torch.allclose(doubled.mean, laplace_posterior(picks * 2, Prior.even(ITEMS)).mean, atol=1e-8)


def test_nothing_asked_leaves_the_prior():
    prior = Prior(torch.tensor([1.0, -2.0]), torch.tensor([4.0, 0.5]))
    found = laplace_posterior([], prior)
    assert torch.equal(found.mean, prior.mean.double())
    assert torch.allclose(found.covariance, torch.diag(torch.tensor([0.25, 2.0])).double())


@pytest.mark.parametrize("lapse", [0.0, 0.05, 0.3])
def test_the_mode_has_no_slope_and_the_covariance_is_the_inverse_curvature(utilities, lapse):
    rng = torch.Generator().manual_seed(3)
    picks = [Pick(torch.randn(4, 3, generator=rng).double(), int(i) % 4, 1.0 + i % 2) for i in range(12)]
    prior = Prior.even(3, 0.7)
    found = laplace_posterior(picks, prior, lapse)

    def log_posterior(w: torch.Tensor) -> torch.Tensor:  # written down anew, term by term
        total = -0.5 * 0.7 * w.square().sum()
        for pick in picks:
            chance = (pick.features @ w).softmax(0)[pick.chosen]
            total = total + pick.weight * ((1 - lapse) * chance + lapse / 4).log()
        return total

    slope = torch.func.grad(log_posterior)(found.mean)
    assert slope.abs().max() < 1e-6
    if lapse == 0:
        curvature = -torch.func.hessian(log_posterior)(found.mean)
        assert torch.allclose(found.covariance, torch.linalg.inv(curvature), rtol=1e-6)


def test_one_blunder_moves_less_where_lapses_are_expected():
    good = [Pick(torch.tensor([[1.0], [-1.0]]).double(), 0)] * 8
    blunder = Pick(torch.tensor([[4.0], [-4.0]]).double(), 1)
    moved = {}
    for lapse in (0.0, 0.1):
        before, after = (
            laplace_posterior(p, Prior.even(1, 0.1), lapse).mean.item() for p in (good, [*good, blunder])
        )
        moved[lapse] = abs(before - after)
    assert moved[0.1] < 0.5 * moved[0.0]


def test_draws_have_the_mean_and_the_covariance_of_the_belief():
    covariance = torch.tensor([[2.0, 0.6], [0.6, 0.5]], dtype=torch.float64)
    belief = Belief(torch.tensor([1.0, -1.0], dtype=torch.float64), covariance)
    draws = belief.draw(40_000, torch.Generator().manual_seed(0))
    assert torch.allclose(draws.mean(0), belief.mean, atol=0.03)
    assert torch.allclose(draws.mT.cov(), covariance, atol=0.05)


def test_chances_are_those_of_a_softmax():
    belief = Belief(torch.tensor([2.0]).double(), torch.eye(1).double())
    assert torch.allclose(
        belief.chances(torch.tensor([[1.0], [0.0]])), torch.tensor([2.0, 0.0]).double().softmax(0)
    )
