"""Geometry of equirectangular pictures: views from the center of the sphere, and pixels across the borders.

Rows are latitudes, columns longitudes, W = 2 H. Longitude and latitude are in radians: (0, 0) is the middle
of the picture, east is right, north is up.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..image.resizing import resize_to
from ..image.warp import at_pixels

CUBIC_PX = 2  # reach of bicubic interpolation
LEAST_MARGIN_PX = 16  # smallest margin added before resizing


class Directions(NamedTuple):
    """The directions of pixels (H, W), in radians."""

    longitude: Tensor
    latitude: Tensor


def check_panorama(image: Tensor, what: str = "a 360 picture") -> None:
    """Raise ValueError unless pictures (B, C, H, W) are twice as wide as high."""
    height, width = image.shape[2:]
    if width != 2 * height:
        raise ValueError(
            f"{what} must be equirectangular, twice as wide as high: got {width}x{height} px; "
            f"resize it to {2 * height}x{height} px if it shows the whole sphere, else paint it as flat"
        )


def row_weights(height: int) -> Tensor:
    """Relative area of the sphere in each row, (H,): the cosine of its latitude."""
    return torch.cos(_latitudes(height))


def pixel_directions(height: int, rows: slice = slice(None)) -> Directions:
    """The directions of the pixels in rows of an equirectangular picture."""
    longitude = ((torch.arange(2 * height, dtype=torch.float64) + 0.5) / height - 1) * math.pi
    latitude, longitude = torch.meshgrid(_latitudes(height)[rows], longitude, indexing="ij")
    return Directions(longitude, latitude)


def sampled(picture: Tensor, where: Directions) -> Tensor:
    """Sample an equirectangular picture (1, C, H, W) in these directions (h, w), bicubic."""
    height, width = picture.shape[2:]
    column = (where.longitude / (2 * math.pi) + 0.5).remainder(1) * width - 0.5
    row = (0.5 - where.latitude / math.pi) * height - 0.5
    return at_pixels(extended(picture, CUBIC_PX), row + CUBIC_PX, column + CUBIC_PX)


def extended(picture: Tensor, margin_px: int) -> Tensor:
    """Extend an equirectangular picture (1, C, H, W) beyond its borders.

    Columns wrap around; beyond a pole, rows continue half a turn away.
    """
    north, south = picture[:, :, :margin_px], picture[:, :, picture.shape[2] - margin_px :]
    beyond = [half.flip(2).roll(picture.shape[3] // 2, 3) for half in (north, south)]
    return widened(torch.cat([beyond[0], picture, beyond[1]], dim=2), margin_px)


def widened(picture: Tensor, margin_px: int) -> Tensor:
    """Extend a picture (1, C, H, W) that wraps around by this many columns on either side."""
    return F.pad(picture, (margin_px, margin_px, 0, 0), mode="circular")


def inner(picture: Tensor, margin_px: int, rows: bool = True) -> Tensor:
    """Undo `extended`; without `rows`, undo `widened`."""
    x = picture[..., margin_px : picture.shape[3] - margin_px]
    return x[:, :, margin_px : x.shape[2] - margin_px] if rows else x


def resized(picture: Tensor, height: int) -> Tensor:
    """Resize an equirectangular picture (1, C, H, W) to `height` x 2 `height`, without a seam."""
    if picture.shape[2] == height:
        return picture
    wide = with_width(picture, 2 * height)
    return resize_to(wide, height, 2 * height)


def with_width(picture: Tensor, width: int) -> Tensor:
    """Resize a picture (1, C, H, W) that wraps around to `width`, bicubic, without a seam."""
    before, after = picture.shape[3], width
    if before == after:
        return picture
    whole = math.gcd(before, after)
    step = before // whole  # the fewest columns that map to whole columns
    margin = min(-(-LEAST_MARGIN_PX // step) * step, before)
    beyond = margin * after // before
    options = {"mode": "bicubic", "align_corners": False, "antialias": True}
    found = F.interpolate(widened(picture, margin), (picture.shape[2], after + 2 * beyond), **options)
    return inner(found, beyond, rows=False)


def perspective(longitude: float, latitude: float, field_of_view: float, side_px: int) -> Directions:
    """The directions of the pixels of a square view by a camera turned to a direction."""
    edge = math.tan(field_of_view / 2)
    steps = ((torch.arange(side_px, dtype=torch.float64) + 0.5) / side_px * 2 - 1) * edge
    down, right = torch.meshgrid(steps, steps, indexing="ij")
    forward = math.cos(latitude) + down * math.sin(latitude)  # in the plane of the horizon
    up = math.sin(latitude) - down * math.cos(latitude)
    return Directions(longitude + torch.atan2(right, forward), torch.atan2(up, torch.hypot(right, forward)))


def _latitudes(height: int) -> Tensor:
    return (0.5 - (torch.arange(height, dtype=torch.float64) + 0.5) / height) * math.pi
