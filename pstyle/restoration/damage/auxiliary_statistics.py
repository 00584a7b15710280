"""Auxiliary statistics of damage: numbers that can be measured on scans without a clean version.

Each is biased by the content of the pictures, so none is used as a parameter directly: `fitting` compares
them with the statistics of pictures that it has damaged itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ...image.blur import gaussian_blur, reach_px
from ...image.colors import luma
from .grain import Grain, measure_grain
from .halftone import Screen, screen_height
from .jpeg import measure_quality
from .spots import FindMarks, MarkStatistics, measure_marks

SHARES = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)  # of pixels below a tone
TONE_PX = 4  # side of the squares whose means are tones, so that grain does not count
TONES = 4000  # sampled from each picture
PRINT = 0.05  # chroma below which a picture counts as a monochrome print
EDGES = 0.02  # share of pixels that count as edges
FINE_PX, COARSE_PX = 1.5, 3.0  # added blurs whose edge slopes are compared


class AuxiliaryStatistics(NamedTuple):
    """Statistics of a few pictures.

    Tones (3, K) at SHARES; chroma that lightness does not explain, relative to contrast; the tint of
    monochrome prints, else None; amplitude of printed dots; squared blur in pixels of the sharpest edges;
    grain; marks.
    """

    tones: Tensor
    chroma: float
    tint: Tensor | None
    dots: float
    softness: float
    grain: Grain
    marks: MarkStatistics


def auxiliary_statistics(
    pictures: Sequence[Tensor], find_marks: FindMarks, screen: Screen | None = None
) -> AuxiliaryStatistics:
    """The joint statistics of pictures, each (1, 3, H, W) with sides of at least 64 px.

    `screen` describes the printed dots whose amplitude is measured.
    """
    chroma = [measure_chroma(picture) for picture in pictures]
    return AuxiliaryStatistics(
        measure_tones(pictures),
        sum(chroma) / len(pictures),
        sum(map(measure_tint, pictures)) / len(pictures) if max(chroma) < PRINT else None,
        screen_height(pictures, screen) if screen else 0.0,
        median(map(measure_softness, pictures)),
        measure_grain(pictures, screen),
        measure_marks(pictures, [find_marks(picture) for picture in pictures]),
    )


def measure_tones(pictures: Sequence[Tensor]) -> Tensor:
    """Quantiles (3, K) of red, green and blue at SHARES; every picture has equal weight."""
    means = [F.avg_pool2d(picture, TONE_PX)[0].flatten(1) for picture in pictures]  # (3, N) each
    drawn = [values[:, torch.linspace(0, values.shape[1] - 1, TONES).long()] for values in means]
    return torch.quantile(torch.cat(drawn, dim=1), torch.tensor(SHARES), dim=1).T


def measure_chroma(picture: Tensor) -> float:
    """Deviation of colors from a function of lightness alone, relative to the deviation of lightness.

    It is 0 for a gray picture printed in any ink on any paper.
    """
    colors = F.avg_pool2d(picture, TONE_PX)[0].flatten(1)  # (3, N)
    light = luma(F.avg_pool2d(picture, TONE_PX)).flatten()
    curve = torch.stack([torch.ones_like(light), light, light**2, light**3], dim=1)
    fit = torch.linalg.lstsq(curve, colors.T).solution
    rest = colors - (curve @ fit).T
    return (rest.square().mean().sqrt() / light.std().clamp_min(1e-4)).item()


def measure_tint(picture: Tensor) -> Tensor:
    """Fit the tint as a line over gray, (2, 3): the offset from gray in black, and its slope."""
    colors = F.avg_pool2d(picture, TONE_PX)[0].flatten(1)  # (3, N)
    gray = colors.mean(0)
    line = torch.stack([torch.ones_like(gray), gray], dim=1)
    return torch.linalg.lstsq(line, (colors - gray).T).solution


def measure_softness(picture: Tensor) -> float:
    """Squared deviation in pixels of the blur of a picture's sharpest edges.

    An edge's slope falls with blur as 1 / sqrt(own² + added²), so the ratio after two added blurs gives the
    own blur (after Zhuo & Sim, Pattern Recognition 2011). Thin lines and grain can make it negative.
    """
    light = luma(picture)
    fine, coarse = (_slope(gaussian_blur(light, px, reach_px(px))) for px in (FINE_PX, COARSE_PX))
    edges = fine > torch.quantile(fine[::2, ::2].flatten(), 1 - EDGES)
    if not edges.any():
        return 0.0
    ratio = (fine[edges] / coarse[edges].clamp_min(1e-4)).median().square().item()
    return (COARSE_PX**2 - ratio * FINE_PX**2) / max(ratio - 1, 1e-2)


def measure_jpeg(pictures: Sequence[Tensor]) -> float | None:
    """The median JPEG quality if at least half of the pictures came from JPEG files, else None."""
    found = [quality for quality in map(measure_quality, pictures) if quality is not None]
    return median(found) if 2 * len(found) >= len(pictures) else None


def _slope(x: Tensor) -> Tensor:
    """Length of the gradient (H - 2, W - 2) of (1, 1, H, W)."""
    across = (x[..., 1:-1, 2:] - x[..., 1:-1, :-2]) / 2
    down = (x[..., 2:, 1:-1] - x[..., :-2, 1:-1]) / 2
    return torch.hypot(across, down)[0, 0]
