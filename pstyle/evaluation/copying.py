"""The share of a painting that is copied from its style pictures: normalized cross-correlation of patches.

We differ from the textbook in removing not only a patch's mean but all its low frequencies, since a plain
edge or a gradient of light correlates with any other. Every patch is compared with a style at every pixel;
where a few of its frequencies rule out a match (Cauchy-Schwarz), the full comparison is skipped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..image.colors import luma
from ..image.resizing import resize_short_side

SIZE_PX = 512  # short side at which pictures are compared; smaller ones keep their size
PATCH_PX = 32
SAME = 0.95  # correlation above which one patch is a copy of another
FLAT = 0.01  # standard deviation of high-pass luma, below which a patch correlates with anything
SLOW, KNOWN = 4, 10  # cosines along each side: those removed, and those compared first
PLACES = 2**14  # positions in a style compared at once
ROUNDING = 1e-3  # rounding error of the bounds below


@torch.inference_mode()
def copied_share(painted: Tensor, styles: Sequence[Tensor]) -> float:
    """Share of a painting's adjacent 32-px patches that also occur in a style picture.

    All pictures are (1, 3, H, W) in [0, 1] and compared in luma, at one short side of at most 512 px. A patch
    is a copy if it correlates above 0.95 with a patch of a style. Flat patches do not count; if all are flat,
    the share is 0. Raises ValueError for no style picture, or a painted side under 32 px.
    """
    height, width = painted.shape[2:]
    size_px = min(height, width, SIZE_PX)
    if not styles or size_px < PATCH_PX:
        raise ValueError(
            f"got a picture of {width}x{height} px and {len(styles)} style pictures: give a picture of at "
            f"least {PATCH_PX} px a side, and at least one style picture, to look for copies"
        )
    light = luma(resize_short_side(painted, size_px))
    bounds, lengths = waves_at(light, PATCH_PX)
    counted = lengths > FLAT * PATCH_PX
    patches = without_slow_waves(F.unfold(light, PATCH_PX, stride=PATCH_PX)[0].T[counted])  # (P, 32 * 32)
    patches, bounds = patches / lengths[counted, None], bounds[counted]
    total = len(patches)
    for style in styles:
        for band in bands(luma(resize_short_side(style, size_px))):
            new = ~found_in(band, patches, bounds)
            patches, bounds = patches[new], bounds[new]
    return 1 - len(patches) / total if total else 0.0


def found_in(light: Tensor, patches: Tensor, bounds: Tensor) -> Tensor:
    """Which high-pass unit patches (P, 32 * 32) occur in a style's luma (1, 1, H, W), as booleans (P,).

    `bounds` are those of the patches, from `waves_at`.
    """
    theirs, lengths = waves_at(light, 1)
    places = (lengths > FLAT * PATCH_PX).nonzero()[:, 0]
    most = bounds @ theirs[places].T  # (P, places): no correlation is above this
    asked = most.amax(1) > SAME - ROUNDING if len(places) else torch.zeros_like(bounds[:, 0], dtype=bool)
    found = torch.zeros_like(asked)
    if asked.any():
        places = places[most.amax(0) > SAME - ROUNDING]
        windows = light[0, 0].unfold(0, PATCH_PX, 1).unfold(1, PATCH_PX, 1)  # (H - 31, W - 31, 32, 32)
        across = windows.shape[1]
        near = windows[places // across, places % across].flatten(1) / lengths[places, None]
        found[asked] = (patches[asked] @ near.T).amax(1) > SAME  # low frequencies of `near` cancel
    return found


def waves_at(light: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Bounds (P, K) and lengths (P,) of the 32-px patches of luma (1, 1, H, W), one every `stride` pixels.

    A length is the norm of a high-pass patch. Its bounds are the first frequencies of the patch and the norm
    of all others, relative to that length, so the product of two patches' bounds is an upper bound of their
    correlation.
    """
    known = cosines(light)[:KNOWN]
    light = light - light.mean()  # would cost precision; it is removed with the low frequencies anyway
    tall = F.conv2d(light, known.view(-1, 1, PATCH_PX, 1), stride=(stride, 1))  # (1, 10, h, W)
    waves = F.conv2d(tall.movedim(1, 0), known.view(-1, 1, 1, PATCH_PX), stride=(1, stride))  # (10, 10, h, w)
    slow = waves[:SLOW, :SLOW].square().sum((0, 1)).flatten()
    energy = F.avg_pool2d(light.square(), PATCH_PX, stride).flatten() * PATCH_PX**2
    lengths = (energy - slow).clamp_min(1e-12).sqrt()
    waves[:SLOW, :SLOW] = 0
    shares = waves.flatten(0, 1).flatten(1) / lengths
    rest = (1 - shares.square().sum(0)).clamp_min(0).sqrt()
    return torch.cat([shares, rest[None]]).T, lengths


def without_slow_waves(patches: Tensor) -> Tensor:
    """Patches (P, 32 * 32) without their mean and other low frequencies along both sides."""
    slow = cosines(patches)[:SLOW]
    square = patches.unflatten(1, (PATCH_PX, PATCH_PX))
    return (square - slow.T @ (slow @ square @ slow.T) @ slow).flatten(1)


def bands(light: Tensor) -> Iterator[Tensor]:
    """Luma (1, 1, H, W) in bands of whole rows with about 2^14 patch positions each; none below 32 px."""
    height, width = light.shape[2:]
    rows = max(1, PLACES // width)
    for top in range(0, height - PATCH_PX + 1, rows):
        yield light[:, :, top : top + rows + PATCH_PX - 1]


def cosines(like: Tensor) -> Tensor:
    """The orthonormal cosines over 32 px (DCT-II), lowest frequency first, one per row: (32, 32)."""
    places = torch.arange(PATCH_PX, dtype=torch.float64)
    found = torch.cos(math.pi / PATCH_PX * places[:, None] * (places + 0.5)) * math.sqrt(2 / PATCH_PX)
    found[0] /= math.sqrt(2)
    return found.to(like)
