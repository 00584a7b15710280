"""Camera moves over still pictures: frames whose motion is known exactly, to score videos and flows on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

Pose = Callable[[int], tuple[Tensor, Tensor]]  # frame number -> matrix (2, 2) and shift (2,) in px
MOVES = ("pan", "zoom", "rotate", "parallax")
OPAQUE = 0.99


@dataclass(frozen=True)
class Clip:
    """N frames (1, 3, H, W); for each but the last, the exact offsets to the next one (1, 2, H, W) and which
    pixels (1, 1, H, W) are seen in both.
    """

    frames: list[Tensor]
    flows: list[Tensor]
    seen: list[Tensor]


@dataclass(frozen=True)
class Sheet:
    """A picture (1, 3, h, w) with coverage (1, 1, h, w) that moves: a pixel at x from the middle of a frame
    shows the picture at `matrix @ x + shift` from its own middle.
    """

    picture: Tensor
    cover: Tensor
    pose: Pose

    def place(self, x: Tensor, frame: int) -> Tensor:
        """Where in the sheet the points x (2, H, W) of a frame lie, both from the middle, px."""
        matrix, shift = self.pose(frame)
        return torch.einsum("ij,jhw->ihw", matrix, x) + shift.view(2, 1, 1)

    def next_place(self, x: Tensor, frame: int) -> Tensor:
        """Where the points x (2, H, W) of a frame lie in the next one."""
        matrix, shift = self.pose(frame + 1)
        return torch.einsum("ij,jhw->ihw", matrix.inverse(), self.place(x, frame) - shift.view(2, 1, 1))


def camera_move(
    move: str, picture: Tensor, size: tuple[int, int], frames: int = 8, noise: float = 0.0, seed: int = 0
) -> Clip:
    """A clip of `size` (H, W) over a picture (1, 3, h, w) larger than it: one of MOVES, a few pixels a frame.

    `noise` is the deviation of what the sensor adds. Raises ValueError for another move.
    """
    height, width = size
    rows, columns = (torch.arange(side) - (side - 1) / 2 for side in (height, width))
    points = torch.stack(torch.meshgrid(columns, rows, indexing="xy"))  # (2, H, W)
    sheets = _sheets(move, picture, size, frames)
    rng = torch.Generator().manual_seed(seed)
    shown, flows, seen = [], [], []
    for number in range(frames):
        frame = _shown(sheets, points, number)
        frame = frame + noise * torch.randn(frame.shape, generator=rng)
        shown.append(frame.clamp(0, 1).mul(255).round() / 255)
        if number < frames - 1:
            flow, visible = _motion(sheets, points, number)
            flows.append(flow)
            seen.append(visible)
    return Clip(shown, flows, seen)


def _sheets(move: str, picture: Tensor, size: tuple[int, int], frames: int) -> list[Sheet]:
    everywhere, still, middle = torch.ones_like(picture[:, :1]), torch.eye(2), (frames - 1) / 2

    def shifting(x: float, y: float) -> Pose:
        return lambda number: (still, torch.tensor([x, y]) * (number - middle))

    if move == "pan":
        return [Sheet(picture, everywhere, shifting(3.3, 0.7))]
    if move == "zoom":
        return [Sheet(picture, everywhere, lambda n: (still * 1.012 ** (middle - n), torch.zeros(2)))]
    if move == "rotate":
        return [Sheet(picture, everywhere, lambda n: (_turned(0.008 * (n - middle)), torch.zeros(2)))]
    if move == "parallax":
        disk = _disk(picture, min(size) / 3.5)
        near = picture.flip(3)
        return [Sheet(picture, everywhere, shifting(1.4, 0.0)), Sheet(near, disk, shifting(4.3, 0.5))]
    raise ValueError(f"there is no camera move {move!r}: choose one of {', '.join(MOVES)}")


def _shown(sheets: list[Sheet], points: Tensor, number: int) -> Tensor:
    frame = torch.zeros(1, 3, *points.shape[1:])
    for sheet in sheets:
        place = sheet.place(points, number)
        frame = frame.lerp(_read(sheet.picture, place, "bicubic").clamp(0, 1), _read(sheet.cover, place))
    return frame


def _motion(sheets: list[Sheet], points: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Offsets to the next frame, those of the sheet in front, and which pixels it shows in both frames."""
    flow = torch.zeros_like(points)
    seen = torch.zeros(1, 1, *points.shape[1:], dtype=torch.bool)
    for depth, sheet in enumerate(sheets):
        later = sheet.next_place(points, number)
        covers = _read(sheet.cover, sheet.place(points, number)) > 0.5
        flow = torch.where(covers[0], later - points, flow)
        here, there = (_shows(sheets, depth, *one) for one in ((points, number), (later, number + 1)))
        inside = (later.abs() <= points.amax((1, 2)).view(2, 1, 1)).all(0)
        seen = torch.where(covers, here & there & inside, seen)
    return flow[None], seen


def _shows(sheets: list[Sheet], depth: int, points: Tensor, number: int) -> Tensor:
    """Where a frame shows this sheet and nothing of those in front of it, (1, 1, H, W)."""
    covers = [_read(sheet.cover, sheet.place(points, number)) for sheet in sheets[depth:]]
    shows = covers[0] > OPAQUE
    for cover in covers[1:]:
        shows = shows & (cover < 1 - OPAQUE)
    return shows


def _read(picture: Tensor, place: Tensor, mode: str = "bilinear") -> Tensor:
    """A picture (1, C, h, w) at places (2, H, W) from its middle, px; its border goes on outside."""
    height, width = picture.shape[2:]
    grid = torch.stack([place[0] * 2 / width, place[1] * 2 / height], dim=-1)[None]
    return F.grid_sample(picture, grid, mode=mode, padding_mode="border", align_corners=False)


def _disk(picture: Tensor, radius_px: float) -> Tensor:
    rows, columns = (torch.arange(side) - (side - 1) / 2 for side in picture.shape[2:])
    distance = (rows.view(-1, 1).square() + columns.square()).sqrt()
    return (radius_px - distance + 0.5).clamp(0, 1)[None, None]


def _turned(angle: float) -> Tensor:
    return torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
