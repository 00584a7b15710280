"""Painting 360 pictures: no seam where they close, strokes of one size up to the poles, the same painting
whichever way they are turned.

The sphere is painted in parts, padded circularly (Ruder et al., arXiv 1708.04538, paint the faces of a cube,
whose corners are stretched more); all take the statistics of the whole, rows weighed by what they show of the
sphere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from ..core.memory import check_room
from ..image.colors import luma
from ..image.detail import REACH_PX
from ..image.masks import fitted_mask
from ..image.multiband import joined
from ..image.pictures import check_image, split_alpha
from ..nets.generator import COLOR, STRIDE
from ..painting.painter import MIN_SIDE_PX, Amounts, GlobalStatistics, Painter, finished
from ..painting.receptive_field import generator_reach_px
from ..style.paint_settings import PaintSettings
from .pooled_statistics import pooled
from .sphere import check_panorama, extended, inner, resized, row_weights, widened
from .sphere_parts import levels_of, pasted, share_of

JOIN_PX = 64  # about as far as the broadest band of a join reaches; in a multiple of its stride


def paint_panorama(
    painter: Painter,
    image: Tensor,
    settings: PaintSettings | None = None,
    mask: Tensor | None = None,
    **changes: Any,
) -> Tensor:
    """Equirectangular pictures (B, C, H, W), W = 2 H, painted; the result has 3 channels, or 4 with the
    input's alpha.

    Settings and mask are as of `Painter`. Raises ValueError for a picture of other proportions too.
    """
    settings = replace(settings or PaintSettings(), **changes)
    rgb, alpha = split_alpha(check_image(image))
    check_panorama(rgb)
    painted = torch.cat([paint_spheres(painter, [picture], settings)[0] for picture in rgb.split(1)])
    if mask is not None:
        painted = rgb.lerp(painted, fitted_mask(mask, rgb))
    return painted if alpha is None else torch.cat([painted, alpha], dim=1)


@torch.inference_mode()
def paint_spheres(painter: Painter, pictures: Sequence[Tensor], settings: PaintSettings) -> list[Tensor]:
    """Equirectangular pictures (1, 3, H, W) of one scene and size, painted alike: with common statistics, and
    turned alike.
    """
    height = pictures[0].shape[2]
    rows = max(MIN_SIDE_PX, round(height / settings.stroke / STRIDE) * STRIDE)
    check_room(max(rows, height), 2 * max(rows, height), painter.device)
    amounts, start = painter.amounts(settings), first_column(pictures[0])
    turned = [picture.roll(-start, 3) for picture in pictures]
    spheres = [resized(picture, rows).clamp(0, 1) for picture in turned]
    weights = row_weights(rows)
    whole = pooled([painter.measure(sphere, amounts, "circular", weights) for sphere in spheres])
    found = []
    for picture, sphere in zip(turned, spheres, strict=True):
        painted = resized(_painted(painter, sphere, amounts, whole), height)
        painted = painted + _lost(amounts) * (picture - resized(sphere, height))
        parts = (extended(x, min(REACH_PX, height)) for x in (painted.clamp(0, 1), picture))
        found.append(inner(finished(*parts, settings), min(REACH_PX, height)).roll(start, 3))
    return found


def first_column(picture: Tensor) -> int:
    """The column from which a 360 picture (1, 3, H, W) is painted: where it is brightest, over half a turn.

    Noise and strides are counted from it. So it turns with the picture, and so does the painting.
    """
    height, width = picture.shape[2:]
    columns = torch.einsum("bchw,h->w", luma(picture.double()), row_weights(height).to(picture.device))
    wave = torch.fft.rfft(columns)[1]
    return round(-wave.angle().item() / (2 * math.pi) * width) % width


def _painted(painter: Painter, sphere: Tensor, amounts: Amounts, whole: GlobalStatistics) -> Tensor:
    """A sphere's picture (1, 3, H, W), H a multiple of 8, painted part by part."""
    height = sphere.shape[2]
    levels = levels_of(height, generator_reach_px(painter.generator.config))
    origin, given = 0, []
    for part in chain(*levels):
        view = part.of(sphere).clamp(0, 1)
        painted = painter.paint(view, amounts, whole, part.padding, (origin, 0))
        lost = sphere[:, :, part.top : part.bottom] - part.back(view)
        given.append((part.back(painted) + _lost(amounts) * lost).clamp(0, 1))
        origin += -(-view.shape[2] // STRIDE) * STRIDE  # each part has noise of its own
    pictures, everywhere = [], sphere
    for parts in levels:
        rows = [given.pop(0) for _ in parts]
        pictures.append((parts, rows))
        everywhere = pasted(everywhere, parts, rows)  # a hard joint: what lies beyond the parts to be joined
    found = pasted(everywhere, *pictures[0])
    for level, placed in enumerate(pictures[1:], start=1):
        found = _joined(pasted(everywhere, *placed), found, share_of(level, height))
    return found


def _joined(inside: Tensor, outside: Tensor, mask: Tensor) -> Tensor:
    margin = min(JOIN_PX, inside.shape[3])
    parts = (widened(x.to(inside), margin) for x in (inside, outside, mask))
    return inner(joined(*parts), margin, rows=False)


def _lost(amounts: Amounts) -> float:
    """How much of what resampling loses is given back: all of it at strength 0, which returns the picture."""
    return max(0.0, 1 - amounts[COLOR])
