"""The base of procedural artists: checked settings and pictures, seeded randomness, and a palette."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.config import check_settings, setting
from .palettes import random_palette


@dataclass(frozen=True)
class Artist:
    """Common to all artists: checks, randomness and colors. `palette` is (K, 3), dark to light, or None."""

    palette_seed: int = setting(0, 0, 2**31 - 1, "seed of a random palette; 0 keeps the artist's own colors")

    def __post_init__(self) -> None:
        check_settings(self)

    def __call__(self, image: Tensor, seed: int = 0) -> Tensor:
        """Paint a picture (1, 3, H, W).

        Raises ValueError for any other shape or type, and for values that are not in [0, 1].
        """
        _check(image)
        generator = torch.Generator().manual_seed(seed)
        palette = random_palette(self.palette_seed) if self.palette_seed else None
        painting = self.paint(image.detach().cpu(), generator, palette)
        return painting.clamp(0, 1).to(image.device)

    def paint(self, image: Tensor, generator: torch.Generator, palette: Tensor | None) -> Tensor:
        """The artist's own method, for a checked picture; the result may slightly leave [0, 1]."""
        raise NotImplementedError


def _check(image: Tensor) -> None:
    if (
        not isinstance(image, Tensor)
        or image.ndim != 4
        or image.shape[:2] != (1, 3)
        or min(image.shape[2:]) < 16
    ):
        got = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
        raise ValueError(f"an artist paints one picture (1, 3, H, W) with H and W at least 16, got {got}")
    if image.dtype != torch.float32:
        raise ValueError(f"an artist paints a float32 picture, got {image.dtype}: convert it first")
    if not bool(((image >= 0) & (image <= 1)).all()):  # in this form a NaN is refused
        raise ValueError("an artist paints values in [0, 1], got others or NaN: clamp the picture first")
