"""Protects the moving average: what it comes to, and how fast it forgets the first weights."""

from __future__ import annotations

import pytest
import torch

from pstyle.training.ema import update_ema


def module(value: float) -> torch.nn.Linear:
    found = torch.nn.Linear(2, 1, bias=False)
    found.weight.data.fill_(value)
    return found


def averaged(values: list[float], decay: float) -> float:
    average = module(0.0).requires_grad_(False)
    for step, value in enumerate(values):
        update_ema(average, module(value), decay, step)
    return average.weight[0, 0].item()


def test_the_first_update_nearly_replaces_the_average():
    assert averaged([1.0], 0.99) == pytest.approx(0.9)


def test_late_updates_go_by_the_decay():
    expected = 1.0
    for step in range(200):
        expected *= min(0.9, (step + 1) / (step + 10))
    assert averaged([1.0] * 200, 0.9) == pytest.approx(1 - expected)
    average = module(1.0).requires_grad_(False)
    update_ema(average, module(0.0), 0.9, step=10_000)
    assert average.weight[0, 0].item() == pytest.approx(0.9)


def test_the_module_itself_is_left_alone():
    average, own = module(0.0).requires_grad_(False), module(1.0)
    update_ema(average, own, 0.5, step=0)
    assert torch.equal(own.weight, torch.ones(1, 2)) and not average.weight.requires_grad
