"""The cost volume (H, W, D) of stereo matching over D shifts, and its aggregation along eight directions.

Hirschmueller, IEEE Transactions on Pattern Analysis 2008.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..image.colors import luma

CENSUS = 2  # radius of the window whose pixels are compared with its center
NEIGHBORS = (2 * CENSUS + 1) ** 2 - 1
MOST_COLOR = 0.1  # color difference at which the cost saturates
CENSUS_WEIGHT = 0.75
OUTSIDE = 1.5  # cost outside the picture, above all others
STEP, JUMP = 0.15, 1.0  # penalties for a change of shift by one, and by more, in flat areas
EDGE = 0.03  # step of brightness that halves the penalty of a jump


def matching_volume(left: Tensor, right: Tensor, low: int, high: int, around: bool) -> Tensor:
    """Costs (H, W, D) of the shifts from `low` to `high` for pictures (1, 3, H, W) of both eyes."""
    height, width = right.shape[2:]
    volume = right.new_full((high - low + 1, height, width), OUTSIDE)
    signs = [_census(eye) for eye in (left, right)]
    columns = torch.arange(width, device=right.device)
    for costs, shift in zip(volume, range(low, high + 1), strict=True):
        there = (columns + shift) % width
        color = (right - left[..., there]).abs_().mean(1)[0].clamp_max_(MOST_COLOR).div_(MOST_COLOR)
        differ = _bits(signs[1] ^ signs[0][:, there]).to(color) / NEIGHBORS
        found = color.lerp_(differ, CENSUS_WEIGHT)
        inside = (columns + shift == there) | around
        costs.copy_(found.masked_fill_(~inside, OUTSIDE))
    return volume.permute(1, 2, 0).contiguous()


def aggregate_costs(volume: Tensor, guide: Tensor, around: bool) -> Tensor:
    """The sum (H, W, D) of the minimal costs of paths that reach each pixel from eight directions.

    Changes of shift along a path are penalized, less so at edges of the `guide` (1, 3, H, W).
    """
    bright = luma(guide)[0, 0]
    down = (volume, bright)
    across = (volume.transpose(0, 1), bright.T)
    found = torch.zeros_like(volume)
    for (costs, light), slants in ((down, (-1, 0, 1)), (across, (0,))):
        total = found if costs is volume else found.transpose(0, 1)
        for order in (range(len(costs)), range(len(costs) - 1, -1, -1)):
            _sweep(costs, light, order, slants, around, total)
    return found


def best_shifts(volume: Tensor, low: int, around: bool) -> tuple[Tensor, Tensor]:
    """The subpixel shift (H, W) of minimal cost, and whether the other eye finds the same."""
    height, width, count = volume.shape
    best = volume.argmin(2)
    columns = torch.arange(width, device=volume.device)
    other = volume.new_full((height, width), torch.inf)
    others = torch.zeros_like(best)
    for index in range(count):  # the other eye's costs are on the diagonals of the volume
        here = columns - (low + index)
        inside = (here >= 0) & (here < width)
        cost = volume[:, here % width, index]
        lower = (cost < other) & (inside | around)
        other, others = torch.where(lower, cost, other), torch.where(lower, index, others)
    there = columns + best + low
    inside = around | ((there >= 0) & (there < width))
    agreed = inside & ((others.gather(1, there % width) - best).abs() <= 1)
    return best + low + _vertex(volume, best), agreed


def _vertex(volume: Tensor, best: Tensor) -> Tensor:
    """Offset from the minimal cost to the vertex of the parabola through it and its neighbors."""
    sides = [(best + step).clamp(0, volume.shape[2] - 1) for step in (-1, 0, 1)]
    before, least, after = (volume.gather(2, side[..., None])[..., 0] for side in sides)
    offset = (before - after) / (2 * (before + after - 2 * least)).clamp_min(1e-6)
    return offset.clamp(-0.5, 0.5)


def _sweep(
    costs: Tensor, light: Tensor, order: range, slants: tuple[int, ...], around: bool, total: Tensor
) -> None:
    """Add to `total` (N, M, D) the minimal path costs through the lines in order, for each of the slants."""
    paths = torch.stack([costs[order[0]]] * len(slants))  # (S, M, D)
    total[order[0]] += paths.sum(0)
    for before, line in zip(order, order[1:], strict=False):
        came = torch.stack([_slid(path, slant) for path, slant in zip(paths, slants, strict=True)])
        edge = torch.stack([(light[line] - _slid(light[before], slant)).abs() for slant in slants])
        jump = (JUMP / (1 + edge / EDGE)).clamp_min(1.01 * STEP)[..., None]
        least = came.amin(2, keepdim=True)
        steps = F.pad(came, (1, 1), value=torch.inf)
        near = torch.minimum(steps[..., :-2], steps[..., 2:]) + STEP
        paths = costs[line] + torch.minimum(torch.minimum(came, near), least + jump) - least
        total[line] += paths.sum(0)


def _slid(x: Tensor, slant: int) -> Tensor:
    return x if slant == 0 else x.roll(slant, 0)


def _census(eye: Tensor) -> Tensor:
    """The census transform (H, W): one bit for each neighbor darker than the pixel."""
    height, width = eye.shape[2:]
    bright = luma(eye)[0, 0]
    around = F.pad(bright[None, None], (CENSUS,) * 4, mode="replicate")[0, 0]
    found = torch.zeros_like(bright, dtype=torch.int32)
    for place in range(NEIGHBORS + 1):
        row, column = divmod(place, 2 * CENSUS + 1)
        found = found * 2 + (around[row : row + height, column : column + width] < bright)
    return found  # 25 bits; the center's own is always 0


def _bits(x: Tensor) -> Tensor:
    """The number of bits set in each number below 2 ** 31 (Warren, Hacker's Delight)."""
    x = x - (x >> 1 & 0x55555555)
    x = (x & 0x33333333) + (x >> 2 & 0x33333333)
    x = x + (x >> 4) & 0x0F0F0F0F
    x = x + (x >> 8)
    return x + (x >> 16) & 0x3F
