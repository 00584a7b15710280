"""The exponential moving average of a module's weights."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def update_ema(average: nn.Module, module: nn.Module, decay: float, step: int | None = None) -> None:
    """Move the averaged weights toward the module's, after `step` earlier updates.

    The decay grows from 0.1 to `decay`, so that the poor first weights are soon forgotten. Without `step`, it
    is `decay` itself.
    """
    warm = decay if step is None else min(decay, (step + 1) / (step + 10))
    for mean, value in zip(average.parameters(), module.parameters(), strict=True):
        mean.lerp_(value, 1 - warm)
