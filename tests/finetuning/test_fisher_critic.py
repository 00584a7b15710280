"""Protects the critic of windows: the best line, in closed form, whose push ends where means agree."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pstyle.finetuning.fisher_critic import FisherCritic


@pytest.fixture
def sides(rng):
    """Windows of two kinds: columns that go together, of very different sizes, and one that is always 0."""
    mixing = torch.randn(6, 6, generator=rng)
    real, painted = (torch.randn(count, 6, generator=rng) @ mixing for count in (200, 150))
    painted = painted + torch.tensor([0.5, 0.0, -0.3, 0.2, 0.0, 0.1])
    sizes = torch.tensor([1.0, 100.0, 0.01, 1.0, 1.0, 1.0])
    return tuple(torch.cat([side * sizes, torch.zeros(len(side), 1)], dim=1) for side in (real, painted))


def test_without_a_ridge_its_line_is_that_of_least_squares(rng, monkeypatch: pytest.MonkeyPatch):
    """Of as many real as painted windows, numpy's regression of the labels has Fisher's direction."""
    monkeypatch.setattr("pstyle.finetuning.fisher_critic.RIDGE", 0.0)
    mixing, gap = torch.randn(5, 5, generator=rng), torch.tensor([0.5, 0.0, -0.3, 0.2, 0.1])
    sizes = torch.tensor([1.0, 50.0, 0.1, 1.0, 3.0])
    real, painted = (torch.randn(400, 5, generator=rng) @ mixing + side * gap for side in (0, 1))
    real, painted = real * sizes, painted * sizes
    rows = torch.cat([real, painted]).double().numpy()
    labels = np.repeat([0.5, -0.5], 400)
    line = np.linalg.lstsq(np.column_stack([rows, np.ones(800)]), labels, rcond=None)[0]
    found = FisherCritic(real, painted)(torch.cat([real, painted])).double().numpy()
    fitted = rows @ line[:-1]
    assert np.corrcoef(found, fitted)[0, 1] == pytest.approx(1, abs=1e-6)


def test_the_ridge_keeps_a_nearly_dead_column_from_deciding(rng):
    """It separates both sides exactly, by a millionth of what other columns vary by."""
    real, painted = torch.randn(2, 100, 4, generator=rng)
    painted = painted + torch.tensor([0.5, 0.0, 0.5, 0.0])
    plain = FisherCritic(real, painted)
    dead = torch.tensor([1e-6, -1e-6]).repeat_interleave(100)[:, None]
    rows = torch.cat([torch.cat([real, painted]), dead], dim=1)
    found = FisherCritic(rows[:100], rows[100:])
    assert torch.allclose(found(rows), plain(rows[:, :4]), atol=0.3)
    turned = torch.cat([rows[:, :4], -dead], dim=1)
    assert (found(turned) - found(rows)).abs().max() < 0.01


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
    left = []
    for step in range(1, 4):  # the same share of the way that is left, in every column
        critic.update(real)
        shares = ((critic.painted - real.mean(0)) / (painted.mean(0) - real.mean(0)))[:6]
        left.append(shares.mean().item())
        assert torch.allclose(shares, shares.mean(), rtol=1e-2) and 0.5 < left[0] < 1
        assert critic.separation == pytest.approx(left[-1] ** 2, rel=1e-2)
        assert left[-1] == pytest.approx(left[0] ** step, rel=1e-2)
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
