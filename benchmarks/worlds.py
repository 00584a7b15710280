"""Procedural worlds for what no photograph comes with: a whole sphere to look at, and stereo pairs whose
disparity is known exactly.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

OCTAVES = 6
WAVES = 6  # in each octave
BACKGROUND = 4.0  # px to the left that the right eye sees what lies farthest
LAYERS = 3  # of things before it


class StereoPair(NamedTuple):
    """Pictures (1, 3, H, W) of both eyes, and how many pixels farther left the right eye sees what the left
    eye sees at each of its pixels, (1, 1, H, W).
    """

    left: Tensor
    right: Tensor
    disparity: Tensor


def world(longitude: Tensor, latitude: Tensor, seed: int = 0) -> Tensor:
    """What is seen of a world in directions (H, W), in radians: (1, 3, H, W); sky, clouds, hills, fields."""
    flat = torch.cos(latitude)
    where = torch.stack([flat * torch.sin(longitude), torch.sin(latitude), flat * torch.cos(longitude)])
    rng = torch.Generator().manual_seed(seed)
    clouds, hills, fields = (_waves(where, rng) for _ in range(3))
    sky = _mixed((0.35, 0.55, 0.85), (0.95, 0.93, 0.9), clouds)
    ground = _mixed((0.25, 0.35, 0.12), (0.75, 0.62, 0.35), fields)
    horizon = torch.sigmoid((latitude - 0.12 * hills) / 0.01)
    sun = torch.exp((where[2] * 0.8 + where[1] * 0.6 - 1) / 0.01)
    return (ground.lerp(sky, horizon) + sun * horizon).clamp(0, 1).float()[None]


def stereo_pair(height: int, width: int, seed: int = 0) -> StereoPair:
    """A wall of texture and disks before it, each flat and facing the eyes. Columns close to a circle, so
    that eyes twice as wide as high are also a 360 pair.
    """
    rng = torch.Generator().manual_seed(seed)
    middles = torch.rand(LAYERS, 2, generator=rng) * torch.tensor([0.5, 1.0]) + torch.tensor([0.25, 0.0])
    seeds = torch.randint(1 << 30, (LAYERS + 1,), generator=rng).tolist()
    shifts = [BACKGROUND + layer * max(2.0, width / 60) + 0.5 * (layer > 0) for layer in range(LAYERS + 1)]
    left, disparity = _layered(height, width, middles, seeds, shifts, 0.0)
    return StereoPair(left, _layered(height, width, middles, seeds, shifts, 1.0)[0], disparity)


def _layered(
    height: int, width: int, middles: Tensor, seeds: list[int], shifts: list[float], share: float
) -> tuple[Tensor, Tensor]:
    """A picture of the layers, each moved left by a share of its shift, and the shift of what is seen."""
    rows = torch.arange(height, dtype=torch.float64).view(-1, 1).expand(-1, width)
    picture, seen = torch.zeros(1, 3, height, width), torch.zeros(1, 1, height, width)
    for layer, (shift, seed) in enumerate(zip(shifts, seeds, strict=True)):
        columns = torch.arange(width, dtype=torch.float64).expand(height, -1) + share * shift
        own = _wallpaper(rows / height, columns / width, seed)
        if layer == 0:
            picture, seen = own, torch.full_like(seen, shift)
            continue
        down, across = middles[layer - 1].tolist()
        away = (columns / width - across + 0.5).remainder(1) - 0.5
        inside = torch.hypot(rows / height - down, away * width / height) < 0.6 / (layer + 2)
        picture, seen = torch.where(inside, own, picture), torch.where(inside, shift, seen)
    return picture.float(), seen.float()


def _wallpaper(row: Tensor, column: Tensor, seed: int) -> Tensor:
    """Texture (1, 3, H, W) at places (H, W) in heights and widths; columns come back after one."""
    rng = torch.Generator().manual_seed(seed)
    angle = column * 2 * math.pi
    where = torch.stack([torch.cos(angle), row * math.pi, torch.sin(angle)])
    dark, light = (torch.rand(3, generator=rng).tolist() for _ in range(2))
    return _mixed(tuple(0.6 * c for c in dark), tuple(0.4 + 0.6 * c for c in light), _waves(where, rng))[None]


def _waves(where: Tensor, rng: torch.Generator) -> Tensor:
    """A field (H, W) of about unit size over places (3, H, W): waves of ever higher frequencies."""
    found = torch.zeros_like(where[0])
    for octave in range(OCTAVES):
        for _ in range(WAVES):
            wave = torch.randn(3, generator=rng, dtype=torch.float64) * 2.0 ** (octave + 1)
            phase = 2 * math.pi * torch.rand((), generator=rng, dtype=torch.float64)
            found = found + 0.75**octave * torch.cos(torch.einsum("c,chw->hw", wave, where) + phase)
    return found * (2 / WAVES) ** 0.5


def _mixed(first: tuple[float, ...], second: tuple[float, ...], field: Tensor) -> Tensor:
    """Colors (3, H, W) between two, by a field."""
    share = torch.sigmoid(2 * field)
    one, other = (share.new_tensor(color).view(3, 1, 1) for color in (first, second))
    return one + (other - one) * share
