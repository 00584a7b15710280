"""Enlarges a painting: its strokes grow with it, and the photograph's fine detail is restored.

Where the painting raises, lowers or inverts the contrast of an edge, the edge's fine detail changes likewise:
each pixel has the gain that a guided filter finds (He & Sun, arXiv 1505.00996). We differ in two places: the
painting's own strokes are kept, and flat areas have a gain of 1, so that a painting equal to the photograph
gives back the photograph.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.activation_cache import NO_CACHE, CacheView
from ..image.colors import luma
from ..image.separable import filtered
from .boxes import Box
from .resampling import cubic, resized
from .sources import InMemory, Source

WINDOW_PX = 5  # side of the window of a gain, at the size of the painting
LEAST_DEVIATION = 0.03  # of brightness or color; areas that vary less count as flat
GAINS = (-1.0, 2.0)
# Enlarging by a cubic spline and reducing by a triangle filter amount to the quintic spline.
BLUR = (1 / 120, 26 / 120, 66 / 120, 26 / 120, 1 / 120)
ROUNDS = 3  # of prefiltering that compensates for its blur


class Enlarged:
    """A source: the painting (1, 3, h, w) of a picture's small copy (1, 3, h, w), at the picture's size.

    Values that do not depend on the painting are kept in the picture's `cached` view.
    """

    def __init__(self, painted: Tensor, small: Tensor, picture: Source, cached: CacheView = NO_CACHE) -> None:
        self.small, self.picture, self.cached = small, picture, cached
        self.height, self.width = picture.height, picture.width
        contrasts = cached(("contrasts", tuple(small.shape)), lambda: contrasts_of(small))
        maps = torch.cat([prefiltered(painted), gains(painted, contrasts)], dim=1)
        self.maps = resized(InMemory(maps), self.height, self.width, cubic)

    def read(self, box: Box) -> Tensor:
        """The pixels of a box."""
        painted, light, color = self.maps.read(box).split([3, 1, 1], dim=1)
        missing = self.cached(("missing", tuple(self.small.shape), box), lambda: self._missing(box))
        bright = luma(missing)
        return torch.addcmul(painted, light, bright).addcmul_(color, missing - bright).clamp_(0, 1)

    def _missing(self, box: Box) -> Tensor:
        """The fine detail that the small copy lost."""
        return self.picture.read(box) - self._smooth.read(box)

    @cached_property
    def _smooth(self) -> Source:
        return resized(InMemory(prefiltered(self.small)), self.height, self.width, cubic)


def prefiltered(image: Tensor) -> Tensor:
    """Prefilter pictures (1, C, H, W) so that enlarging and reducing them again nearly restores them."""
    found = image
    for _ in range(ROUNDS):
        found = found + image - _blurred(_blurred(found, 2), 3)
    return found


def _blurred(x: Tensor, axis: int) -> Tensor:
    """Blur maps (1, C, H, W) along an axis."""
    around = len(BLUR) // 2
    padded = F.pad(x, (0, 0, around, around) if axis == 2 else (around, around, 0, 0), mode="replicate")
    return filtered(padded, axis, BLUR)


class Contrast(NamedTuple):
    """A map (1, C, H, W) with the mean and variance (1, 1, H, W) of the window around each pixel."""

    x: Tensor
    mean: Tensor
    variance: Tensor


def contrasts_of(photo: Tensor) -> tuple[Contrast, Contrast]:
    """The contrast of a photograph (1, 3, H, W) in brightness and in color."""
    bright = luma(photo)
    maps = [(x, _mean(x)) for x in (bright, photo - bright)]
    return tuple(Contrast(x, mean, _covariance(x, mean, x, mean)) for x, mean in maps)


def gains(painted: Tensor, contrasts: tuple[Contrast, Contrast]) -> Tensor:
    """The painting's gain on the photograph's contrast at each pixel, (1, 2, H, W): brightness and color."""
    found, bright, least = [], luma(painted), LEAST_DEVIATION**2
    for (x, mean, variance), y in zip(contrasts, (bright, painted - bright), strict=True):
        found.append((_covariance(x, mean, y, _mean(y)) + least) / (variance + least))
    return torch.cat(found, dim=1).clamp(*GAINS)


def _covariance(x: Tensor, mean_x: Tensor, y: Tensor, mean_y: Tensor) -> Tensor:
    """Covariance of maps (1, C, H, W) in the window around each pixel, summed over channels."""
    return _mean((x * y).sum(1, keepdim=True)) - (mean_x * mean_y).sum(1, keepdim=True)


def _mean(x: Tensor) -> Tensor:
    """Means of maps (1, C, H, W) in the window around each pixel; windows shrink at the border."""
    around, window = WINDOW_PX // 2, (1.0,) * WINDOW_PX
    height, width = x.shape[2:]
    for axis, sides, line in ((2, (0, 0, around, around), (height, 1)), (3, (around, around), (1, width))):
        there = filtered(F.pad(x.new_ones(1, 1, *line), sides), axis, window)
        x = filtered(F.pad(x, sides), axis, window).div_(there)
    return x
