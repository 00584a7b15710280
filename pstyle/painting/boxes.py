"""Boxes in pixel coordinates, and the tiles that cover a picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor


class Box(NamedTuple):
    """Rows `top` to `bottom` and columns `left` to `right` of a picture, ends excluded."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    def grown(self, margin_px: int) -> Box:
        """The box grown by this many pixels on every side."""
        return Box(
            self.top - margin_px, self.left - margin_px, self.bottom + margin_px, self.right + margin_px
        )

    def aligned(self, stride: int) -> Box:
        """The smallest enclosing box whose sides are at multiples of a stride."""
        return Box(
            self.top // stride * stride,
            self.left // stride * stride,
            -(-self.bottom // stride) * stride,
            -(-self.right // stride) * stride,
        )

    def clipped(self, height: int, width: int) -> Box:
        """The part of the box inside a picture of this size."""
        return Box(max(self.top, 0), max(self.left, 0), min(self.bottom, height), min(self.right, width))

    def seen_from(self, outer: Box) -> Box:
        """The same box in the coordinates of an enclosing box."""
        top, left = outer[:2]
        return Box(self.top - top, self.left - left, self.bottom - top, self.right - left)

    def of(self, x: Tensor) -> Tensor:
        """Crop pictures (..., H, W) to the box."""
        return x[..., self.top : self.bottom, self.left : self.right]


def tiles(height: int, width: int, side_px: int) -> Iterator[Box]:
    """Squares of the given side, smaller at the right and bottom, that cover a picture row by row."""
    for top in range(0, height, side_px):
        for left in range(0, width, side_px):
            yield Box(top, left, min(top + side_px, height), min(left + side_px, width))
