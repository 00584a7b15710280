"""Painting stereo pairs so that both eyes agree: common statistics, and strokes that stick to the objects.

Chen et al., arXiv 1802.10591, train for agreement with a disparity loss. We need no training: the right eye
gets the left eye's painting, warped by the disparity, and its own where the left eye's view is hidden.

Each eye is sized like a picture: if larger than the reference size, it is painted at that size and enlarged,
before the eyes are made to agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.config import check_settings, choice, setting
from ..core.memory import check_room
from ..image.checks import check_image, split_alpha
from ..image.resizing import resize_to
from ..nets.generator import COLOR
from ..painting.enlarging import Enlarged
from ..painting.native import NativePainter, finished, painted_size
from ..painting.paint import OnPicture, SizeConfig, at_reference, needed_bytes, reference_size
from ..painting.sources import InMemory, loaded
from ..style.paint_settings import PaintSettings
from .disparity import Match, match_eyes, match_of_disparity, warp_by_disparity
from .panorama import needed_sphere_bytes, paint_spheres
from .pooled_statistics import pooled
from .sphere import check_panorama

LAYOUTS = {"side-by-side": 3, "top-bottom": 2}  # dimension of (B, C, H, W) along which the left eye is first
SAME = "as the input"
FEATHER_PX = 2  # over which the right eye's own painting blends in, within the area that both see


@dataclass(frozen=True)
class StereoConfig:
    """The arrangement of both eyes in one picture."""

    layout: str = choice(
        "side-by-side", tuple(LAYOUTS), "how the eyes are arranged in the picture, the left one first"
    )
    out_layout: str = choice(SAME, (SAME, *LAYOUTS), "how the eyes are arranged in the painted picture")
    panorama: bool = setting(False, help="each eye is a 360 picture, twice as wide as high")

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def painted_layout(self) -> str:
        """The layout of the painted picture."""
        return self.layout if self.out_layout == SAME else self.out_layout


def paint_stereo(
    painter: NativePainter,
    image: Tensor,
    config: StereoConfig | None = None,
    settings: PaintSettings | None = None,
    disparity: Tensor | None = None,
    size: SizeConfig | None = None,
    **changes: Any,
) -> Tensor:
    """Paint stereo pictures (B, C, H, W); the result has 3 channels, or 4 with the input's alpha.

    `disparity` (1 or B, 1, h, w) is the number of pixels by which the right eye sees each point of the left
    eye's picture farther left, NaN where unknown; by default it is estimated. Settings are as in `Painter`;
    of `size`, only the reference size is used. Raises ValueError for eyes that cannot be split, or that
    should be 360 pictures and are not.
    """
    settings = replace(settings or PaintSettings(), **changes)
    found = paint_checked_stereo(painter, check_image(image), config, settings, disparity, size)
    return found.to(image.device)


@torch.inference_mode()
def paint_checked_stereo(
    painter: NativePainter,
    image: Tensor,
    config: StereoConfig | None = None,
    settings: PaintSettings | None = None,
    disparity: Tensor | None = None,
    size: SizeConfig | None = None,
    on_picture: OnPicture | None = None,
) -> Tensor:
    """`paint_stereo` for pictures that have passed `check_image`; the result is on the CPU."""
    config, settings = config or StereoConfig(), settings or PaintSettings()
    rgb, alpha = split_alpha(image.cpu())
    lefts, rights = split_eyes(rgb, config)
    known = [None] * len(rgb) if disparity is None else list(_fitted(disparity.cpu(), lefts).split(1))
    painted = []
    for left, right, given in zip(lefts.split(1), rights.split(1), known, strict=True):
        match = match_of(left, right, config.panorama, given)
        eyes = paint_eyes(painter, left, right, match, settings, config.panorama, size)
        painted.append(join_eyes(*eyes, config))
        if on_picture:
            on_picture(len(painted), len(rgb))
    found = torch.cat(painted)
    return found if alpha is None else torch.cat([found, relaid(alpha, config)], dim=1)


def needed_stereo_bytes(height: int, width: int, config: StereoConfig, settings: PaintSettings) -> int:
    """Upper bound of the memory for painting one eye of a stereo picture of this size."""
    eye = (height, width // 2) if LAYOUTS[config.layout] == 3 else (height // 2, width)
    return (needed_sphere_bytes if config.panorama else needed_bytes)(*eye, settings)


def split_eyes(image: Tensor, config: StereoConfig) -> tuple[Tensor, Tensor]:
    """Split stereo pictures (B, C, H, W) into the left and the right eye's, (B, C, h, w).

    Raises ValueError for an odd side, or for eyes that should be 360 pictures and are not.
    """
    dim = LAYOUTS[config.layout]
    if (side := image.shape[dim]) % 2:
        name = "width" if dim == 3 else "height"
        got = f"{image.shape[3]}x{image.shape[2]} px, of odd {name}"
        raise ValueError(
            f"a {config.layout} picture holds two eyes of one size: got {got}; "
            f"crop it to a {name} of {side - 1} px"
        )
    left, right = (eye.contiguous() for eye in image.chunk(2, dim))
    if config.panorama:
        check_panorama(left, f"each eye of a {config.layout} 360 picture")
    return left, right


def join_eyes(left: Tensor, right: Tensor, config: StereoConfig) -> Tensor:
    """Join both eyes' pictures (B, C, h, w) in the output layout."""
    return torch.cat([left, right], dim=LAYOUTS[config.painted_layout])


