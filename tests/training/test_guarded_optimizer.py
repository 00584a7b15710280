"""Protects training from one bad number: a step that is not finite changes nothing, and many of them end
the run.
"""

from __future__ import annotations

import pytest
import torch

from pstyle.training.guarded_optimizer import PATIENCE, GuardedOptimizer, NotFinite, cosine

STEPS = 60


def fit(faults: dict[int, tuple[str, float]]) -> tuple[torch.Tensor, GuardedOptimizer]:
    """Fit two weights to (1, -2) while losses or gradients are spoiled at given steps."""
    weight = torch.nn.Parameter(torch.zeros(2))
    guarded = GuardedOptimizer(torch.optim.Adam([weight], lr=0.2))
    target = torch.tensor([1.0, -2.0])
    for step in range(STEPS):
        loss = (weight - target).square().sum()
        where, value = faults.get(step, ("", 0.0))
        if where == "loss":
            loss = loss + value
        hook = weight.register_hook(
            lambda gradient, extra=value if where == "gradient" else 0.0: gradient + extra
        )
        guarded.step(loss, cosine(step, STEPS, 1), {"distance": loss})
        hook.remove()
    return weight.detach(), guarded


PLACES = {"first": [0], "middle": [30], "scattered": [5, 17, 29, 44], "last": [STEPS - 1]}


@pytest.mark.parametrize("where", ["loss", "gradient"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("steps", PLACES.values(), ids=PLACES.keys())
def test_a_bad_step_is_skipped_and_training_goes_on(where, value, steps):
    clean, _ = fit({})
    weight, guarded = fit({step: (where, value) for step in steps})
    assert guarded.skipped == len(steps)
    assert torch.isfinite(weight).all()
    away = ((weight - clean).norm() / clean.norm()).item()
    print(f"{where}={value} steps={steps} skipped={guarded.skipped} away={away:.4f}")  # noqa: T201
    assert away < 0.05 and (weight - clean).abs().max() < 0.2
    for slot in guarded.optimizer.state.values():
        assert torch.isfinite(slot["exp_avg"]).all() and torch.isfinite(slot["exp_avg_sq"]).all()


@pytest.mark.parametrize("where", ["loss", "gradient"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_ten_bad_steps_in_a_row_end_the_run_with_a_reason(where, value):
    with pytest.raises(NotFinite, match="in a row"):
        fit({step: (where, value) for step in range(20, 20 + PATIENCE)})


def test_the_bad_term_is_named():
    weight = torch.nn.Parameter(torch.zeros(1))
    guarded = GuardedOptimizer(torch.optim.Adam([weight]))
    terms = {"style": weight.sum() * torch.nan, "content": weight.sum()}
    with pytest.raises(NotFinite, match="not finite: style$"):
        for _ in range(PATIENCE):
            guarded.step(terms["style"], 1.0, terms)


def test_gradients_are_clipped_to_the_norm():
    weight = torch.nn.Parameter(torch.zeros(3))
    GuardedOptimizer(torch.optim.Adam([weight]), clip_norm=1.0).step((weight * 1e4).sum())
    assert weight.grad.norm().item() == pytest.approx(1.0, rel=1e-4)


def test_pace_rises_then_falls():
    pace = [cosine(step, 100, 10) for step in range(100)]
    assert pace[0] == pytest.approx(0.1, rel=0.01)
    assert max(pace) == max(pace[8:12]) and pace[-1] < 0.02
    assert all(a >= b for a, b in zip(pace[10:], pace[11:], strict=False))


def test_each_group_keeps_its_own_rate():
    a, b = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([{"params": [a], "lr": 0.1}, {"params": [b], "lr": 0.01}])
    GuardedOptimizer(optimizer).step((a + b).sum(), pace=0.5)
    assert [group["lr"] for group in optimizer.param_groups] == [0.05, 0.005]
