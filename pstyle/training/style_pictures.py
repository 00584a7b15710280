"""Style pictures: their allowed number and size, and an order that depends on their content alone."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ..core import checkpoint
from ..image.crops import single_pictures
from ..nets.moments import normalized_weights

MIN_STYLE_PX = 64
MAX_PICTURES = 50


def style_pictures(pictures: Sequence[Tensor]) -> list[Tensor]:
    """Checked style pictures, each (1, 3, H, W). Raises ValueError for none, too many, or a small one."""
    singles = single_pictures(pictures, "style picture", MIN_STYLE_PX)
    if len(singles) > MAX_PICTURES:
        raise ValueError(
            f"got {len(singles)} style pictures, 1 to {MAX_PICTURES} are allowed: choose the best"
        )
    return singles


def ordered_by_content(
    pictures: Sequence[Tensor], weights: Sequence[float] | None = None
) -> tuple[list[Tensor], list[float]]:
    """Pictures and their weights, all 1 by default, in an order that depends on their content alone.

    Raises ValueError for unusable weights.
    """
    weights = [1.0] * len(pictures) if weights is None else weights
    normalized_weights(weights, len(pictures))  # a check
    # Otherwise random patches and the last bits of sums would depend on the order. Weights break ties.
    digests = [checkpoint.digest({"picture": picture}) for picture in pictures]
    order = sorted(range(len(pictures)), key=lambda index: (digests[index], weights[index]))
    return [pictures[index] for index in order], [weights[index] for index in order]
