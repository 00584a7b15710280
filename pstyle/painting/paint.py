"""How a picture is painted: the one place that decides on its size, its tiles and its masks.

The Python call, the command line and the nodes all end up in `paint`. A picture whose short side exceeds the
reference size is painted at that size and enlarged; videos, spheres and stereo pairs follow the same rule,
see `stabilizing.py`, `panorama.py` and `stereo.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..core.config import check_settings, choice, setting
from ..core.memory import BYTES_PER_PX, empty_cache, free_bytes, is_out_of_memory
from ..image.checks import check_image, split_alpha
from ..image.masks import fitted_mask
from ..image.multiband import joined
from ..style.paint_settings import PaintSettings
from .boxes import Box
from .enlarging import Enlarged
from .native import NativePainter, painted_size
from .receptive_field import generator_reach_px
from .resampling import resized
from .sources import TILE_PX, InMemory, Source, loaded
from .tiled import Joined, Masked, painting

OnPicture = Callable[[int, int], None]  # pictures done, pictures in all; may raise to stop

SMALLEST_TILE_PX = 256


@dataclass(frozen=True)
class SizeConfig:
    """Settings for pictures larger than memory, or than the size a style was learned at."""

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


@torch.inference_mode()
def paint(
    image: Tensor,
    painter: NativePainter,
    settings: PaintSettings | None = None,
    mask: Tensor | None = None,
    second: NativePainter | None = None,
    size: SizeConfig | None = None,
) -> Tensor:
    """Paint pictures (B, C, H, W) in [0, 1] where `mask` (1 or B, 1, H, W) is 1, with `second` elsewhere.

    The result has 3 channels, or 4 with the input's alpha. Raises ValueError for pictures, settings or masks
    out of range, and if memory runs out while tiles are turned off or cannot help.
    """
    checked = check_image(image)
    where = None if mask is None else check_image(mask, "mask")
    return paint_checked(checked, painter, settings, where, second, size).to(image.device)


@torch.inference_mode()
def paint_checked(
    image: Tensor,
    painter: NativePainter,
    settings: PaintSettings | None = None,
    mask: Tensor | None = None,
    second: NativePainter | None = None,
    size: SizeConfig | None = None,
    on_picture: OnPicture | None = None,
) -> Tensor:
    """`paint` for pictures and a mask that have passed `check_image`; the result is on the CPU."""
    settings = settings or PaintSettings()

    def paint_one(picture: Tensor, where: Tensor | None) -> Tensor:
        inside = None if where is None else InMemory(where)
        return loaded(painted(InMemory(picture), painter, settings, inside, second, size))

    return paint_each(image, mask, paint_one, on_picture)


def paint_each(
    image: Tensor,
    mask: Tensor | None,
    paint_one: Callable[[Tensor, Tensor | None], Tensor],
    on_picture: OnPicture | None = None,
) -> Tensor:
    """Checked pictures (B, C, H, W) painted one by one, with their alpha.

    `paint_one` takes a picture (1, 3, H, W) and its mask (1, 1, H, W) or None, both on the CPU.
    """
    rgb, alpha = split_alpha(image.cpu())
    masks: list[Tensor | None] = [None] * len(rgb)
    if mask is not None:
        masks = list(fitted_mask(mask.cpu(), rgb).expand(len(rgb), -1, -1, -1).split(1))
    parts = []
    for picture, where in zip(rgb.split(1), masks, strict=True):
        parts.append(paint_one(picture, where))
        if on_picture:
            on_picture(len(parts), len(rgb))
    result = torch.cat(parts)
    return result if alpha is None else torch.cat([result, alpha], dim=1)


def masked(found: Tensor, picture: Tensor, mask: Tensor | None) -> Tensor:
    """A painting where a mask (1, 1, H, W) is 1, the picture where it is 0; all of it without a mask."""
    return found if mask is None else picture.lerp(found, mask)


def check_regions(mask: object | None, second: object | None) -> None:
    """Raise ValueError for a second style without a mask that says where to paint it."""
    if second is not None and mask is None:
        raise ValueError("a second style is painted where a mask is black: give a mask as well")


@torch.inference_mode()
def painted(
    source: Source,
    painter: NativePainter,
    settings: PaintSettings,
    mask: Source | None = None,
    second: NativePainter | None = None,
    size: SizeConfig | None = None,
) -> Source:
    """A source (3 channels) painted where a mask (1 channel, same size) is 1, by a second painter elsewhere.

    A picture in memory that needs no tiles is painted at once; otherwise tiles are painted as they are read.
    Raises ValueError like `paint`.
    """
    size = size or SizeConfig()
    check_regions(mask, second)
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
        empty_cache(painter.device)  # outside the except block, where the traceback would keep tensors alive
    return _tiled(source, painter, settings, mask, second)


def reference_size(height: int, width: int, reference_px: int) -> tuple[int, int] | None:
    """The height and width to paint a picture at, with `reference_px` as the short side.

    None if it is painted at its own size: if it is not larger, or if `reference_px` is 0.
    """
    short = min(height, width)
    if not 0 < reference_px < short:
        return None
    return round(height * reference_px / short), round(width * reference_px / short)


def at_reference(source: Source, small: tuple[int, int]) -> Tensor:
    """The copy (1, 3, h, w) at the reference size that is painted in place of a larger picture."""
    side_px = max(8, TILE_PX * small[0] // source.height)  # reads about TILE_PX of the source at a time
    return loaded(resized(source, *small), side_px)


def needed_bytes(
    height: int, width: int, settings: PaintSettings, reference_px: int = SizeConfig.look_size_px
) -> int:
    """Upper bound of the memory for painting one picture of this size in one piece."""
    height, width = reference_size(height, width, reference_px) or (height, width)
    reduced = painted_size(height, width, settings)
    return max(height, reduced[0]) * max(width, reduced[1]) * BYTES_PER_PX


def tile_px(painter: NativePainter) -> int:
    """The side of the largest tiles that fit into memory together with their surroundings."""
    free, side_px = free_bytes(painter.device), TILE_PX
    around_px = 2 * generator_reach_px(painter.generator.config)
    while free and side_px > SMALLEST_TILE_PX and (side_px + around_px) ** 2 * BYTES_PER_PX > free / 2:
        side_px //= 2
    return side_px


def _enlarged(
    source: Source,
    small: tuple[int, int],
    painter: NativePainter,
    settings: PaintSettings,
    mask: Source | None,
    second: NativePainter | None,
    size: SizeConfig,
) -> Source:
    """A source painted at a smaller size with all settings, then enlarged."""
    cached = painter.cache.of(source.image if isinstance(source, InMemory) else None)
    photo = cached(("reduced", small), lambda: at_reference(source, small))
    where = resized(mask, *small) if second is not None else None
    smaller = painted(InMemory(photo), painter, settings, where, second, replace(size, look_size_px=0))
    found = Enlarged(loaded(smaller), photo, source, cached)
    return found if mask is None or second is not None else Masked(found, source, mask)


def _whole(
    source: InMemory,
    painter: NativePainter,
    settings: PaintSettings,
    mask: Source | None,
    second: NativePainter | None,
) -> Tensor:
    """A picture painted at its own size, in one piece."""
    picture, found = source.image, painter.paint_native(source.image, settings)
    where = None if mask is None else mask.read(Box(0, 0, source.height, source.width))
    if second is not None:
        return joined(found, second.paint_native(picture, settings), where)
    return masked(found, picture, where)


def _tiled(
    source: Source,
    painter: NativePainter,
    settings: PaintSettings,
    mask: Source | None,
    second: NativePainter | None,
) -> Source:
    side_px = tile_px(painter)
    found = painting(painter, source, settings, side_px)
    if second is not None:
        return Joined(found, painting(second, source, settings, side_px), mask)
    return found if mask is None else Masked(found, source, mask)
