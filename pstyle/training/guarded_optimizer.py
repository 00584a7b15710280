"""The optimizer step that every loop takes: learning rates along a cosine, gradients clipped, NaN skipped."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from ..core.process_group import ALONE, ProcessGroup

PATIENCE = 10  # skipped steps in a row that end a run


class NotFinite(ArithmeticError):  # noqa: N818
    """Losses or gradients stayed non-finite; the weights are those of the last good step."""


class GuardedOptimizer:
    """An Adam optimizer that skips every step whose loss or gradient is not finite.

    Clipping is not enough: one infinite gradient turns all clipped ones into NaN, and they stay in Adam's
    moments. Several processes minimize their mean loss and take or skip each step together.
    """

    def __init__(
        self, optimizer: torch.optim.Adam, clip_norm: float = 1.0, processes: ProcessGroup = ALONE
    ) -> None:
        self.optimizer, self.clip_norm, self.processes = optimizer, clip_norm, processes
        self.highest = [group["lr"] for group in optimizer.param_groups]
        self.weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        self.skipped = self.in_a_row = 0

    def step(
        self, loss: Tensor, pace: float = 1.0, terms: Mapping[str, Tensor | float] | None = None
    ) -> bool:
        """Back-propagate and step at `pace` times each group's learning rate; False if the step was skipped.

        Raises NotFinite after 10 skipped steps in a row, naming the non-finite terms.
        """
        for group, lr in zip(self.optimizer.param_groups, self.highest, strict=True):
            group["lr"] = lr * pace
        self.optimizer.zero_grad()
        if torch.isfinite(*self.processes.mean(loss.detach())):
            loss.backward()
            self.processes.average_gradients(self.weights)
            if torch.isfinite(torch.nn.utils.clip_grad_norm_(self.weights, self.clip_norm)):
                self.optimizer.step()
                self.in_a_row = 0
                return True
        self.skipped += 1
        self.in_a_row += 1
        if self.in_a_row >= PATIENCE:
            values = {name: torch.as_tensor(value).item() for name, value in (terms or {}).items()}
            blame = _blame(self.processes.mean_of(values))
            raise NotFinite(f"{PATIENCE} steps in a row had no finite gradient; {blame}")
        return False


def cosine(step: int, steps: int, warmup: int) -> float:
    """Factor on the learning rate at `step` of `steps`: linear warm-up, then a cosine down to 0.01."""
    return min(1.0, (step + 1) / warmup) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def _blame(terms: Mapping[str, float]) -> str:
    bad = [name for name, value in terms.items() if not math.isfinite(value)]
    return f"not finite: {', '.join(bad)}" if bad else "every loss term was finite: lower the learning rates"
