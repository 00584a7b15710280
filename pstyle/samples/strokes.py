"""Strokes and tiles on a jittered grid: the topmost mark at each pixel, and the pixel's position in it.

Each cell of the grid holds one mark, and a pixel considers only the marks of nearby cells, so thousands of
overlapping marks cost a fixed number of operations on whole pictures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class TopMarks:
    """The topmost mark at every pixel.

    owner (H, W): index of the mark, -1 where there is none; along, across (H, W): place in the mark, -1 to 1
    from end to end; edge (H, W): 0 at its middle, 1 on its outline; y, x (N,): pixels nearest to the centers.
    """

    owner: Tensor
    along: Tensor
    across: Tensor
    edge: Tensor
    y: Tensor
    x: Tensor

    @property
    def covered(self) -> Tensor:
        """1 where there is a mark, else 0: (1, 1, H, W)."""
        return (self.owner >= 0).float()[None, None]

    def pick(self, values: Tensor) -> Tensor:
        """Give each pixel its mark's value: (N, C) -> (1, C, H, W)."""
        height, width = self.owner.shape
        return values[self.owner.clamp_min(0).flatten()].T.reshape(1, -1, height, width)


class Grid:
    """Cells of `spacing_px` over a picture and `reach` cells beyond it, with one jittered center in each."""

    def __init__(
        self,
        height: int,
        width: int,
        spacing_px: float,
        reach: int,
        jitter: float,
        generator: torch.Generator,
    ) -> None:
        self.height, self.width, self.reach = height, width, reach
        self.rows = math.ceil(height / spacing_px) + 2 * reach
        self.cols = math.ceil(width / spacing_px) + 2 * reach
        self.count = self.rows * self.cols
        chance = torch.rand(2, self.rows, self.cols, generator=generator)
        places = torch.stack(torch.meshgrid(torch.arange(self.rows), torch.arange(self.cols), indexing="ij"))
        self.y, self.x = ((places - reach + 0.5 + jitter * (chance - 0.5)) * spacing_px - 0.5).flatten(1)
        self.row = (torch.arange(height) / spacing_px).long() + reach
        self.col = (torch.arange(width) / spacing_px).long() + reach
        self.pixel_y = torch.arange(height).view(-1, 1).float()
        self.pixel_x = torch.arange(width).view(1, -1).float()

    def inside(self) -> tuple[Tensor, Tensor]:
        """Rows and columns (N,) of the pixels nearest to the centers."""
        return self.y.round().long().clamp(0, self.height - 1), self.x.round().long().clamp(0, self.width - 1)

    def neighbors(self, *values: Tensor):
        """For each neighboring cell, the values (N,) of its mark spread over the pixels: tuples of (H, W)."""
        table = torch.stack(values).view(-1, self.rows, self.cols)
        offsets = range(-self.reach, self.reach + 1)
        for right in offsets:
            band = table.index_select(2, self.col + right)
            for down in offsets:  # whole rows are copied here: that is the fast direction
                yield band.index_select(1, self.row + down).unbind(0)


def lay_strokes(
    angle: Tensor,
    generator: torch.Generator,
    *,
    length_px: float,
    width_px: float,
    spacing_px: float,
    keep: Tensor | None = None,
    bend: float = 0.0,
    turn: float = 0.15,
    vary: float = 0.3,
    square: bool = False,
    fray: Tensor | None = None,
) -> TopMarks:
    """Lay one stroke per grid cell along the field `angle`, in random order.

    keep: field of the chance that a stroke exists there; bend: curvature; turn: deviation of the angle in
    radians; vary: relative spread of the sizes; square: blunt ends instead of round; fray: field that moves
    the outline.
    """
    height, width = angle.shape[-2:]
    reach = max(1, math.ceil(length_px * (1 + vary) / 2 / spacing_px))
    grid = Grid(height, width, spacing_px, reach, 0.9, generator)
    at_y, at_x = grid.inside()
    chance = torch.rand(4, grid.count, generator=generator)
    heading = angle[0, 0, at_y, at_x] + turn * torch.randn(grid.count, generator=generator)
    size = 1 + vary * (2 * chance[0] - 1)
    half_length, half_width = length_px / 2 * size, width_px / 2 * (1 + vary * (2 * chance[1] - 1))
    curve = bend * (2 * chance[2] - 1)
    order = torch.randperm(grid.count, generator=generator).float() + 1
    if keep is not None:
        order = torch.where(chance[3] < keep[0, 0, at_y, at_x], order, torch.zeros(()))
    outline = 1.0 if fray is None else 1 + fray[0, 0]
    cosine, sine = heading.cos(), heading.sin()
    # The pixel's place in the stroke is linear in x and y: a x + b y + c.
    terms = (
        cosine / half_length,
        sine / half_length,
        -(grid.x * cosine + grid.y * sine) / half_length,
        -sine / half_width,
        cosine / half_width,
        (grid.x * sine - grid.y * cosine) / half_width,
        curve,
    )
    top = torch.zeros(height, width)
    for *term, rank in grid.neighbors(*terms, order):
        edge = _place(grid, term, square)[2]
        top = torch.maximum(top, rank * torch.sign(outline - edge))
    owners = torch.full((grid.count + 1,), -1)
    owners[order.long()] = torch.arange(grid.count)
    owners[0] = -1
    owner = owners[top.long()]
    along, across, edge = _place(grid, torch.stack(terms)[:, owner.clamp_min(0)].unbind(0), square)
    return TopMarks(owner, along, across, edge, at_y, at_x)


