"""Marks found on pictures, and their shapes: how many scratches and specks, how large, how many light.

A mark is thin and stands out: a closing or an opening by a square larger than its width takes it away (the
top-hat transform of morphology). Connected pixels make one mark; its second moments tell a line from a speck.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..colors import luma

REACH_PX = 7  # half of the side of the square: no mark is wider
CONTRAST = 0.12  # that a mark stands out by at least
GRAINS = 2.5  # ... and so many deviations of the grain
CORE = 1.5  # times as much in a mark's strongest pixel
STEEPER = 1.0  # than the ground around it varies
RARER = 4.0  # times as high as the mean of what stands out around it: leaves and letters are not marks
AROUND_PX = 31  # side of what is around
EXTREME = 0.9  # share of a picture that a light mark is lighter than, a dark one darker
GAP_PX = 2  # around a mark's pixels, where others belong to it: faint scratches are seen in pieces
SMALLEST_PX = 4  # pixels that count as a mark
LINE = 4.5  # times as long as wide
SHORTEST_LINE_PX = 20.0  # shorter ones are twigs and letters


class Marks(NamedTuple):
    """Scratches and specks in the terms of `Damage`; sizes are means, 0 where there are none, and colors are
    those of the strongest half of their pixels.
    """

    scratches_per_mp: float
    scratch_length_px: float
    scratch_width_px: float
    dust_per_mp: float
    dust_px: float
    light: float
    light_color: tuple[float, ...] | None
    dark_color: tuple[float, ...] | None


def measure_marks(pictures: Sequence[Tensor], grain: float) -> Marks:
    """The marks on pictures, each (1, 3, H, W), whose grain has this deviation, together."""
    masks = [find_marks(picture, grain) for picture in pictures]
    shapes = [_shapes(*both) for both in masks]
    length, width, light = (torch.cat(parts) for parts in zip(*shapes, strict=True))
    bright, dim = (
        torch.cat([picture[0][:, mask] for picture, mask in zip(pictures, side, strict=True)], dim=1)
        for side in zip(*masks, strict=True)
    )
    megapixels = sum(picture.shape[2] * picture.shape[3] for picture in pictures) / 1e6
    thin = length > LINE * width
    line, speck = thin & (length > SHORTEST_LINE_PX), ~thin
    across = (length * width).sqrt()
    return Marks(
        line.sum().item() / megapixels,
        _mean(length[line]),
        _mean(width[line]),
        speck.sum().item() / megapixels,
        _mean(across[speck]),
        _mean(light[line | speck].float()),
        _strongest(bright),
        None if (dark := _strongest(1 - dim)) is None else tuple(1 - value for value in dark),
    )


def find_marks(picture: Tensor, grain: float) -> tuple[Tensor, Tensor]:
    """Where light and where dark marks lie on a picture (1, 3, H, W): two masks (H, W)."""
    smooth = F.avg_pool2d(luma(picture), 3, stride=1, padding=1, count_include_pad=False)
    least = max(CONTRAST, GRAINS * grain)
    return _standing_out(smooth, least), _standing_out(-smooth, least)


def _standing_out(x: Tensor, least: float) -> Tensor:
    """Where (1, 1, H, W) is a light mark: above its ground by `least`, rarely so, and lighter than most."""
    ground = _dilated(-_dilated(-x))
    above = x - ground
    steep = STEEPER * (_dilated(ground) + _dilated(-ground))
    usual = _mean_around(above)
    light = torch.quantile(F.avg_pool2d(x, 8, ceil_mode=True).flatten(), EXTREME)
    found = (above > least) & (above > steep) & (above > RARER * usual) & (x > light)
    core = _dilated((found & (above > CORE * least)).float())
    return (found & (core > 0))[0, 0]


def _mean_around(x: Tensor) -> Tensor:
    half = AROUND_PX // 2
    x = F.avg_pool2d(x, (AROUND_PX, 1), stride=1, padding=(half, 0), count_include_pad=False)
    return F.avg_pool2d(x, (1, AROUND_PX), stride=1, padding=(0, half), count_include_pad=False)


def _dilated(x: Tensor, reach_px: int = REACH_PX) -> Tensor:
    """The largest value in the square around each pixel."""
    side = 2 * reach_px + 1
    x = F.max_pool2d(x, (side, 1), stride=1, padding=(reach_px, 0))
    return F.max_pool2d(x, (1, side), stride=1, padding=(0, reach_px))


def _shapes(light: Tensor, dark: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Length and width in pixels of every mark (N,), and whether it is light."""
    parts = [_ellipses(mask) for mask in (light, dark)]
    length, width = (torch.cat(values) for values in zip(*parts, strict=True))
    return length, width, torch.arange(len(length)) < len(parts[0][0])


def _ellipses(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Length and width of the line that has a region's area and largest second moment, for each region."""
    labels = connected(_dilated(mask[None, None].float(), GAP_PX)[0, 0] > 0)[mask]
    _, index, area = labels.unique(return_inverse=True, return_counts=True)
    y, x = (part.float() for part in mask.nonzero().unbind(1))

    def mean(values: Tensor) -> Tensor:
        return torch.zeros(len(area)).index_add(0, index, values) / area

    y, x = y - mean(y)[index], x - mean(x)[index]
    half, across = (mean(y * y) + mean(x * x)) / 2, mean(x * y)
    largest = half + ((mean(y * y) - mean(x * x)).square() / 4 + across.square()).sqrt()
    length = (12 * largest + 1).sqrt()
    kept = area >= SMALLEST_PX
    return length[kept], (area / length)[kept]


def connected(mask: Tensor) -> Tensor:
    """A number for each connected region of a mask (H, W), eight neighbors to a pixel; -1 outside."""
    labels = torch.where(mask, torch.arange(mask.numel()).view_as(mask), -1).double()
    while True:
        spread = F.max_pool2d(labels[None, None], 3, stride=1, padding=1)[0, 0].where(mask, labels)
        flat = spread.flatten()
        spread = flat[flat.long().clamp_min(0)].view_as(mask).where(mask, spread)  # a jump to the label's own
        if torch.equal(spread, labels):
            return labels.long()
        labels = spread


def _strongest(colors: Tensor) -> tuple[float, ...] | None:
    """The mean color of the lighter half of pixels (3, N)."""
    if not colors.shape[1]:
        return None
    light = luma(colors[None, :, None])[0, 0, 0]
    return tuple(colors[:, light >= light.median()].mean(1).tolist())


def _mean(values: Tensor) -> float:
    return values.float().mean().item() if len(values) else 0.0
