"""One step of an optimizer as every loop takes it: paced along a cosine, clipped, skipped if not finite."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from ..core.process_group import ALONE, ProcessGroup

PATIENCE = 10  # steps skipped in a row before a run is given up


class NotFinite(ArithmeticError):  # noqa: N818
    """A run whose losses or gradients stayed non-finite; its weights are those of the last good step."""


class GuardedOptimizer:
    """Minimizes losses with an Adam optimizer; a step whose loss or gradient is not finite changes nothing.

    Clipping alone would not do: one infinite gradient turns all clipped ones into NaN, and Adam keeps them.
    In a world of several processes the step is that of their mean loss, taken or skipped by all alike.
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

        Raises NotFinite after 10 skipped steps in a row, naming the terms that are not finite.
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
            told = self.processes.mean_of(
                {name: torch.as_tensor(value).item() for name, value in (terms or {}).items()}
            )
            raise NotFinite(f"{PATIENCE} steps in a row had no finite gradient; {_blame(told)}")
        return False


def cosine(step: int, steps: int, warmup: int) -> float:
    """Pace of `step` of `steps`: a linear rise over `warmup` steps, then a cosine down to 0.01."""
    return min(1.0, (step + 1) / warmup) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def _blame(terms: Mapping[str, float]) -> str:
    bad = [name for name, value in terms.items() if not math.isfinite(value)]
    return f"not finite: {', '.join(bad)}" if bad else "every loss term was finite: lower the learning rates"
