"""Marks on the surface of a picture: scratches, specks of dust, stains and holes.

Each function draws them for a whole batch and returns their coverage (B, 1, H, W) in [0, 1].
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ...image.blur import gaussian_blur, reach_px
from .random_fields import smooth, threshold, uniform, white

ALONG_FILM = 0.6  # share of scratches that run along the film, nearly straight; the others are hairs
SCRATCH_BEND, HAIR_BEND = 0.08, 0.2  # largest bend, as a share of the length
PIXELS_AT_ONCE = 1 << 22  # of the lines that are drawn together
STAIN_EDGE = (5.0, 60.0)  # steepness of a stain's edge, per deviation of its field
STAIN_RIM = (0.04, 0.2)  # width of its rim, in deviations of its field
RAGGED, DRY = 0.35, 0.5  # largest raggedness of a stain's outline, and fading of its middle


class Cover(NamedTuple):
    """Coverage of each pixel, and whether the mark is light (1) or dark (0), both (B, 1, H, W)."""

    alpha: Tensor
    light: Tensor


def scratches(
    like: Tensor, count: Tensor, length_px: Tensor, width_px: Tensor, light: Tensor, rng: torch.Generator
) -> Cover:
    """Thin bent lines on pictures like (B, C, H, W), `count` (B,) of them on each.

    Length, width and the share of light ones are (B,). Lengths and widths vary; many lines are broken.
    """
    batch, _, height, width = like.shape
    owner = torch.arange(batch, device=like.device).repeat_interleave(count.long())  # (N,), one per stroke
    both = like.new_zeros(2, batch, height, width)  # coverage by dark and by light ones
    for whose in owner.split(max(1, PIXELS_AT_ONCE // (height * width))):
        covered = _strokes(like, length_px[whose], width_px[whose], rng)
        is_light = uniform(whose.shape, rng, like) < light[whose]
        place = whose.view(-1, 1, 1).expand_as(covered)
        for side, chosen in zip(both, (~is_light, is_light), strict=True):
            side.scatter_reduce_(0, place, covered * chosen.view(-1, 1, 1), "amax")
    dark, bright = both[:, :, None]
    return Cover(torch.maximum(dark, bright), (bright > dark).to(like))


def _strokes(like: Tensor, length_px: Tensor, width_px: Tensor, rng: torch.Generator) -> Tensor:
    """Coverage (N, H, W) of each of N lines, which may lie partly outside a picture like (B, C, H, W)."""
    height, width = like.shape[2:]
    rows = torch.arange(height, device=like.device, dtype=like.dtype).view(1, -1, 1)
    columns = torch.arange(width, device=like.device, dtype=like.dtype).view(1, 1, -1)
    r = uniform((11, len(length_px), 1, 1), rng, like).unbind(0)
    length = length_px.view(-1, 1, 1) * (0.5 + r[0])
    is_along = r[1] < ALONG_FILM
    angle = torch.where(is_along, math.pi / 2 + 0.3 * (r[2] - 0.5), math.pi * r[2])
    down = rows - (r[3] * (height + length) - length / 2)
    across = columns - (r[4] * (width + length) - length / 2)
    along = across * angle.cos() + down * angle.sin()
    beside = down * angle.cos() - across * angle.sin()
    turns = (0.5 + 2 * r[6]) * 2 * math.pi / length
    most = length * torch.where(is_along, SCRATCH_BEND * r[5] ** 3, HAIR_BEND * r[5])
    phase = along * turns + 2 * math.pi * r[7]
    bend, slope = most * phase.sin(), most * turns * phase.cos()
    swell = 1 + 0.4 * torch.sin(along * 7.3 * turns + 6 * r[9])
    thick = width_px.view(-1, 1, 1) * (0.4 + 1.2 * r[8]) * swell
    away = (beside - bend).abs() * (1 + slope.square()).rsqrt()  # distance from the curve, not from its axis
    covered = (thick / 2 - away + 0.5).clamp(0, 1) * thick.clamp(0, 1)
    ends = ((length / 2 - along.abs()) / (0.1 * length + 1)).clamp(0, 1)
    unbroken = (1.2 + 2 * r[10] * torch.sin(along * 3.1 * turns + 6 * r[5])).clamp(0, 1)
    return covered * ends * unbroken * (0.4 + 0.6 * r[9])


def dust(
    like: Tensor, per_px: Tensor, size_px: Tensor, most_px: float, light: Tensor, rng: torch.Generator
) -> Cover:
    """Irregular specks on pictures like (B, C, H, W): `per_px` of them a pixel, about `size_px` across.

    These, and the share of light ones, are (B, 1, 1, 1); no size is above `most_px`.
    """
    shape = (len(like), 1, *like.shape[2:])
    deviation = size_px / 4
    places = (uniform(shape, rng, like) < per_px).to(like) * (0.5 + uniform(shape, rng, like))
    sign = torch.where(uniform(shape, rng, like) < light, 1.0, -1.0)
    outline = 1 + 0.5 * smooth(white(shape, rng, like), deviation)
    # A speck's blurred peak is 1 / (2 pi deviation^2); dividing by it makes the threshold depend on shape.
    peak = 1 / (2 * math.pi * deviation**2).clamp_min(1)
    both = torch.cat([places, places * sign], dim=1)
    height, signed = (gaussian_blur(both, deviation, reach_px(most_px / 4)) / peak).split(1, dim=1)
    return Cover(((height * outline - 0.2) * 4).clamp(0, 1), (signed > 0).to(like))


def stains(like: Tensor, share: Tensor, size_px: Tensor, rng: torch.Generator) -> Tensor:
    """Coverage (B, 1, H, W) of blotches over about `share` of pictures like (B, C, H, W).

    Some are soft, some have the sharp dark rim that water leaves where it dries.
    """
    shape = (len(like), 1, *like.shape[2:])
    r = uniform((4, len(like), 1, 1, 1), rng, like)
    ragged = RAGGED * r[0]
    field = smooth(white(shape, rng, like), size_px / 4)
    field = field + ragged * smooth(white(shape, rng, like), size_px / 24)
    above = field / (1 + ragged**2).sqrt() - threshold(share)
    edge, width = (
        low * (high / low) ** at for (low, high), at in zip((STAIN_EDGE, STAIN_RIM), r[1:3], strict=True)
    )
    lighter = DRY * r[3]  # half of it is missing at the edge: the rim compensates for that and adds as much
    inside, rim = torch.sigmoid(edge * above), torch.exp(-((above / width) ** 2))
    return inside * (1 - lighter) + 1.5 * lighter * rim


def holes(like: Tensor, share: Tensor, size_px: Tensor, rng: torch.Generator) -> Tensor:
    """Ragged holes over about `share` of pictures like (B, C, H, W): 1 inside, 0 outside."""
    shape = (len(like), 1, *like.shape[2:])
    field = smooth(white(shape, rng, like), size_px / 4) + 0.1 * smooth(white(shape, rng, like), size_px / 16)
    return (field > threshold(share) * math.sqrt(1.01)).to(like)
