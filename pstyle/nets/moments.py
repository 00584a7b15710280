"""Statistics of features that describe a style: mean, second raw moment and Gram matrix, and their mixtures.

Gatys et al., arXiv 1508.06576 (Gram); Li et al., arXiv 1701.01036 (mean and deviation are moments too).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

EPS = 1e-5


@dataclass(frozen=True)
class Moments:
    """Statistics of one layer over its pixels: mean (B, C), E[f^2] (B, C) and gram F F^T / M (B, C, C)."""

    mean: Tensor
    gram: Tensor

    @property
    def square(self) -> Tensor:
        """Second raw moment per channel, (B, C): the diagonal of the Gram matrix."""
        return self.gram.diagonal(dim1=1, dim2=2)

    @property
    def std(self) -> Tensor:
        """Deviation per channel, (B, C); eps under the root keeps the gradient of a flat picture finite."""
        return ((self.square - self.mean.square()).clamp_min(0) + EPS).sqrt()


def gram(features: Tensor) -> Tensor:
    """Gram matrix F F^T / M of (B, C, H, W) as (B, C, C) in float32.

    Differs from Gatys et al.: divided by M = H * W, so that pictures of any size compare.
    """
    return moments(features).gram


def moments(features: Tensor) -> Moments:
    """Statistics of features (B, C, H, W)."""
    return Moments(*_RawMoments.apply(features.float()))


def moments_by_layer(features: Mapping[str, Tensor]) -> dict[str, Moments]:
    """Statistics of each named layer."""
    return {name: moments(value) for name, value in features.items()}


def pooled(value: Moments) -> Moments:
    """The statistics of a batch taken as one picture, (1, C)."""
    return Moments(value.mean.mean(0, keepdim=True), value.gram.mean(0, keepdim=True))


def mix(parts: Sequence[Moments], weights: Sequence[float]) -> Moments:
    """The statistics of several pictures taken together, in proportion to their weights.

    Raw moments mix linearly; deviations and covariances do not, so those are never averaged. Raises
    ValueError for unusable weights, see `normalized_weights`.
    """
    shares = normalized_weights(weights, len(parts))
    return Moments(
        sum(share * part.mean for share, part in zip(shares, parts, strict=True)),
        sum(share * part.gram for share, part in zip(shares, parts, strict=True)),
    )


def mix_by_layer(parts: Sequence[Mapping[str, Moments]], weights: Sequence[float]) -> dict[str, Moments]:
    """`mix` for each layer of several pictures' statistics."""
    return {name: mix([part[name] for part in parts], weights) for name in parts[0]}


def normalized_weights(weights: Sequence[float], count: int) -> list[float]:
    """Weights divided by their sum.

    Raises ValueError for a wrong count, a negative or non-finite weight, or a zero sum.
    """
    if len(weights) != count or count == 0:
        raise ValueError(f"got {len(weights)} weights for {count} pictures: give one weight per picture")
    values = torch.tensor([float(weight) for weight in weights], dtype=torch.float64)
    if not torch.isfinite(values.sum()) or (values < 0).any() or values.sum() <= 0:
        raise ValueError(f"weights must be finite, 0 or more and not all 0; got {list(weights)}")
    return (values / values.sum()).tolist()


class _RawMoments(torch.autograd.Function):
    """Mean (B, C) and Gram matrix (B, C, C) of (B, C, H, W), with a gradient that takes a single product.

    Autograd's gradient of the same formulas would take two products and four more passes over memory.
    """

    @staticmethod
    def forward(ctx, features: Tensor) -> tuple[Tensor, Tensor]:
        flat = features.flatten(2)  # (B, C, M)
        ctx.save_for_backward(features)
        # Divided by M within the product, which would overflow in half precision; callers pass float32.
        product = torch.baddbmm(flat.new_zeros(()), flat, flat.mT, beta=0, alpha=1 / flat.shape[2])
        return flat.mean(2), product

    @staticmethod
    def backward(ctx, mean: Tensor, product: Tensor) -> Tensor:
        (features,) = ctx.saved_tensors
        flat = features.flatten(2)
        count = flat.shape[2]
        found = torch.baddbmm(mean[:, None] / count, flat.mT, product + product.mT, alpha=1 / count)
        return found.mT.unflatten(2, features.shape[2:])  # channels last in memory
