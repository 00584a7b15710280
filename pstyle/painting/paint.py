"""Painting a picture of any size: at a size at which it looks right, in memory or tile by tile."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..core.config import check_settings, choice, setting
from ..core.memory import BYTES_PER_PX, empty_cache, free_bytes, is_out_of_memory
from ..image.masks import fitted_mask
from ..image.pictures import check_image, split_alpha
from ..style.paint_settings import PaintSettings
from .boxes import Box
from .enlarging import Enlarged
from .painter import Painter, paint_regions, painted_size
from .receptive_field import generator_reach_px
from .resampling import resized
from .sources import TILE_PX, InMemory, Source, loaded
from .tiled import Joined, Masked, painting

SMALLEST_TILE_PX = 256


@dataclass(frozen=True)
class SizeConfig:
    """How pictures larger than memory, or than what a style was learned at, are painted."""

    tile: str = choice(
        "auto",
        ("auto", "always", "never"),
        "paint in tiles, with the same result; auto does so only if the picture does not fit into memory",
    )
    look_size_px: int = setting(
        768,
        0,
        8192,
        "reference size: short side in pixels at which the style is applied; larger pictures are painted at "
        "this size and enlarged with their own fine detail; 0 paints every picture at its own size",
    )

    def __post_init__(self) -> None:
        check_settings(self)


WHOLE_SIZE = SizeConfig(look_size_px=0)  # every picture at its own size


@torch.inference_mode()
def paint(
    image: Tensor,
    painter: Painter,
    settings: PaintSettings | None = None,
    mask: Tensor | None = None,
    second: Painter | None = None,
    size: SizeConfig | None = None,
) -> Tensor:
    """Paint pictures (B, C, H, W) in [0, 1] where `mask` (1 or B, 1, H, W) is 1, and by a second painter
    elsewhere; the result has 3 channels, or 4 with the input's alpha.

    Raises ValueError as painting does, for memory that runs out only if tiles may not or cannot help.
    """
    settings, size = settings or PaintSettings(), size or SizeConfig()
    rgb, alpha = split_alpha(check_image(image))
    masks: list[Source | None] = [None] * len(rgb)
    if mask is not None:
        fitted = fitted_mask(mask, rgb).expand(len(rgb), -1, -1, -1)
        masks = [InMemory(one) for one in fitted.split(1)]
    parts = [
        loaded(painted(InMemory(one), painter, settings, where, second, size))
        for one, where in zip(rgb.split(1), masks, strict=True)
    ]
    result = torch.cat(parts)
    return result if alpha is None else torch.cat([result, alpha], dim=1)


@torch.inference_mode()
def painted(
    source: Source,
    painter: Painter,
    settings: PaintSettings,
    mask: Source | None = None,
    second: Painter | None = None,
    size: SizeConfig | None = None,
) -> Source:
    """A source (3 channels) painted where a mask (1 channel, of its size) is 1, and by a second painter
    elsewhere. What a picture in memory needs no tiles for is painted here and now; what needs them, as it is
    read. Raises ValueError as `paint`.
    """
    size = size or SizeConfig()
    if second is not None and mask is None:
        raise ValueError("a second style is painted where a mask is black: give a mask as well")
    small = reference_size(source.height, source.width, size.look_size_px)
    if small is not None:
        return _enlarged(source, small, painter, settings, mask, second, size)
    if isinstance(source, InMemory) and size.tile != "always":
        try:
            return InMemory(_whole(source, painter, settings, mask, second))
        except (RuntimeError, MemoryError, ValueError) as error:
            if size.tile == "never" or not is_out_of_memory(error):
                raise
        painter.cache.clear()
        empty_cache(painter.device)  # outside of the block, in which the error keeps what it met alive
    return _tiled(source, painter, settings, mask, second)


def reference_size(height: int, width: int, look_size_px: int) -> tuple[int, int] | None:
    """The height and width whose look a picture takes on, or None if that is its own."""
    short = min(height, width)
    if not 0 < look_size_px < short:
        return None
    return round(height * look_size_px / short), round(width * look_size_px / short)


def needed_bytes(image: Tensor, settings: PaintSettings, size: SizeConfig) -> int:
    """Memory that painting one of these pictures (B, C, H, W) whole takes at most."""
    height, width = reference_size(*image.shape[2:], size.look_size_px) or tuple(image.shape[2:])
    reduced = painted_size(height, width, settings)
    return max(height, reduced[0]) * max(width, reduced[1]) * BYTES_PER_PX


def tile_px(painter: Painter) -> int:
    """The side of the largest tiles that memory is sure to hold with what is seen around them."""
    free, side_px = free_bytes(painter.device), TILE_PX
    around_px = 2 * generator_reach_px(painter.generator.config)
    while free and side_px > SMALLEST_TILE_PX and (side_px + around_px) ** 2 * BYTES_PER_PX > free / 2:
        side_px //= 2
    return side_px


def _enlarged(
    source: Source,
    small: tuple[int, int],
    painter: Painter,
    settings: PaintSettings,
    mask: Source | None,
    second: Painter | None,
    size: SizeConfig,
) -> Source:
    """A source painted at a smaller size, in all that the look asks for, and made large again."""
    side_px = max(8, TILE_PX * small[0] // source.height)  # of which TILE_PX of the source are read
    cached = painter.cache.of(source.image if isinstance(source, InMemory) else None)
    photo = cached(("reduced", small), lambda: loaded(resized(source, *small), side_px))
    where = resized(mask, *small) if second is not None else None
    smaller = painted(InMemory(photo), painter, settings, where, second, replace(size, look_size_px=0))
    found = Enlarged(loaded(smaller), photo, source, cached)
    return found if mask is None or second is not None else Masked(found, source, mask)


def _whole(
    source: InMemory, painter: Painter, settings: PaintSettings, mask: Source | None, second: Painter | None
) -> Tensor:
    where = None if mask is None else mask.read(Box(0, 0, source.height, source.width))
    if second is not None:
        return paint_regions(source.image, painter, second, where, settings)
    return painter(source.image, settings, where)


def _tiled(
    source: Source, painter: Painter, settings: PaintSettings, mask: Source | None, second: Painter | None
) -> Source:
    side_px = tile_px(painter)
    found = painting(painter, source, settings, side_px)
    if second is not None:
        return Joined(found, painting(second, source, settings, side_px), mask)
    return found if mask is None else Masked(found, source, mask)
