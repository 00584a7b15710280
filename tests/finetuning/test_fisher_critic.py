"""Protects the critic of windows: the best line, in closed form, whose push ends where means agree."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pstyle.finetuning.fisher_critic import DECAY, RIDGE, FisherCritic


@pytest.fixture
def sides(rng):
    """Windows of two kinds: columns that go together, of very different sizes, and one that is always 0."""
    mixing = torch.randn(6, 6, generator=rng)
    real, painted = (torch.randn(count, 6, generator=rng) @ mixing for count in (200, 150))
    painted = painted + torch.tensor([0.5, 0.0, -0.3, 0.2, 0.0, 0.1])
    sizes = torch.tensor([1.0, 100.0, 0.01, 1.0, 1.0, 1.0])
    return tuple(torch.cat([side * sizes, torch.zeros(len(side), 1)], dim=1) for side in (real, painted))


def test_it_is_fishers_discriminant(sides):
    real, painted = (side.double().numpy() for side in sides)
    spread = np.concatenate([real, painted]).std(0, ddof=1)
    scale = 1 / (spread + 0.05 * spread.mean() + 1e-6)
    covariance = (np.cov((real * scale).T) + np.cov((painted * scale).T)) / 2 + RIDGE * np.eye(7)
    gap = (real.mean(0) - painted.mean(0)) * scale
    line = np.linalg.solve(covariance, gap) / (gap @ np.linalg.solve(covariance, gap))
    expected = (real * scale) @ line - (real.mean(0) + painted.mean(0)) * scale @ line / 2
    assert np.allclose(FisherCritic(*sides)(sides[0]).numpy(), expected, rtol=1e-3, atol=1e-3)


def test_no_other_line_tells_better(sides, rng):
    def told_apart(one, other):
        return ((one.mean() - other.mean()).square() / (one.var() + other.var())).item()

    best = told_apart(*(FisherCritic(*sides)(side) for side in sides))
    spread = sides[0].std(0) + 1e-6
    for _ in range(50):
        line = torch.randn(7, generator=rng) / spread
        assert told_apart(*(side @ line for side in sides)) < 1.05 * best


def test_logits_are_a_half_from_zero_at_the_start(sides):
    critic = FisherCritic(*sides)
    real, painted = (critic(side).mean().item() for side in sides)
    assert (real, painted) == (pytest.approx(0.5, abs=1e-3), pytest.approx(-0.5, abs=1e-3))
    assert critic.separation == pytest.approx(1, rel=1e-4)


def test_it_follows_the_painted_mean_and_falls_silent_where_means_agree(sides):
    real, painted = sides
    critic = FisherCritic(real, painted)
    critic.update(real)
    expected = DECAY * painted.mean(0) + (1 - DECAY) * real.mean(0)
    assert torch.allclose(critic.painted, expected, rtol=1e-4, atol=1e-5)
    assert critic.separation == pytest.approx(DECAY**2, rel=1e-3)
    for _ in range(200):
        critic.update(real)
    rows = painted.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(rows).mean(), rows)
    (first,) = torch.autograd.grad(FisherCritic(real, painted)(rows).mean(), rows)
    assert critic.separation < 1e-6 and gradient.norm() < 1e-3 * first.norm()


def test_its_push_leads_painted_windows_to_the_real_ones(sides):
    real, painted = sides
    critic, rows = FisherCritic(real, painted), painted.clone()
    scale = real.std(0).square() + 1e-6
    for _ in range(300):
        rows.requires_grad_(True)
        (gradient,) = torch.autograd.grad(critic(rows).sum(), rows)
        rows = (rows + 0.05 * scale * gradient).detach()
        critic.update(rows)
    assert critic.separation < 0.05


def test_its_state_is_one_mean(sides):
    state = FisherCritic(*sides).state_dict()
    assert [(name, tuple(value.shape)) for name, value in state.items()] == [("painted", (7,))]
