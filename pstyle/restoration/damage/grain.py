"""Grain measured on pictures without clean versions, from the flattest places of each lightness.

Noise is estimated from flat blocks after Immerkaer (1996) and Liu et al. (2006), and its spectrum from the
same blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .halftone import Screen, without_screen
from .random_fields import BANDS, frequencies

BLOCK_PX = 32
FLATTEST = 0.1  # share of the blocks of one lightness assumed to show only grain
LEVELS = 6  # of lightness, between DARKEST and BRIGHTEST, beyond which grain is clipped
DARKEST, BRIGHTEST = 0.06, 0.94


class Grain(NamedTuple):
    """Grain in the terms of `Damage`: deviation in middle gray, share of color, slope, spectrum (BANDS)."""

    deviation: float
    color: float
    slope: float
    spectrum: tuple[float, ...]


def measure_grain(pictures: Sequence[Tensor], screen: Screen | None = None) -> Grain:
    """The joint grain of pictures, each (1, 3, H, W) with sides of at least 32 px, without printed dots."""
    blocks = torch.cat([_blocks(picture) for picture in pictures])  # (N, 3, S, S)
    level = blocks.mean((1, 2, 3))
    rest = _without_plane(blocks)
    rest = rest if screen is None else without_screen(rest, screen)
    chosen = [index for index in _flattest(level, rest.var((1, 2, 3))) if len(index)]
    if not chosen:
        return Grain(0.0, 0.0, 0.0, (1.0,) * BANDS)
    levels = torch.stack([level[index].mean() for index in chosen])
    deviations = torch.stack([rest[index].var((1, 2, 3)).median().sqrt() for index in chosen])
    counts = torch.tensor([float(len(index)) for index in chosen]).to(levels)
    deviation, rise = _line(2 * levels - 1, deviations, counts)
    flat = rest[torch.cat(chosen)]
    slope = max(-1.0, min(1.0, rise / max(deviation, 1e-6)))
    return Grain(max(0.0, deviation), _color_share(flat), slope, _spectrum(flat))


def _blocks(picture: Tensor) -> Tensor:
    found = F.unfold(picture, BLOCK_PX, stride=BLOCK_PX // 2)[0]  # (3 * S * S, N)
    return found.T.unflatten(1, (3, BLOCK_PX, BLOCK_PX))


def _without_plane(blocks: Tensor) -> Tensor:
    """Blocks minus the best-fitting plane of each channel, since a gradient of light is not grain."""
    ramp = torch.linspace(-1, 1, BLOCK_PX).to(blocks)
    rest = blocks - blocks.mean((2, 3), keepdim=True)
    for axis in (ramp[:, None], ramp[None, :]):
        across = axis.expand(BLOCK_PX, BLOCK_PX)
        rest = rest - across * (rest * across).sum((2, 3), keepdim=True) / across.square().sum()
    return rest


def _flattest(level: Tensor, variance: Tensor) -> list[Tensor]:
    """Indices of the flattest blocks of each lightness."""
    edges = torch.linspace(DARKEST, BRIGHTEST, LEVELS + 1).tolist()
    found = []
    for low, high in zip(edges, edges[1:], strict=False):
        inside = ((level >= low) & (level < high)).nonzero()[:, 0]
        count = round(FLATTEST * len(inside))
        found.append(inside[variance[inside].argsort()[:count]])
    return found


def _line(x: Tensor, y: Tensor, weights: Tensor) -> tuple[float, float]:
    """Value at 0 and slope of the weighted line through points (N,); constant for a single point."""
    share = weights / weights.sum()
    middle, mean = (share * x).sum(), (share * y).sum()
    spread = (share * (x - middle).square()).sum()
    slope = (share * (x - middle) * (y - mean)).sum() / spread if spread > 1e-3 else x.new_zeros(())
    return (mean - slope * middle).item(), slope.item()


def _color_share(rest: Tensor) -> float:
    """Share of the variance of blocks (N, 3, S, S) not shared by red, green and blue."""
    channels = rest.transpose(0, 1).flatten(1)
    covariance = channels @ channels.T / channels.shape[1]
    common = (covariance.sum() - covariance.trace()) / 6
    return max(0.0, min(1.0, 1 - (common / (covariance.trace() / 3).clamp_min(1e-12)).item()))


def _spectrum(rest: Tensor) -> tuple[float, ...]:
    """Amplitude of blocks (N, 3, S, S) by frequency, scaled to a maximum of 1; all 1 without grain."""
    window = torch.hann_window(BLOCK_PX, periodic=False).to(rest)
    power = torch.fft.rfft2(rest * window * window[:, None]).abs().square().mean((0, 1))
    band = (frequencies(BLOCK_PX, BLOCK_PX, rest) * 2 * BANDS).long().clamp_max(BANDS - 1)
    means = torch.stack([power[band == number].mean() for number in range(BANDS)]).sqrt()
    return tuple((means / means.max()).tolist()) if means.max() > 1e-9 else (1.0,) * BANDS
