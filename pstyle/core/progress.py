"""Progress of a loop: the record of a step, and the callback that receives it.

A callback may cancel the loop by raising; the loop's results so far stay usable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Progress:
    """One step of a loop: its number, its losses by name, and a picture just painted, (1, 3, H, W)."""

    step: int
    steps: int
    losses: dict[str, float]
    sample: Tensor


OnStep = Callable[[Progress], None]


def record_of(loss: Tensor, terms: Mapping[str, Tensor]) -> dict[str, float]:
    """The loss and its terms as numbers."""
    return {"loss": loss.item()} | {name: value.item() for name, value in terms.items()}
