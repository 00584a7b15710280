"""Pictures for training: random crops at random scales, and a pool of style targets read from them."""

# ruff: noqa: E501, E741, T201 (a trial)

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from losses import Perceptual, StyleTarget
from torch import Tensor

from pstyle.image.reading import open_image
from pstyle.image.resizing import resize_short_side
from pstyle.nets.generator import style_moments
from pstyle.nets.moments import Moments
from pstyle.nets.vgg import VGG
from pstyle.training.base_training import recolor


class ScaledCrops:
    """Random square crops of pictures, seen as if their short side were drawn from a range of pixels."""

    def __init__(self, paths: Sequence[Path], kept_px: int, short_side_px: tuple[int, int]) -> None:
        self.short_side_px = short_side_px
        self.pictures: list[Tensor] = []  # (3, H, W) uint8
        for path in paths:
            picture = open_image(path)
            if min(picture.shape[2:]) > kept_px:
                picture = resize_short_side(picture, kept_px)
            self.pictures.append((picture[0, :3].clamp(0, 1) * 255).round().to(torch.uint8))

    def draw(self, size_px: int, rng: torch.Generator) -> Tensor:
        """One crop (1, 3, size_px, size_px) of a random picture, mirrored half of the time."""
        picture = self.pictures[_randint(len(self.pictures), rng)]
        low, high = (math.log(max(side, size_px)) for side in self.short_side_px)
        seen_px = math.exp(low + (high - low) * float(torch.rand(1, generator=rng)))
        own_px = min(picture.shape[1:])
        side = min(own_px, round(size_px * own_px / seen_px))
        top = _randint(picture.shape[1] - side + 1, rng)
        left = _randint(picture.shape[2] - side + 1, rng)
        crop = picture[None, :, top : top + side, left : left + side].float() / 255
        crop = F.interpolate(crop, (size_px, size_px), mode="bicubic", antialias=True).clamp(0, 1)
        return crop.flip(3) if _randint(2, rng) else crop


@dataclass(frozen=True)
class StyleEntry:
    """A style crop's moments for the style encoder and its target for the loss."""

    code: dict[str, Moments]
    target: StyleTarget


class StylePool:
    """Style crops of which each step uses some; one is renewed every few steps, since reading it takes as long
    as painting one.
    """

    def __init__(self, size: int, paintings: ScaledCrops, vgg: VGG, perceptual: Perceptual) -> None:
        self.paintings, self.vgg, self.perceptual = paintings, vgg, perceptual
        self.entries: deque[StyleEntry] = deque(maxlen=size)

    def renew(self, size_px: int, recolored: float, rng: torch.Generator) -> None:
        """Put in one new crop; the oldest leaves a full pool."""
        image = recolor(self.paintings.draw(size_px, rng), recolored, rng)
        image = image.contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            self.entries.append(
                StyleEntry(style_moments(self.vgg, image), self.perceptual.target(image, rng))
            )

    def draw(self, count: int, rng: torch.Generator) -> list[StyleEntry]:
        """Different crops of the pool."""
        return [self.entries[i] for i in torch.randperm(len(self.entries), generator=rng)[:count].tolist()]


def joined(parts: Sequence[dict[str, Moments]]) -> dict[str, Moments]:
    """The moments of several pictures, each (1, C), as those of a batch."""
    return {
        name: Moments(torch.cat([p[name].mean for p in parts]), torch.cat([p[name].gram for p in parts]))
        for name in parts[0]
    }


def _randint(stop: int, rng: torch.Generator) -> int:
    return int(torch.randint(stop, (1,), generator=rng))
