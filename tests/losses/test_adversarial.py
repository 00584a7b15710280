"""Protects the adversarial losses: each by hand, and the weight that sets them against other terms."""

from __future__ import annotations

import math

import pytest
import torch

from pstyle.losses.adversarial import MAX_WEIGHT, accuracy, adaptively_weighted, hinge, lecam, realness


def logits(*values: list[float]) -> dict[str, torch.Tensor]:
    return {f"head{i}": torch.tensor(row).view(-1, 1, 1, 1) for i, row in enumerate(values)}


def test_hinge_by_hand_with_heads_of_any_size_counting_alike():
    found = logits([2.0, 0.5, -1.0], [0.0])
    assert hinge(found, 1).item() == pytest.approx(((0 + 0.5 + 2) / 3 + 1) / 2)
    assert hinge(found, -1).item() == pytest.approx(((3 + 1.5 + 0) / 3 + 1) / 2)
    assert realness(found).item() == pytest.approx((0.5 + 0) / 2)


def test_lecam_by_hand():
    real, painted = logits([1.0, -0.5]), logits([0.0, 3.0])
    # real above the painted average -0.2: 1.2^2, 0; painted below the real average 0.5: 0.5^2, 0
    assert lecam(real, painted, 0.5, -0.2).item() == pytest.approx(1.44 / 2 + 0.25 / 2)
    assert lecam(logits([-1.0]), logits([1.0]), 0.5, -0.2).item() == 0


def test_accuracy_by_hand():
    assert accuracy(logits([1.0, -1.0]), logits([-1.0, -1.0])) == pytest.approx(0.75)
    assert accuracy(logits([1.0], [1.0]), logits([-1.0], [2.0])) == pytest.approx(0.75)
    assert accuracy(logits([0.0]), logits([0.0])) == 0


def test_the_adversarial_gradient_has_its_share():
    painted = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    upstream = painted * 3
    anchor, adversarial_term = upstream.square().sum(), -2 * upstream[..., 0].sum()
    loss, weight = adaptively_weighted(upstream, anchor, adversarial_term, 0.2)
    pull, push = 2 * upstream.detach(), torch.zeros(1, 3, 4, 4)
    push[..., 0] = -2
    assert weight.item() == pytest.approx(0.2 * pull.norm().item() / push.norm().item(), rel=1e-5)
    assert loss.item() == pytest.approx((anchor + weight * adversarial_term).item(), rel=1e-5)
    loss.backward()
    torch.testing.assert_close(painted.grad, 3 * (pull + weight * push))


def test_the_adversarial_weight_is_bounded():
    painted = torch.ones(1, 3, 2, 2, requires_grad=True)
    for factor, expected in ((1e-9, MAX_WEIGHT), (0.0, MAX_WEIGHT)):
        loss, weight = adaptively_weighted(painted, painted.square().sum(), factor * painted.sum(), 0.2)
        assert weight.item() == expected and math.isfinite(loss.item())
    assert adaptively_weighted(painted, painted.square().sum(), painted.sum(), 0.0)[1].item() == 0
