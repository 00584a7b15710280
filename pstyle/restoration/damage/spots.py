"""Statistics of the marks on pictures: number and size of scratches and specks, and how many are light.

A restorer finds the marks. Connected pixels are one mark; its area and outline distinguish a line, even a
bent one, from a speck.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ...image.colors import luma

FindMarks = Callable[[Tensor], Tensor]  # a picture (1, 3, H, W) -> where marks are on it, (1, 1, H, W)

GAP_PX = 2  # pixels this close belong to one mark, since faint scratches are found in pieces
AROUND_PX = 15  # side of the square whose unmarked pixels are a mark's background
SMALLEST_PX = 3  # fewest pixels of a mark
STRONGEST = 0.15  # share of the marks' pixels whose color is taken
LINE = 5.0  # ratio of length to width from which a mark is a line
SHORTEST_LINE_PX = 20.0
EIGHT_NEIGHBORS = ((1,) * 3,) * 3


class MarkStatistics(NamedTuple):
    """Scratches and specks in the terms of `Damage`.

    Sizes are means, 0 without marks; colors are those of the most conspicuous pixels, None without marks.
    """

    scratches_per_mp: float
    scratch_length_px: float
    scratch_width_px: float
    dust_per_mp: float
    dust_px: float
    light: float
    light_color: tuple[float, ...] | None
    dark_color: tuple[float, ...] | None


def measure_marks(pictures: Sequence[Tensor], masks: Sequence[Tensor]) -> MarkStatistics:
    """Joint statistics of the marks on pictures (1, 3, H, W), given by masks (1, 1, H, W) that are not 0."""
    found = [_shapes(picture, mask > 0) for picture, mask in zip(pictures, masks, strict=True)]
    length, width, light, colors, contrast = (torch.cat(parts) for parts in zip(*found, strict=True))
    megapixels = sum(mask.numel() for mask in masks) / 1e6
    line = (length > LINE * width) & (length > SHORTEST_LINE_PX)
    return MarkStatistics(
        line.sum().item() / megapixels,
        _mean(length[line]),
        _mean(width[line]),
        (~line).sum().item() / megapixels,
        _mean((length * width)[~line].sqrt()),
        _mean(light.float()),
        _strongest(colors[contrast > 0], contrast[contrast > 0]),
        _strongest(colors[contrast < 0], -contrast[contrast < 0]),
    )


def _shapes(picture: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
    """Length and width in pixels of every mark (N,), and whether it is lighter than its background.

    Also the color (P, 3) of every marked pixel, and how much lighter than its background it is (P,).
    """
    inside = mask[0, 0]
    labels = _regions(_grown(mask)[0, 0])[inside]
    _, index, area = labels.unique(return_inverse=True, return_counts=True)
    contrast = (luma(picture) - _ground(picture, mask))[0, 0][inside]
    outline, light = (
        torch.zeros(len(area)).index_add(0, index, values)
        for values in (_outline(mask)[0, 0][inside], contrast)
    )
    # A ribbon of length l and width w has an area of l w and an outline of 2 (l + w); a disc does not.
    half = outline / 2
    length = (half + (half.square() - 4 * area).clamp_min(0).sqrt()) / 2
    kept = area >= SMALLEST_PX
    width = area / length.clamp_min(1)
    return length[kept], width[kept], light[kept] > 0, picture[0][:, inside].T, contrast


def _ground(picture: Tensor, mask: Tensor) -> Tensor:
    """The mean brightness (1, 1, H, W) around each pixel, without marks."""
    free = (~_grown(mask)).float()
    half = AROUND_PX // 2
    around = [F.avg_pool2d(x, AROUND_PX, 1, half) for x in (luma(picture) * free, free)]
    return around[0] / around[1].clamp_min(1e-6)


def _outline(mask: Tensor) -> Tensor:
    """The length in pixels of a mask's outline at each of its pixels, (1, 1, H, W).

    By Crofton's formula, from how often lines in four directions leave the mask, weighted by their spacing.
    """
    padded = F.pad(mask.float(), (1,) * 4)
    height, width = mask.shape[2:]
    total = torch.zeros(mask.shape)
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            if down or across:
                beside = padded[..., 1 + down : 1 + down + height, 1 + across : 1 + across + width]
                total += (1 - beside) / math.hypot(down, across)
    return mask * total * math.pi / 8


def _grown(mask: Tensor) -> Tensor:
    return F.max_pool2d(mask.float(), 2 * GAP_PX + 1, 1, GAP_PX) > 0


def _regions(mask: Tensor) -> Tensor:
    """The number of the connected region, from 1, of each pixel of a mask (H, W); 0 outside."""
    from scipy.ndimage import label  # imported here because it is slow

    return torch.from_numpy(label(mask.numpy(), structure=EIGHT_NEIGHBORS)[0])


def _strongest(colors: Tensor, contrast: Tensor) -> tuple[float, ...] | None:
    """The mean of the colors (P, 3) with the largest contrast (P,); other pixels are only half covered."""
    if not len(colors):
        return None
    return tuple(colors[contrast >= contrast.quantile(1 - STRONGEST)].mean(0).tolist())


def _mean(values: Tensor) -> float:
    return values.mean().item() if len(values) else 0.0
