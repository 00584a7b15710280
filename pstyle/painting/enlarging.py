"""A painting made larger: its strokes grow with it, and the photograph's fine structure comes back.

Where the painting gives an edge of the photograph more or less contrast, or turns it around, so it does with
the edge's fine structure: each pixel has the gain that a guided filter finds (He & Sun, arXiv 1505.00996). We
differ in two places: what the painting has beyond the photograph, its strokes, is kept, and the gain of what
is flat is 1. So of a painting that is the photograph, the photograph itself comes back.
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

WINDOW_PX = 5  # in which a gain is found, at the size of the painting
LEAST_DEVIATION = 0.03  # of brightness or color; what varies less counts as flat
GAINS = (-1.0, 2.0)
# What enlarging by a cubic spline and reducing by a triangle do to a row: together, the quintic spline.
BLUR = (1 / 120, 26 / 120, 66 / 120, 26 / 120, 1 / 120)
ROUNDS = 3  # of giving back what it takes


class Enlarged:
    """A painting (1, 3, h, w) of a small copy (1, 3, h, w) of a picture, at the picture's size; what does not
    change with the painting is kept in what is `cached` of the picture.
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
        """What the small copy lost."""
        return self.picture.read(box) - self._smooth.read(box)

    @cached_property
    def _smooth(self) -> Source:
        return resized(InMemory(prefiltered(self.small)), self.height, self.width, cubic)


def prefiltered(image: Tensor) -> Tensor:
    """Pictures (1, C, H, W) changed such that, made large and small again, they are nearly what they were."""
    found = image
    for _ in range(ROUNDS):
        found = found + image - _blurred(_blurred(found, 2), 3)
    return found


def _blurred(x: Tensor, axis: int) -> Tensor:
    """Maps (1, C, H, W) blurred along an axis."""
    around = len(BLUR) // 2
    padded = F.pad(x, (0, 0, around, around) if axis == 2 else (around, around, 0, 0), mode="replicate")
    return filtered(padded, axis, BLUR)


class Contrast(NamedTuple):
    """A map (1, C, H, W), its mean in the window around each pixel, and its variance there, (1, 1, H, W)."""

    x: Tensor
    mean: Tensor
    variance: Tensor


def contrasts_of(photo: Tensor) -> tuple[Contrast, Contrast]:
    """The contrast of a photograph (1, 3, H, W) in brightness and in color."""
    bright = luma(photo)
    maps = [(x, _mean(x)) for x in (bright, photo - bright)]
    return tuple(Contrast(x, mean, _covariance(x, mean, x, mean)) for x, mean in maps)


def gains(painted: Tensor, contrasts: tuple[Contrast, Contrast]) -> Tensor:
    """How much of a photograph's contrasts its painting (1, 3, H, W) has at each pixel, in brightness and in
    color: (1, 2, H, W).
    """
    found, bright, least = [], luma(painted), LEAST_DEVIATION**2
    for (x, mean, variance), y in zip(contrasts, (bright, painted - bright), strict=True):
        found.append((_covariance(x, mean, y, _mean(y)) + least) / (variance + least))
    return torch.cat(found, dim=1).clamp(*GAINS)


def _covariance(x: Tensor, mean_x: Tensor, y: Tensor, mean_y: Tensor) -> Tensor:
    """Covariance of maps (1, C, H, W) in the window around each pixel, added over the channels."""
    return _mean((x * y).sum(1, keepdim=True)) - (mean_x * mean_y).sum(1, keepdim=True)


def _mean(x: Tensor) -> Tensor:
    """Means of maps (1, C, H, W) in the window around each pixel, of which less is there at the border."""
    around, window = WINDOW_PX // 2, (1.0,) * WINDOW_PX
    height, width = x.shape[2:]
    for axis, sides, line in ((2, (0, 0, around, around), (height, 1)), (3, (around, around), (1, width))):
        there = filtered(F.pad(x.new_ones(1, 1, *line), sides), axis, window)
        x = filtered(F.pad(x, sides), axis, window).div_(there)
    return x
