"""A painting made larger: its strokes grow with it, and the photograph's fine structure comes back.

Where the painting gives an edge of the photograph more or less contrast, or turns it around, so it does with
the edge's fine structure: each pixel has the gain that a guided filter finds (He & Sun, arXiv 1505.00996). We
differ in two places: what the painting has beyond the photograph, its strokes, is kept, and the gain of what
is flat is 1. So of a painting that is the photograph, the photograph itself comes back.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..colors import luma
from ..layers import pad
from .boxes import Box
from .resized import cubic, resized
from .sources import InMemory, Source

WINDOW_PX = 5  # in which a gain is found, at the size of the painting
LEAST_DEVIATION = 0.03  # of brightness or color; what varies less counts as flat
GAINS = (-1.0, 2.0)
# What enlarging by a cubic spline and reducing by a triangle do to a row: together, the quintic spline.
BLUR = (1 / 120, 26 / 120, 66 / 120, 26 / 120, 1 / 120)
ROUNDS = 3  # of giving back what it takes


class Enlarged:
    """A painting (1, 3, h, w) of a small copy (1, 3, h, w) of a picture, at the picture's size."""

    def __init__(self, painted: Tensor, small: Tensor, picture: Source) -> None:
        self.picture = picture
        self.height, self.width = picture.height, picture.width
        maps = torch.cat([prefiltered(painted), prefiltered(small), gains(painted, small)], dim=1)
        self.maps = resized(InMemory(maps), self.height, self.width, cubic)

    def read(self, box: Box) -> Tensor:
        """The pixels of a box."""
        painted, small, light, color = self.maps.read(box).split([3, 3, 1, 1], dim=1)
        missing = self.picture.read(box) - small  # what the small copy lost
        bright = luma(missing)
        return (painted + light * bright + color * (missing - bright)).clamp(0, 1)


def prefiltered(image: Tensor) -> Tensor:
    """Pictures (1, C, H, W) changed such that, made large and small again, they are nearly what they were."""
    window, channels = image.new_tensor(BLUR), image.shape[1]
    found = image
    for _ in range(ROUNDS):
        blurred = pad(found, len(BLUR) // 2, "replicate")
        for kernel in (window.view(1, 1, -1, 1), window.view(1, 1, 1, -1)):
            blurred = F.conv2d(blurred, kernel.expand(channels, -1, -1, -1), groups=channels)
        found = found + image - blurred
    return found


def gains(painted: Tensor, photo: Tensor) -> Tensor:
    """How much of the photograph's contrast a painting has at each pixel, in brightness and in color: (1, 2,
    H, W) for two (1, 3, H, W).
    """
    found = []
    bright_painted, bright = luma(painted), luma(photo)
    for x, y in ((bright, bright_painted), (photo - bright, painted - bright_painted)):
        least = LEAST_DEVIATION**2
        found.append((_covariance(x, y) + least) / (_covariance(x, x) + least))
    return torch.cat(found, dim=1).clamp(*GAINS)


def _covariance(x: Tensor, y: Tensor) -> Tensor:
    """Covariance of maps (1, C, H, W) in the window around each pixel, added over the channels."""
    return (_mean(x * y) - _mean(x) * _mean(y)).sum(1, keepdim=True)


def _mean(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, WINDOW_PX, 1, WINDOW_PX // 2, count_include_pad=False)
