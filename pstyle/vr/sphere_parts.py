"""The parts in which a sphere is painted, so that strokes have one size everywhere: an equirectangular
picture stretches things sideways, the more the nearer to a pole.

Around the equator the picture is painted as it is; farther off, a ring of it is painted narrower, with up
still toward the pole; around the pole a face, azimuthal equidistant. So nothing is stretched by more than a
fifth. All parts have the scale of the picture's rows. With more rings paint would be upright nearer to the
pole; but the view up would see the borders of what is painted upright in every direction.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ..image.warp import at_pixels
from ..nets.generator import STRIDE
from ..painting.native import MIN_SIDE_PX
from .sphere import Directions, pixel_directions, sampled, with_width

NORTH, SOUTH = 1, -1
NARROWER = 0.75  # how wide a ring is painted, of the one before it
RINGS = 1
HALF_JOIN = math.radians(4)  # to either side of a latitude at which one part gives way to the next


class Strip(NamedTuple):
    """Rows `top` to `bottom` of a sphere's picture of `height` rows, painted at a width."""

    height: int
    top: int
    bottom: int
    width: int
    padding = "circular"

    def of(self, picture: Tensor) -> Tensor:
        """The strip (1, C, h, w) of the sphere's picture (1, C, H, W)."""
        return with_width(picture[:, :, self.top : self.bottom], self.width)

    def back(self, painted: Tensor) -> Tensor:
        """The strip in the width of the sphere's picture."""
        return with_width(painted, 2 * self.height)


class Cap(NamedTuple):
    """A face (1, C, side, side) around a pole, and rows `top` to `bottom` of the picture that it gives."""

    height: int
    top: int
    bottom: int
    side_px: int
    pole: int
    padding = "reflect"

    def of(self, picture: Tensor) -> Tensor:
        """The face, seen from the middle of the sphere, of its picture (1, C, H, W)."""
        steps = torch.arange(self.side_px, dtype=torch.float64) - (self.side_px - 1) / 2
        down, right = torch.meshgrid(steps, steps, indexing="ij")
        distance = (torch.hypot(down, right) * math.pi / self.height).clamp_max(math.pi)
        longitude = torch.atan2(right, self.pole * down)
        return sampled(picture, Directions(longitude, self.pole * (math.pi / 2 - distance)))

    def back(self, painted: Tensor) -> Tensor:
        """The rows (1, C, h, W) of the picture that the face gives."""
        longitude, latitude = pixel_directions(self.height, slice(self.top, self.bottom))
        distance = (math.pi / 2 - self.pole * latitude) * self.height / math.pi
        middle = (self.side_px - 1) / 2
        row = middle + self.pole * distance * torch.cos(longitude)
        return at_pixels(painted, row, middle + distance * torch.sin(longitude))


Part = Strip | Cap


def levels_of(height: int, margin_px: int) -> list[tuple[Part, ...]]:
    """The parts of a sphere whose picture has `height` rows, a multiple of 8, from the equator to the poles,
    with a margin around what is taken of each: one part, then pairs north and south.
    """
    top = _row(height, _join(0) + HALF_JOIN, -margin_px)
    found: list[tuple[Part, ...]] = [(Strip(height, top, height - top, 2 * height),)]
    for ring in range(1, RINGS + 1):
        width = max(MIN_SIDE_PX, round(2 * height * NARROWER**ring / STRIDE) * STRIDE)
        top = _row(height, _join(ring) + HALF_JOIN, -margin_px)
        bottom = height - _row(height, HALF_JOIN - _join(ring - 1), -margin_px)
        found.append((Strip(height, top, bottom, width), Strip(height, height - bottom, height - top, width)))
    rows = math.ceil((0.5 - (_join(RINGS) - HALF_JOIN) / math.pi) * height)
    side_px = -(-2 * (rows + margin_px) // STRIDE) * STRIDE
    found.append((Cap(height, 0, rows, side_px, NORTH), Cap(height, height - rows, height, side_px, SOUTH)))
    return found


def share_of(level: int, height: int) -> Tensor:
    """How much the parts of a level and those nearer to the poles give of each pixel, (1, 1, H, W)."""
    latitude = pixel_directions(height).latitude.abs()
    share = ((latitude - _join(level - 1) + HALF_JOIN) / (2 * HALF_JOIN)).clamp(0, 1)
    return (share * share * (3 - 2 * share)).float()[None, None]


def pasted(picture: Tensor, parts: tuple[Part, ...], rows: list[Tensor]) -> Tensor:
    """A picture (1, C, H, W) with the rows that parts give in place of its own."""
    found = picture.clone()
    for part, given in zip(parts, rows, strict=True):
        found[:, :, part.top : part.bottom] = given
    return found


def _join(level: int) -> float:
    """The latitude at which a level gives way to the next: either stretches things alike there."""
    return math.acos(NARROWER ** (level + 0.5))


def _row(height: int, latitude: float, more: int) -> int:
    """The last row at a multiple of 8 that lies, with so many more, not below a latitude; 0 if none does."""
    return max(0, math.floor((0.5 - latitude / math.pi) * height + more)) // STRIDE * STRIDE
