"""Disparity of a stereo pair by semi-global matching of colors and census transforms, without a network.

Hirschmueller, IEEE Transactions on Pattern Analysis 2008. A pixel's shift is the number of columns by which
the left eye sees the same point farther right than the right eye. It grows with nearness, and is negative
behind the screen plane.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..image.resizing import resize_to
from ..image.warp import at_pixels
from .cost_volume import aggregate_costs, best_shifts, matching_volume

SIDE_PX = 768  # long side for matching, which limits the memory of the cost volume
SEARCH = (-1 / 16, 1 / 6)  # range of shifts tried first, relative to the width
COARSE_PX = 160  # long side of that first search, which narrows the range
SURE = 0.01  # share of pixels that may lie outside the narrowed range, at either end
ALIKE = 0.1  # largest difference of blurred colors where both eyes see the same
MEDIAN_PX, BLUR_PX = 5, 7


class Match(NamedTuple):
    """For each pixel of the right eye, its shift in the left eye and its visibility there in [0, 1].

    Both are (1, 1, H, W); shifts are columns to the right.
    """

    shift: Tensor
    seen: Tensor


@torch.inference_mode()
def match_eyes(left: Tensor, right: Tensor, around: bool = False) -> Match:
    """Match pictures (1, 3, H, W) of two eyes; with `around`, columns wrap around."""
    height, width = right.shape[2:]
    low, high = _range_of(left, right, around)
    small = [_within(eye, SIDE_PX) for eye in (left, right)]
    scale = small[1].shape[3] / width
    shift = _smoothed(_matched(*small, math.floor(low * scale) - 1, math.ceil(high * scale) + 1, around))
    shift = F.interpolate(shift, (height, width), mode="bilinear") / scale
    return Match(shift, seen_by_left(shift, around) * _alike(left, right, shift, around))


def match_of_disparity(disparity: Tensor, around: bool = False) -> Match:
    """The match for a known disparity map (1, 1, H, W) of the left eye, in pixels.

    The right eye sees a point this many columns farther left; non-finite values are unknown.
    """
    width = disparity.shape[3]
    rows, columns = _places(disparity)
    nearest = torch.full_like(disparity, -torch.inf)
    landing = columns - disparity
    for side in (landing.floor(), landing.ceil()):  # both, or slopes would have gaps
        inside = disparity.isfinite() & (around | ((side >= 0) & (side < width)))
        target = (rows * width + side.nan_to_num(0, 0, 0).long() % width)[inside]
        nearest.view(-1).scatter_reduce_(0, target, disparity[inside], "amax")
    known = nearest.isfinite()
    return Match(torch.where(known, nearest, 0.0), known.float())


def warp_by_disparity(eye: Tensor, shift: Tensor, around: bool = False) -> Tensor:
    """A picture (1, C, H, W) of the left eye as the right eye sees it, bicubic."""
    height, width = shift.shape[2:]
    rows, columns = _places(shift)
    margin = min(2, width) if around else 0
    eye = F.pad(eye, (margin, margin, 0, 0), mode="circular") if margin else eye
    column = columns + shift
    column = column.remainder(width) + margin if around else column
    return at_pixels(eye, rows[0, 0], column[0, 0])


def seen_by_left(shift: Tensor, around: bool = False) -> Tensor:
    """Whether each pixel, at its shift, is not hidden by a nearer one: (1, 1, H, W) of 0 and 1."""
    width = shift.shape[3]
    rows, columns = _places(shift)
    landing = (columns + shift).round().long()
    inside = around | ((landing >= 0) & (landing < width))
    target = rows * width + landing % width
    nearest = torch.full_like(shift, -torch.inf).view(-1)
    nearest = nearest.scatter_reduce(0, target[inside], shift[inside], "amax")
    return (inside & (nearest[target.view(-1)].view_as(shift) <= shift + 1)).float()


def _range_of(left: Tensor, right: Tensor, around: bool) -> tuple[float, float]:
    """The range of shifts, in px, of all but a few pixels."""
    small = [_within(eye, COARSE_PX) for eye in (left, right)]
    width = small[1].shape[3]
    low, high = (round(share * width) for share in SEARCH)
    found = _matched(*small, low, high, around).flatten().sort().values
    few = int(SURE * len(found))
    scale = right.shape[3] / width
    return (found[few].item() - 1) * scale, (found[-1 - few].item() + 1) * scale


def _matched(left: Tensor, right: Tensor, low: int, high: int, around: bool) -> Tensor:
    """Shifts (1, 1, H, W) from `low` to `high`, in px, filled in where the eyes disagree."""
    volume = aggregate_costs(matching_volume(left, right, low, high, around), right, around)
    shift, agreed = best_shifts(volume, low, around)
    return _filled(shift, agreed)[None, None]


def _filled(shift: Tensor, known: Tensor) -> Tensor:
    """Fill unknown shifts (H, W) with the farther one of the nearest known shifts at either side."""
    sides = [_carried(shift, known), _carried(shift.flip(1), known.flip(1)).flip(1)]
    farther = torch.minimum(*sides)
    either = torch.where(sides[0].isfinite(), sides[0], sides[1])
    found = torch.where(farther.isfinite(), farther, either)
    return torch.where(known, shift, found.nan_to_num(0, 0, 0))


def _carried(shift: Tensor, known: Tensor) -> Tensor:
    """The last known shift to the left of each pixel, infinite if there is none."""
    columns = torch.arange(shift.shape[1], device=shift.device)
    last = torch.where(known, columns, -1).cummax(1).values
    return torch.where(last < 0, torch.inf, shift.gather(1, last.clamp_min(0)))


def _smoothed(shift: Tensor) -> Tensor:
    half = MEDIAN_PX // 2
    windows = F.unfold(F.pad(shift, (half,) * 4, mode="replicate"), MEDIAN_PX)
    return windows.median(1).values.view_as(shift)


def _alike(left: Tensor, right: Tensor, shift: Tensor, around: bool) -> Tensor:
    """Where the left eye's blurred colors agree with the right one's, (1, 1, H, W) of 0 and 1."""
    difference = (warp_by_disparity(left, shift, around) - right).mean(1, keepdim=True)
    half = BLUR_PX // 2
    blurred = F.avg_pool2d(F.pad(difference, (half,) * 4, mode="replicate"), BLUR_PX, stride=1)
    return (blurred.abs() < ALIKE).float()


def _within(eye: Tensor, side_px: int) -> Tensor:
    height, width = eye.shape[2:]
    scale = min(1.0, side_px / max(height, width))
    return resize_to(eye, max(1, round(height * scale)), max(1, round(width * scale)))


def _places(like: Tensor) -> Iterator[Tensor]:
    """Row and column of every pixel of maps (1, 1, H, W)."""
    height, width = like.shape[2:]
    rows = torch.arange(height, device=like.device).view(1, 1, -1, 1).expand(like.shape)
    return iter((rows, torch.arange(width, device=like.device).expand(like.shape)))