def relaid(image: Tensor, config: StereoConfig) -> Tensor:
    """Rearrange stereo pictures (B, C, H, W) to the output layout. Raises ValueError like `split_eyes`."""
    return join_eyes(*split_eyes(image, config), config)


def match_of(left: Tensor, right: Tensor, around: bool = False, disparity: Tensor | None = None) -> Match:
    """Match the eyes (1, 3, H, W), by the left eye's disparity if it is given."""
    return match_eyes(left, right, around) if disparity is None else match_of_disparity(disparity, around)


@torch.inference_mode()
def paint_eyes(
    painter: NativePainter,
    left: Tensor,
    right: Tensor,
    match: Match,
    settings: PaintSettings,
    panorama: bool = False,
    size: SizeConfig | None = None,
) -> tuple[Tensor, Tensor]:
    """Paint both eyes (1, 3, H, W) so that they agree where they match."""
    paint = paint_spheres if panorama else paint_alike
    first, own = paint(painter, [left, right], settings, size)
    lost = max(0.0, 1 - painter.amounts(settings)[COLOR])  # restored, so strength 0 changes nothing
    moved, before = (warp_by_disparity(eye, match.shift, panorama) for eye in (first, left))
    moved = moved + lost * (right - before)
    return first, own.lerp(moved.clamp(0, 1), _feathered(match.seen))


@torch.inference_mode()
def paint_alike(
    painter: NativePainter,
    pictures: Sequence[Tensor],
    settings: PaintSettings,
    size: SizeConfig | None = None,
) -> list[Tensor]:
    """Paint pictures (1, 3, H, W) of one size with common statistics, enlarging them as in `paint`."""
    small = reference_size(*pictures[0].shape[2:], (size or SizeConfig()).look_size_px)
    if small is None:
        return _paint_native(painter, pictures, settings)
    sources = [InMemory(picture) for picture in pictures]
    photos = [at_reference(source, small) for source in sources]
    painted = _paint_native(painter, photos, settings)
    return [loaded(Enlarged(*pair)) for pair in zip(painted, photos, sources, strict=True)]


def _paint_native(
    painter: NativePainter, pictures: Sequence[Tensor], settings: PaintSettings
) -> list[Tensor]:
    """Paint pictures (1, 3, H, W) with common statistics at their own size."""
    height, width = pictures[0].shape[2:]
    size, amounts = painted_size(height, width, settings), painter.amounts(settings)
    check_room(max(height, size[0]), max(width, size[1]), painter.device)
    reduced = [resize_to(picture, *size) for picture in pictures]
    whole = pooled([painter.measure(picture, amounts) for picture in reduced])
    painted = [resize_to(painter.paint(picture, amounts, whole), height, width) for picture in reduced]
    return [finished(*pair, settings) for pair in zip(painted, pictures, strict=True)]


def _feathered(seen: Tensor) -> Tensor:
    """Feather visibility: 0 where unseen, below 1 within FEATHER_PX of it."""
    side = 2 * FEATHER_PX + 1
    padded = F.pad(seen, (FEATHER_PX,) * 4, mode="replicate")
    inside = -F.max_pool2d(-padded, side, stride=1)
    return F.avg_pool2d(F.pad(inside, (FEATHER_PX,) * 4, mode="replicate"), side, stride=1)


def _fitted(disparity: Tensor, eyes: Tensor) -> Tensor:
    """Disparities for each of the eyes (B, 3, H, W), resized if their size differs."""
    if disparity.ndim != 4 or disparity.shape[1] != 1:
        raise ValueError(f"a disparity must be (batch, 1, height, width), got {tuple(disparity.shape)}")
    if len(disparity) not in (1, len(eyes)):
        raise ValueError(
            f"got {len(disparity)} disparities for {len(eyes)} pictures: give one, or one for each"
        )
    scale = eyes.shape[3] / disparity.shape[3]
    found = disparity.float()
    if found.shape[2:] != eyes.shape[2:]:  # nearest, since values between near and far are meaningless
        found = F.interpolate(found, eyes.shape[2:], mode="nearest") * scale
    return found.expand(len(eyes), -1, -1, -1)
