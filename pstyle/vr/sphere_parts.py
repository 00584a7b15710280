"""The parts in which a sphere is painted, so that strokes have one size everywhere.

An equirectangular picture is stretched sideways, increasingly so toward the poles. Around the equator it is
painted unchanged; farther off, a ring of it is painted at a smaller width, with up still toward the pole;
around the pole, an azimuthal equidistant face is painted. So nothing is stretched by more than a fifth. All
parts have the scale of the picture's rows. With more rings, paint would be upright closer to the pole, but a
view up would show the borders between differently oriented parts.
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
NARROWER = 0.75  # width of a ring relative to the previous one
RINGS = 1
HALF_JOIN = math.radians(4)  # to either side of the latitude where two parts meet


class Strip(NamedTuple):
    """Rows `top` to `bottom` of a sphere's picture of `height` rows, painted at another width."""

    height: int
    top: int
    bottom: int
    width: int
    padding = "circular"

    def of(self, picture: Tensor) -> Tensor:
        """The strip (1, C, h, w) of the sphere's picture (1, C, H, W)."""
        return with_width(picture[:, :, self.top : self.bottom], self.width)

    def back(self, painted: Tensor) -> Tensor:
        """The strip resized to the width of the sphere's picture."""
        return with_width(painted, 2 * self.height)


class Cap(NamedTuple):
    """A face (1, C, side, side) around a pole, which covers the picture's rows `top` to `bottom`."""

    height: int
    top: int
    bottom: int
    side_px: int
    pole: int
    padding = "reflect"

    def of(self, picture: Tensor) -> Tensor:
        """The face of the sphere's picture (1, C, H, W)."""
        steps = torch.arange(self.side_px, dtype=torch.float64) - (self.side_px - 1) / 2
        down, right = torch.meshgrid(steps, steps, indexing="ij")
        distance = (torch.hypot(down, right) * math.pi / self.height).clamp_max(math.pi)
        longitude = torch.atan2(right, self.pole * down)
        return sampled(picture, Directions(longitude, self.pole * (math.pi / 2 - distance)))

    def back(self, painted: Tensor) -> Tensor:
        """The face resampled to the picture's rows (1, C, h, W)."""
        longitude, latitude = pixel_directions(self.height, slice(self.top, self.bottom))
        distance = (math.pi / 2 - self.pole * latitude) * self.height / math.pi
        middle = (self.side_px - 1) / 2
        row = middle + self.pole * distance * torch.cos(longitude)
        return at_pixels(painted, row, middle + distance * torch.sin(longitude))


Part = Strip | Cap


def levels_of(height: int, margin_px: int) -> list[tuple[Part, ...]]:
    """The parts of a sphere's picture with `height` rows, a multiple of 8, from the equator to the poles.

    One part, then pairs north and south, each with a margin around the area used.
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
    """The weight (1, 1, H, W) of the parts of a level and those nearer to the poles at each pixel."""
    latitude = pixel_directions(height).latitude.abs()
    share = ((latitude - _join(level - 1) + HALF_JOIN) / (2 * HALF_JOIN)).clamp(0, 1)
    return (share * share * (3 - 2 * share)).float()[None, None]


def pasted(picture: Tensor, parts: tuple[Part, ...], rows: list[Tensor]) -> Tensor:
    """A picture (1, C, H, W) with the parts' rows pasted in."""
    found = picture.clone()
    for part, given in zip(parts, rows, strict=True):
        found[:, :, part.top : part.bottom] = given
    return found


def _join(level: int) -> float:
    """The latitude where two levels meet: both are stretched equally there."""
    return math.acos(NARROWER ** (level + 0.5))


def _row(height: int, latitude: float, more: int) -> int:
    """The last row, a multiple of 8, that with this margin is still not below a latitude; 0 if none is."""
    return max(0, math.floor((0.5 - latitude / math.pi) * height + more)) // STRIDE * STRIDE