def _place(
    grid: Grid, term: list[Tensor] | tuple[Tensor, ...], square: bool
) -> tuple[Tensor, Tensor, Tensor]:
    along = torch.addcmul(term[2], term[0], grid.pixel_x).addcmul_(term[1], grid.pixel_y)
    across = torch.addcmul(term[5], term[3], grid.pixel_x).addcmul_(term[4], grid.pixel_y)
    squared = along * along
    across = across.addcmul_(term[6], squared)
    rest = across * across
    edge = squared * squared + rest * rest if square else squared + rest
    return along, across, edge


def lay_tiles(
    angle: Tensor, generator: torch.Generator, *, size_px: float, jitter: float = 0.6, relax: int = 1
) -> tuple[Tensor, Tensor, int]:
    """Cover a picture with squarish tiles turned along the field `angle` (after Hausner, 2001).

    Returns the tile of each pixel (H, W), how much nearer it is than the next one in pixels (H, W), and how
    many tiles there are.
    """
    height, width = angle.shape[-2:]
    grid = Grid(height, width, size_px, 2, jitter, generator)
    owner, gap = _nearest(grid, angle)
    for _ in range(relax):  # move each center to the middle of its tile, as Lloyd does
        flat = owner.flatten()
        pixels = torch.stack(
            [
                torch.ones(height, width),
                grid.pixel_y.expand(height, width),
                grid.pixel_x.expand(height, width),
            ],
            -1,
        ).view(-1, 3)
        total = torch.zeros(grid.count, 3).index_add_(0, flat, pixels)
        seen = total[:, 0] > 0
        grid.y = torch.where(seen, total[:, 1] / total[:, 0].clamp_min(1), grid.y)
        grid.x = torch.where(seen, total[:, 2] / total[:, 0].clamp_min(1), grid.x)
        owner, gap = _nearest(grid, angle)
    return owner, gap, grid.count


def _nearest(grid: Grid, angle: Tensor) -> tuple[Tensor, Tensor]:
    heading = angle[0, 0][grid.inside()]
    cosine, sine = heading.cos(), heading.sin()
    index = torch.arange(grid.count).float()
    best = second = torch.full((grid.height, grid.width), float("inf"))
    owner = torch.zeros(grid.height, grid.width)
    terms = (cosine, sine, -(grid.x * cosine + grid.y * sine), grid.x * sine - grid.y * cosine, index)
    for c, s, shift_u, shift_v, cell in grid.neighbors(*terms):
        u = torch.addcmul(shift_u, c, grid.pixel_x).addcmul_(s, grid.pixel_y).abs_()
        v = torch.addcmul(shift_v, c, grid.pixel_y).addcmul_(s, grid.pixel_x, value=-1).abs_()
        # Between the round and the square distance: straight sides, corners slightly broken.
        distance = torch.maximum(u, v) + 0.15 * torch.minimum(u, v)
        second = torch.minimum(second, torch.maximum(best, distance))
        owner = torch.where(distance < best, cell, owner)
        best = torch.minimum(best, distance)
    return owner.long(), second - best
