"""Where the eyes of a stereo pair see the same: semi-global matching (Hirschmueller, IEEE Transactions on
Pattern Analysis 2008) of colors and census signs, on the pixels themselves, without a network.

A shift says by how many columns to the right the left eye sees what the right eye sees at a pixel; it is
larger the nearer a thing is, and below 0 for what lies behind the screen.
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

SIDE_PX = 768  # the longer side that is matched at; a volume of all shifts takes memory
SEARCH = (-1 / 16, 1 / 6)  # shifts that are tried first, in widths
COARSE_PX = 160  # the longer side at which they are, to learn which ones there are
SURE = 0.01  # share of pixels that may lie beyond the shifts that are kept, at either end
ALIKE = 0.1  # how far blurred colors may differ where both eyes see the same
MEDIAN_PX, BLUR_PX = 5, 7


class Match(NamedTuple):
    """For each pixel of the right eye: where the left one sees it, columns to the right (1, 1, H, W), and
    whether it does, from 0 to 1.
    """

    shift: Tensor
    seen: Tensor


@torch.inference_mode()
def match_eyes(left: Tensor, right: Tensor, around: bool = False) -> Match:
    """Match pictures (1, 3, H, W) of two eyes; `around` if their columns close to a circle."""
    height, width = right.shape[2:]
    low, high = _range_of(left, right, around)
    small = [_within(eye, SIDE_PX) for eye in (left, right)]
    scale = small[1].shape[3] / width
    shift = _smoothed(_matched(*small, math.floor(low * scale) - 1, math.ceil(high * scale) + 1, around))
    shift = F.interpolate(shift, (height, width), mode="bilinear") / scale
    return Match(shift, seen_by_left(shift, around) * _alike(left, right, shift, around))


def match_of_disparity(disparity: Tensor, around: bool = False) -> Match:
    """The match that a known disparity of the left eye gives, (1, 1, H, W) in px: what it sees at a column
    the right eye sees so many columns to the left. Not finite means not known.
    """
    width = disparity.shape[3]
    rows, columns = _places(disparity)
    nearest = torch.full_like(disparity, -torch.inf)
    landing = columns - disparity
    for side in (landing.floor(), landing.ceil()):  # both, or a slope would have cracks
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
    """Whether nothing nearer lies before what each pixel shows, (1, 1, H, W) of 0 and 1, for its shift."""
    width = shift.shape[3]
    rows, columns = _places(shift)
    landing = (columns + shift).round().long()
    inside = around | ((landing >= 0) & (landing < width))
    target = rows * width + landing % width
    nearest = torch.full_like(shift, -torch.inf).view(-1)
    nearest = nearest.scatter_reduce(0, target[inside], shift[inside], "amax")
    return (inside & (nearest[target.view(-1)].view_as(shift) <= shift + 1)).float()


def _range_of(left: Tensor, right: Tensor, around: bool) -> tuple[float, float]:
    """The smallest and the largest shift, in px, that all but a few pixels have."""
    small = [_within(eye, COARSE_PX) for eye in (left, right)]
    width = small[1].shape[3]
    low, high = (round(share * width) for share in SEARCH)
    found = _matched(*small, low, high, around).flatten().sort().values
    few = int(SURE * len(found))
    scale = right.shape[3] / width
    return (found[few].item() - 1) * scale, (found[-1 - few].item() + 1) * scale


def _matched(left: Tensor, right: Tensor, low: int, high: int, around: bool) -> Tensor:
    """Shifts (1, 1, H, W) from `low` to `high`, in px, filled in where the eyes do not agree."""
    volume = aggregate_costs(matching_volume(left, right, low, high, around), right, around)
    shift, agreed = best_shifts(volume, low, around)
    return _filled(shift, agreed)[None, None]


def _filled(shift: Tensor, known: Tensor) -> Tensor:
    """Shifts (H, W) with what is not known taken from the farther of the known ones beside it."""
    sides = [_carried(shift, known), _carried(shift.flip(1), known.flip(1)).flip(1)]
    farther = torch.minimum(*sides)
    either = torch.where(sides[0].isfinite(), sides[0], sides[1])
    found = torch.where(farther.isfinite(), farther, either)
    return torch.where(known, shift, found.nan_to_num(0, 0, 0))


def _carried(shift: Tensor, known: Tensor) -> Tensor:
    """At each pixel the last known shift to its left, infinite where there is none."""
    columns = torch.arange(shift.shape[1], device=shift.device)
    last = torch.where(known, columns, -1).cummax(1).values
    return torch.where(last < 0, torch.inf, shift.gather(1, last.clamp_min(0)))


def _smoothed(shift: Tensor) -> Tensor:
    half = MEDIAN_PX // 2
    windows = F.unfold(F.pad(shift, (half,) * 4, mode="replicate"), MEDIAN_PX)
    return windows.median(1).values.view_as(shift)


def _alike(left: Tensor, right: Tensor, shift: Tensor, around: bool) -> Tensor:
    """Where the left eye's blurred colors are those of the right one, (1, 1, H, W) of 0 and 1."""
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
