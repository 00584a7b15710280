"""Filling holes from their surroundings: smooth shades, with texture on top.

Shades continue smoothly from the border. Texture is filled ring by ring: each pixel is copied from the place
around the hole whose neighborhood fits best, after Efros & Leung (Texture Synthesis by Non-parametric
Sampling, ICCV 1999); places that continue a neighbor's copy are tried as well (Ashikhmin, I3D 2001). We
differ in two ways: pixels not yet copied also count, by their shade, and only the detail of a copy is kept,
since copies never quite match the shades that continue from the border.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ...image.blur import gaussian_blur, reach_px
from ...painting.boxes import Box
from .biharmonic import smoothly_filled
from .patch_search import RADIUS_PX, Places, grown, nearest, patches_at, places_of, weighted_costs

SOURCES = 4096  # random places to copy from
AROUND_PX = 48  # their largest distance from a hole
GUESSED = 0.15  # weight of a pixel not copied yet; a known one has weight 1
MARGIN_PX = 64  # around all holes; anything farther away is ignored
DETAIL_PX = 3.5  # deviation of the blur that separates detail
SHADE_PX = 1.0  # deviation of the blur that gives shades
RAMP_PX = 2  # over which detail fades in at the border of a hole
AROUND = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1) if down or across]


def filled(image: Tensor, mask: Tensor, rng: torch.Generator) -> Tensor:
    """Fill in a picture (1, 3, H, W) where `mask` (1, 1, H, W) is not 0; other pixels stay bit for bit.

    Raises ValueError for a mask that covers everything.
    """
    lost = mask > 0
    if lost.all():
        raise ValueError("the mask covers the whole picture: leave something to fill it in from")
    if not lost.any():
        return image.clone()
    box = _around(lost[0, 0]).grown(MARGIN_PX).clipped(*lost.shape[2:])
    found = image.clone()
    box.of(found).copy_(_filled(box.of(image).contiguous(), box.of(lost), rng))
    return found


def _filled(image: Tensor, lost: Tensor, rng: torch.Generator) -> Tensor:
    """Fill a picture that was cropped to the surroundings of its holes."""
    both = torch.cat([image, _blurred_known(image, lost)], dim=1)  # or a dark line at the border darkens all
    smooth, shade = smoothly_filled(both, lost).split(3, dim=1)
    padded = F.pad(smooth, (RADIUS_PX,) * 4, mode="replicate")[0].permute(1, 2, 0).contiguous()
    copied = textured(padded, F.pad(lost[0, 0], (RADIUS_PX,) * 4), rng).permute(2, 0, 1)[None]
    copied = copied[..., RADIUS_PX:-RADIUS_PX, RADIUS_PX:-RADIUS_PX]
    inside = shade + copied - gaussian_blur(copied, DETAIL_PX, reach_px(DETAIL_PX))
    return torch.where(lost, smooth.lerp(inside, ramp(lost, RAMP_PX)).clamp(0, 1), image)


def _blurred_known(image: Tensor, lost: Tensor) -> Tensor:
    """Blur a picture without counting lost pixels."""
    known = (~lost).to(image)
    both = gaussian_blur(torch.cat([image * known, known], dim=1), SHADE_PX, reach_px(SHADE_PX))
    return both[:, :3] / both[:, 3:].clamp_min(1e-3)


def _around(chosen: Tensor) -> Box:
    """The smallest box around the chosen pixels (H, W)."""
    rows, columns = (chosen.any(axis).nonzero()[:, 0].tolist() for axis in (1, 0))
    return Box(rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)


def ramp(lost: Tensor, width_px: int) -> Tensor:
    """0 outside the lost area (1, 1, H, W), rising inside it to 1 over a width in pixels."""
    depth, inside = torch.zeros_like(lost, dtype=torch.float32), lost
    for _ in range(width_px):
        depth = depth + inside
        inside = inside & ~(F.max_pool2d((~inside).float(), 3, 1, 1) > 0)
    return depth / width_px


def textured(pixels: Tensor, lost: Tensor, rng: torch.Generator) -> Tensor:
    """Replace guesses for lost pixels (H, W) of a picture (H, W, 3) by copies from around the holes.

    No pixel within a radius of the border is lost.
    """
    pixels, sources = pixels.clone(), _sources(lost, rng)
    if sources is None:
        return pixels
    library = patches_at(pixels, sources)
    weights = torch.where(lost, GUESSED, 1.0).to(pixels)[..., None]
    usable = _whole(lost)
    rows, columns = torch.meshgrid(*(torch.arange(side) for side in lost.shape), indexing="ij")
    origin = torch.stack([rows, columns], dim=2).to(lost.device)  # where each pixel is copied from
    left = lost.clone()
    while left.any():
        ring = places_of(left & grown(~left, 1))
        wanted = patches_at(pixels, ring)
        shares = patches_at(weights, ring).repeat_interleave(3, dim=1)
        best, costs = nearest(wanted, shares, library)
        found = sources.chosen(best)
        for down, across in AROUND:
            _continue(pixels, ring, wanted, shares, found, costs, origin, usable, (down, across))
        pixels[ring.row, ring.column] = found.of(pixels)
        origin[ring.row, ring.column] = torch.stack(found, dim=1)
        weights[ring.row, ring.column] = 1.0
        left[ring.row, ring.column] = False
    return pixels


def _continue(
    pixels: Tensor,
    ring: Places,
    wanted: Tensor,
    shares: Tensor,
    found: Places,
    costs: Tensor,
    origin: Tensor,
    usable: Tensor,
    step: tuple[int, int],
) -> None:
    """For each pixel of a ring, try the place next to the one that its neighbor was copied from."""
    place = Places(*ring.moved(*step).of(origin).unbind(1)).moved(-step[0], -step[1])
    inside = Places(*(side.clamp(0, most - 1) for side, most in zip(place, usable.shape, strict=True)))
    which = inside.of(usable).nonzero()[:, 0]
    place = inside.chosen(which)
    cost = weighted_costs(wanted[which], shares[which], patches_at(pixels, place))
    better = cost < costs[which]
    which, place = which[better], place.chosen(better)
    costs[which], found.row[which], found.column[which] = cost[better], place.row, place.column


def _whole(lost: Tensor) -> Tensor:
    """Pixels (H, W) whose patch has no lost pixel and lies within the picture."""
    usable = ~grown(lost, RADIUS_PX)
    edge = 2 * RADIUS_PX  # its outer half is padding
    usable[:edge] = usable[-edge:] = False
    usable[:, :edge] = usable[:, -edge:] = False
    return usable


def _sources(lost: Tensor, rng: torch.Generator) -> Places | None:
    """Places to copy from: around the holes, else anywhere; None if the picture has none."""
    usable = _whole(lost)
    near = usable & grown(lost, AROUND_PX)
    found = places_of(near if near.any() else usable)
    if not len(found.row):
        return None
    return found.chosen(torch.randperm(len(found.row), generator=rng)[:SOURCES].to(lost.device))
