"""Which candidates to show next: those whose best has the highest expected utility.

Expected utility of the best option, Lin et al., arXiv 2203.11382, and qEUBO, Astudillo et al., arXiv
2303.15746, chosen greedily from a pool. We add two rules: no two candidates of a question may look alike, and
every few questions one candidate is random, which exposes a wrong belief.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..image.colors import rgb_to_lab
from .preference import Belief
from .space import Paint

POOL, DRAWS = 256, 192
REACH = 2.0  # largest distance of a candidate, in steps of the space


def features(points: Tensor) -> Tensor:
    """Features (K, 2d) of points (K, d) in which utility is linear: coordinates and minus half their squares,
    so that the best point may lie inside the space.
    """
    return torch.cat([points, -points.square() / 2], dim=-1).double()


def candidates(around: Tensor, size: int, spread: float, rng: torch.Generator) -> Tensor:
    """A pool (N, d) to choose from: half of it near `around` (d,), half from the whole space."""
    near = around + spread * torch.randn(size // 2, len(around), generator=rng)
    far = torch.randn(size - size // 2, len(around), generator=rng)
    return within(torch.cat([near, far]))


def within(points: Tensor) -> Tensor:
    """Clamp points (K, d) to the region in which styles work."""
    return points.clamp(-REACH, REACH)


def best_point(belief: Belief, points: Tensor) -> Tensor:
    """The one of points (K, d) with the highest expected utility."""
    return points[belief.utility(features(points)).argmax()]


def question(
    belief: Belief,
    pool: Tensor,
    count: int,
    apart: float,
    paint: Paint,
    rng: torch.Generator,
    blind: bool = False,
) -> Tensor:
    """`count` points (count, d) of a pool (N, d) whose pictures differ by `apart` on average, in CIE Lab.

    With `blind`, the last is random. Fewer are returned if the pool has fewer that differ.
    """
    utilities = features(pool) @ belief.draw(DRAWS, rng).mT  # (N, draws)
    chosen: list[int] = []
    painted: dict[int, Tensor] = {}

    def lab(index: int) -> Tensor:
        if index not in painted:
            painted[index] = rgb_to_lab(paint(pool[index][None]))
        return painted[index]

    def take(order: Tensor) -> bool:
        for index in order.tolist():
            if index not in chosen and all(distance(lab(index), lab(i)) >= apart for i in chosen):
                chosen.append(index)
                return True
        return False

    left = take(utilities.mean(1).argsort(descending=True))
    while left and len(chosen) < count:
        if blind and len(chosen) == count - 1:
            left = take(torch.randperm(len(pool), generator=rng))
        else:
            best = utilities[chosen].max(0).values
            left = take(torch.maximum(utilities, best).mean(1).argsort(descending=True))
    return pool[chosen]


def distance(lab: Tensor, other: Tensor) -> float:
    """Mean distance of two pictures (1, 3, h, w) of CIE Lab; 2.3 is just noticeable (Mahy et al., 1994)."""
    return (lab - other).square().sum(1).sqrt().mean().item()
