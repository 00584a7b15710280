"""Painting 360 pictures without a seam, with strokes of one size up to the poles, independent of rotation.

The sphere is painted in circularly padded parts (Ruder et al., arXiv 1708.04538, paint the faces of a cube,
whose corners are stretched more). All parts use the statistics of the whole, with rows weighted by their area
on the sphere.

The reference size of a picture corresponds to a view of 90 degrees, one face of a cube, about as much as a
viewer shows at once. A sphere is two such views high. One higher than twice the reference size (1536 rows by
default) is painted at that height and enlarged like a picture, so strokes look as large in a viewer as in a
painted photograph.
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
from ..image.checks import check_image
from ..image.colors import luma
from ..image.detail import REACH_PX
from ..image.multiband import joined
from ..nets.generator import COLOR, STRIDE
from ..painting.boxes import Box
from ..painting.enlarging import Enlarged
from ..painting.native import MIN_SIDE_PX, Amounts, GlobalStatistics, NativePainter, finished
from ..painting.paint import OnPicture, SizeConfig, masked, needed_bytes, paint_each, reference_size
from ..painting.receptive_field import generator_reach_px
from ..painting.sources import InMemory, loaded
from ..style.paint_settings import PaintSettings
from .pooled_statistics import pooled
from .sphere import check_panorama, extended, inner, resized, row_weights, widened
from .sphere_parts import levels_of, pasted, share_of

JOIN_PX = 64  # about the reach of the lowest frequency band of a join; a multiple of its stride
VIEWS = 2  # of 90 degrees, from pole to pole
ENLARGING_PX = 16  # of the reduced sphere, the reach of enlarging from a border


def paint_panorama(
    painter: NativePainter,
    image: Tensor,
    settings: PaintSettings | None = None,
    mask: Tensor | None = None,
    size: SizeConfig | None = None,
    **changes: Any,
) -> Tensor:
    """Paint equirectangular pictures (B, C, H, W), W = 2 H.

    The result has 3 channels, or 4 with the input's alpha. Settings and mask are as in `Painter`; of `size`,
    only the reference size is used. Raises ValueError also for pictures of other proportions.
    """
    settings = replace(settings or PaintSettings(), **changes)
    checked = check_image(image)
    where = None if mask is None else check_image(mask, "mask")
    return paint_checked_panorama(painter, checked, settings, where, size).to(image.device)


@torch.inference_mode()
def paint_checked_panorama(
    painter: NativePainter,
    image: Tensor,
    settings: PaintSettings,
    mask: Tensor | None = None,
    size: SizeConfig | None = None,
    on_picture: OnPicture | None = None,
) -> Tensor:
    """`paint_panorama` for pictures and a mask that have passed `check_image`; the result is on the CPU."""
    check_panorama(image)

    def paint_one(picture: Tensor, where: Tensor | None) -> Tensor:
        return masked(paint_spheres(painter, [picture], settings, size)[0], picture, where)

    return paint_each(image, mask, paint_one, on_picture)


def needed_sphere_bytes(height: int, width: int, settings: PaintSettings) -> int:
    """Upper bound of the memory for painting one sphere of this size."""
    return needed_bytes(height, width, settings, VIEWS * SizeConfig.look_size_px)


@torch.inference_mode()
def paint_spheres(
    painter: NativePainter,
    pictures: Sequence[Tensor],
    settings: PaintSettings,
    size: SizeConfig | None = None,
) -> list[Tensor]:
    """Paint equirectangular pictures (1, 3, H, W) of one scene with common statistics and rotation."""
    start = first_column(pictures[0])
    turned = [picture.roll(-start, 3) for picture in pictures]
    reference_px = VIEWS * (size or SizeConfig()).look_size_px
    small = reference_size(*pictures[0].shape[2:], reference_px)
    if small is None:
        found = _paint_native(painter, turned, settings)
    else:
        photos = [resized(picture, small[0]).clamp(0, 1) for picture in turned]
        pairs = zip(_paint_native(painter, photos, settings), photos, turned, strict=True)
        found = [_enlarged(*pair) for pair in pairs]
    return [painted.roll(start, 3) for painted in found]


def _paint_native(painter: NativePainter, spheres: Sequence[Tensor], settings: PaintSettings) -> list[Tensor]:
    """Paint spheres (1, 3, H, W) with common statistics at their own size, from their first column on."""
    height = spheres[0].shape[2]
    rows = max(MIN_SIDE_PX, round(height / settings.stroke / STRIDE) * STRIDE)
    check_room(max(rows, height), 2 * max(rows, height), painter.device)
    amounts = painter.amounts(settings)
    scaled = [resized(sphere, rows).clamp(0, 1) for sphere in spheres]
    weights = row_weights(rows)
    whole = pooled([painter.measure(sphere, amounts, "circular", weights) for sphere in scaled])
    found = []
    for picture, sphere in zip(spheres, scaled, strict=True):
        painted = resized(_painted(painter, sphere, amounts, whole), height)
        painted = painted + _lost(amounts) * (picture - resized(sphere, height))
        parts = (extended(x, min(REACH_PX, height)) for x in (painted.clamp(0, 1), picture))
        found.append(inner(finished(*parts, settings), min(REACH_PX, height)))
    return found


def _enlarged(painted: Tensor, small: Tensor, picture: Tensor) -> Tensor:
    """Enlarge the painting (1, 3, h, w) of a reduced sphere (1, 3, h, w) to its picture (1, 3, H, W).

    The columns around the seam are enlarged separately, from the sphere turned by 180 degrees.
    """
    found = loaded(Enlarged(painted, small, InMemory(picture)))
    height, width = picture.shape[2:]
    half = [x.roll(x.shape[3] // 2, 3) for x in (painted, small, picture)]
    beside = min(math.ceil(ENLARGING_PX * height / small.shape[2]), width // 2)
    seam = Box(0, width // 2 - beside, height, width // 2 + beside)
    left, right = Enlarged(half[0], half[1], InMemory(half[2])).read(seam).split(beside, dim=3)
    found[..., width - beside :], found[..., :beside] = left, right
    return found


def first_column(picture: Tensor) -> int:
    """The column from which a 360 picture (1, 3, H, W) is painted: the start of its brightest half turn.

    Noise and strides are counted from it, so the painting rotates with the picture.
    """
    height, width = picture.shape[2:]
    columns = torch.einsum("bchw,h->w", luma(picture.double()), row_weights(height).to(picture.device))
    wave = torch.fft.rfft(columns)[1]
    return round(-wave.angle().item() / (2 * math.pi) * width) % width


def _painted(painter: NativePainter, sphere: Tensor, amounts: Amounts, whole: GlobalStatistics) -> Tensor:
    """Paint a sphere's picture (1, 3, H, W), H a multiple of 8, part by part."""
    height = sphere.shape[2]
    levels = levels_of(height, generator_reach_px(painter.generator.config))
    origin, given = 0, []
    for part in chain(*levels):
        view = part.of(sphere).clamp(0, 1)
        painted = painter.paint(view, amounts, whole, part.padding, (origin, 0))
        lost = sphere[:, :, part.top : part.bottom] - part.back(view)
        given.append((part.back(painted) + _lost(amounts) * lost).clamp(0, 1))
        origin += -(-view.shape[2] // STRIDE) * STRIDE  # each part has its own noise
    pictures, everywhere = [], sphere
    for parts in levels:
        rows = [given.pop(0) for _ in parts]
        pictures.append((parts, rows))
        everywhere = pasted(everywhere, parts, rows)  # a hard joint, beyond the parts that are blended
    found = pasted(everywhere, *pictures[0])
    for level, placed in enumerate(pictures[1:], start=1):
        found = _joined(pasted(everywhere, *placed), found, share_of(level, height))
    return found


def _joined(inside: Tensor, outside: Tensor, mask: Tensor) -> Tensor:
    margin = min(JOIN_PX, inside.shape[3])
    parts = (widened(x.to(inside), margin) for x in (inside, outside, mask))
    return inner(joined(*parts), margin, rows=False)


def _lost(amounts: Amounts) -> float:
    """The share of resampling loss that is restored: all of it at strength 0, which returns the picture."""
    return max(0.0, 1 - amounts[COLOR])
