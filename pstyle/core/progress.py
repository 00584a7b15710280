"""What a loop reports after each step, and how it is listened to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Progress:
    """What a loop tells after each step: losses by name, and a picture it just painted, (1, 3, H, W)."""

    step: int
    steps: int
    losses: dict[str, float]
    sample: Tensor


OnStep = Callable[[Progress], None]
