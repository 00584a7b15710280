"""Which candidates to show next: those whose best is expected to be liked most.

Expected utility of the best option, Lin et al., arXiv 2203.11382, and qEUBO, Astudillo et al., arXiv
2303.15746, chosen one by one from a pool. We add two rules: no two of a question may look alike, and every
few questions one candidate is drawn blindly, so that a wrong belief is found out.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..image.colors import rgb_to_lab
from .preference import Belief
from .space import Paint

POOL, DRAWS = 256, 192
REACH = 2.0  # no candidate is farther out than that, in steps of the space


def features(points: Tensor) -> Tensor:
    """What utility is linear in, (K, 2d), for points (K, d): coordinates and their halved, negative squares,
    so that the best may lie within and not at an end.
    """
    return torch.cat([points, -points.square() / 2], dim=-1).double()


def candidates(around: Tensor, size: int, spread: float, rng: torch.Generator) -> Tensor:
    """A pool (N, d) to choose from: points near `around` (d,), and others from the whole region."""
    near = around + spread * torch.randn(size // 2, len(around), generator=rng)
    far = torch.randn(size - size // 2, len(around), generator=rng)
    return within(torch.cat([near, far]))


def within(points: Tensor) -> Tensor:
    """Points (K, d) drawn back to the region in which styles do not break."""
    return points.clamp(-REACH, REACH)


def best_point(belief: Belief, points: Tensor) -> Tensor:
    """The one of points (K, d) that is expected to be liked most."""
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

    The last is drawn at random if `blind`. Fewer come back where the pool has not as many that differ.
    """
    utilities = features(pool) @ belief.draw(DRAWS, rng).mT  # (N, draws)
    chosen: list[int] = []
    looks: dict[int, Tensor] = {}

    def settings(index: int) -> Tensor:
        if index not in looks:
            looks[index] = rgb_to_lab(paint(pool[index][None]))
        return looks[index]

    def take(order: Tensor) -> bool:
        for index in order.tolist():
            if index not in chosen and all(distance(settings(index), settings(i)) >= apart for i in chosen):
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


def distance(settings: Tensor, other: Tensor) -> float:
    """Mean distance of two pictures (1, 3, h, w) of CIE Lab; 2.3 is just noticeable (Mahy et al., 1994)."""
    return (settings - other).square().sum(1).sqrt().mean().item()
