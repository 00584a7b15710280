"""Whether a painted picture pastes pieces of its style pictures: normalized cross-correlation of patches.

We differ from the textbook in what is taken out of a patch first: not its mean alone but all slow waves,
since a plain edge or a gradient of light correlates with any other. Every patch is compared with a style at
every pixel; what a few of its waves rule out, by Cauchy and Schwarz, is not compared in full.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..image.colors import luma
from ..image.pictures import resize_short_side

SIZE_PX = 512  # short side at which pictures are compared; smaller ones at their own
PATCH_PX = 32
SAME = 0.95  # correlation above which one patch is a copy of another
FLAT = 0.01  # deviation of luma without slow waves, below which a patch correlates with anything
SLOW, KNOWN = 4, 10  # cosines along each side: those taken out, and those compared before all others
PLACES = 2**14  # of a style, compared at once
ROUNDING = 1e-3  # of the sums below, whose terms are at most 1


@torch.inference_mode()
def copied_share(painted: Tensor, styles: Sequence[Tensor]) -> float:
    """Share of a painted picture's 32-px patches, side by side, that are found again in a style picture.

    All are (1, 3, H, W) in [0, 1] and compared in luma, at one short side of at most 512 px. A patch is found
    where it correlates above 0.95 with a patch of a style; flat ones do not count, and 0 is told if all are
    flat. Raises ValueError for no style picture, or a painted side under 32 px.
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
    """Which patches (P, 32 * 32), unit vectors without slow waves, are in a style's luma (1, 1, H, W): (P,).

    `bounds` are the patches' own, as `waves_at` gives them.
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
        found[asked] = (patches[asked] @ near.T).amax(1) > SAME  # slow waves of `near` are no matter here
    return found


def waves_at(light: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Bounds (P, K) and lengths (P,) of the 32-px patches of luma (1, 1, H, W), one every `stride` pixels.

    Bounds are the known waves of a patch without its slow ones, and the length of all waves left, in parts of
    its whole length: the product of two patches' bounds is their correlation at most.
    """
    known = cosines(light)[:KNOWN]
    light = light - light.mean()  # which is slow, and would leave less precision for the rest
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
    """Patches (P, 32 * 32) without their mean and the other slowest waves along both sides."""
    slow = cosines(patches)[:SLOW]
    square = patches.unflatten(1, (PATCH_PX, PATCH_PX))
    return (square - slow.T @ (slow @ square @ slow.T) @ slow).flatten(1)


def bands(light: Tensor) -> Iterator[Tensor]:
    """Luma (1, 1, H, W) in bands of whole rows, each with about as many places for a patch; none if it has no
    place.
    """
    height, width = light.shape[2:]
    rows = max(1, PLACES // width)
    for top in range(0, height - PATCH_PX + 1, rows):
        yield light[:, :, top : top + rows + PATCH_PX - 1]


def cosines(like: Tensor) -> Tensor:
    """The orthonormal cosines over 32 px, slowest first, one a row: (32, 32)."""
    places = torch.arange(PATCH_PX, dtype=torch.float64)
    found = torch.cos(math.pi / PATCH_PX * places[:, None] * (places + 0.5)) * math.sqrt(2 / PATCH_PX)
    found[0] /= math.sqrt(2)
    return found.to(like)
