"""DiffAugment (Zhao et al., arXiv 2006.10738): random color, shift and cutout, differentiable."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SHIFT, CUTOUT = 0.125, 0.2  # relative to the side
GRAY = 0.5  # fill of the cutout
BRIGHTNESS, SATURATION, CONTRAST = 0.1, 0.2, 0.2  # mild, since strong ones hide wrong colors


def augment(image: Tensor, rng: torch.Generator) -> Tensor:
    """Pictures (B, 3, H, W) with random color, shift and cutout, drawn for each picture.

    Augment real and painted pictures alike; otherwise the discriminator learns the augmentation.
    """
    return cut_out(shift(jitter(image, rng), rng), rng)


def jitter(image: Tensor, rng: torch.Generator) -> Tensor:
    """Pictures (B, 3, H, W) with jittered brightness, saturation and contrast; they may leave [0, 1]."""
    x = image + _uniform(image, BRIGHTNESS, rng)
    gray = x.mean(1, keepdim=True)
    x = gray + (x - gray) * (1 + _uniform(image, SATURATION, rng))
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + (x - mean) * (1 + _uniform(image, CONTRAST, rng))


def shift(image: Tensor, rng: torch.Generator) -> Tensor:
    """Pictures (B, 3, H, W) shifted by up to an eighth of their sides, with reflected borders."""
    B, _, H, W = image.shape
    down, across = int(H * SHIFT), int(W * SHIFT)
    padded = F.pad(image, (across, across, down, down), mode="reflect")
    tops = torch.randint(2 * down + 1, (B,), generator=rng).tolist()
    lefts = torch.randint(2 * across + 1, (B,), generator=rng).tolist()
    moved = [x[:, t : t + H, s : s + W] for x, t, s in zip(padded, tops, lefts, strict=True)]
    return torch.stack(moved)


def cut_out(image: Tensor, rng: torch.Generator) -> Tensor:
    """Pictures (B, 3, H, W) with a gray rectangle each, a fifth of the sides, which may cross the border."""
    B, _, H, W = image.shape
    rows = _hidden(H, B, rng).view(B, 1, H, 1)
    columns = _hidden(W, B, rng).view(B, 1, 1, W)
    return image.masked_fill((rows & columns).to(image.device), GRAY)


def _hidden(side: int, count: int, rng: torch.Generator) -> Tensor:
    """(count, side), true for a fifth of the side around a random position."""
    center = torch.randint(side, (count, 1), generator=rng)
    return (torch.arange(side) - center).abs() <= (side * CUTOUT - 1) / 2


def _uniform(image: Tensor, radius: float, rng: torch.Generator) -> Tensor:
    drawn = (2 * torch.rand(len(image), 1, 1, 1, generator=rng) - 1) * radius
    return drawn.to(image)
