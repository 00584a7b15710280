"""The exponential moving average of a module's weights."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def update_ema(average: nn.Module, module: nn.Module, decay: float) -> None:
    """Move the averaged weights a step toward the module's."""
    for mean, value in zip(average.parameters(), module.parameters(), strict=True):
        mean.lerp_(value, 1 - decay)
