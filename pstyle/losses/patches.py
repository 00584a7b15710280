"""The distribution of patches: sliced Wasserstein distance of painted ones from a style's.

After Elnekave & Weiss, arXiv 2203.14672: it measures how much there is of each color and shape, which means
and Gram matrices miss. We differ in pooling a batch of crops, and in drawing a few new directions each step.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..nets.moments import normalized_weights

SCALES = (2, 4, 8)  # factors of reduction; the smallest allowed crop still holds patches at each
PATCH_PX = 5
SAMPLES = 4096  # patches kept at each scale
DIRECTIONS = 16


def style_patches(pictures: Sequence[Tensor], weights: Sequence[float], rng: torch.Generator) -> list[Tensor]:
    """Random patches of pictures (1, 3, H, W) in proportion to weights: columns (75, N) for each scale."""
    shares = normalized_weights(weights, len(pictures))
    return [
        torch.cat(
            [
                _drawn(F.unfold(F.avg_pool2d(picture, scale), PATCH_PX)[0], round(share * SAMPLES), rng)
                for picture, share in zip(pictures, shares, strict=True)
            ],
            dim=1,
        )
        for scale in SCALES
    ]


def patch_distance(output: Tensor, patches: Sequence[Tensor], rng: torch.Generator) -> Tensor:
    """Distance of all patches of pictures (B, 3, H, W) from those of `style_patches`."""
    distances = []
    for scale, samples in zip(SCALES, patches, strict=True):
        axes = F.normalize(torch.randn(DIRECTIONS, len(samples), generator=rng), dim=1).to(output.device)
        kernels = axes.view(DIRECTIONS, 3, PATCH_PX, PATCH_PX).to(output.dtype)
        found = F.conv2d(F.avg_pool2d(output, scale), kernels)  # (B, directions, h, w)
        wanted = (axes @ samples.to(axes)).to(output.dtype)
        distances.append(wasserstein(found.transpose(0, 1).flatten(1), wanted))
    return torch.stack(distances).mean()


def crop_patch_distance(output: Tensor, style: Tensor, rng: torch.Generator, directions: int = 8) -> Tensor:
    """Distance of patches of pictures (S * K, 3, H, W), K per style, from their style's crop (S, 3, h, w)."""
    distances = []
    for scale in SCALES:
        axes = F.normalize(torch.randn(directions, 3 * PATCH_PX**2, generator=rng), dim=1)
        kernels = axes.view(directions, 3, PATCH_PX, PATCH_PX).to(output.device)
        found, target = (
            _by_style(F.conv2d(F.avg_pool2d(x, scale), kernels), len(style)) for x in (output, style)
        )
        distances.append(wasserstein(found, target))
    return torch.stack(distances).mean()


def wasserstein(a: Tensor, b: Tensor) -> Tensor:
    """Wasserstein-1 distance of each row of a (N, A) from that of b (N, B), averaged over rows."""
    count, others = a.shape[1], b.shape[1]
    places = ((torch.arange(count, device=b.device) + 0.5) * others / count).long()
    return (a.sort(1).values - b.sort(1).values[:, places]).abs().mean()


def _drawn(columns: Tensor, count: int, rng: torch.Generator) -> Tensor:
    chosen = torch.randint(columns.shape[1], (count,), generator=rng)
    return columns[:, chosen.to(columns.device)]


def _by_style(projected: Tensor, styles: int) -> Tensor:
    """(S * K, D, h, w) -> (S * D, K * h * w)."""
    return projected.unflatten(0, (styles, -1)).transpose(1, 2).flatten(3).flatten(2).flatten(0, 1)
