"""Style and content losses: pure functions from features, their moments, or pictures to a scalar.

Gatys et al., arXiv 1508.06576, for L_c, L_s and L; Huang & Belongie, arXiv 1703.06868, for means and
deviations. Raw losses are reported, relative ones optimized, since raw ones differ by orders of magnitude
between layers and networks.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from ..image.colors import luma
from ..nets.moments import Moments, gram

EPS = 1e-8
C1, C2 = 0.01**2, 0.03**2  # of SSIM, for pictures in [0, 1]
BOX_PX = 11
LIGHT_PX = 8


def content_loss(output: Tensor, content: Tensor) -> Tensor:
    """L_c = 1/2 ||F(X) - F(C)||^2 of features (B, C, H, W), summed as in the paper."""
    return 0.5 * (output.float() - content.float()).square().sum()


def style_loss(output: Tensor, style: Tensor) -> Tensor:
    """L_s = 1 / (4 N^2 M^2) ||F F^T (X) - F F^T (S)||^2 of features (B, N, H, W).

    Each Gram matrix is divided by its own M: for equal sizes this is the paper's formula, and different sizes
    stay comparable.
    """
    maps = output.shape[1]
    return 0.25 * (gram(output) - gram(style)).square().sum() / maps**2


def total_loss(content: Tensor, style: Tensor, alpha: float, beta: float) -> Tensor:
    """L = alpha L_c + beta L_s."""
    return alpha * content + beta * style


def layer_style_distance(output: Moments, target: Moments, gram_weight: float = 0.5) -> Tensor:
    """Distance (B,) of means, deviations and Gram matrices, each relative to the target's own energy."""
    energy = (target.mean.square() + target.std.square()).sum(1) + EPS  # (B,)
    first = (output.mean - target.mean).square().sum(1) + (output.std - target.std).square().sum(1)
    second = (output.gram - target.gram).square().sum((1, 2)) / (target.gram.square().sum((1, 2)) + EPS)
    return first / energy + gram_weight * second


def style_distance(
    output: Mapping[str, Moments], target: Mapping[str, Moments], gram_weight: float = 0.5
) -> Tensor:
    """Mean of `layer_style_distance` over layers and pictures: 0 if equal, about 1 if unrelated."""
    return torch.stack(
        [layer_style_distance(output[name], target[name], gram_weight).mean() for name in target]
    ).mean()


def content_distance(output: Mapping[str, Tensor], content: Mapping[str, Tensor]) -> Tensor:
    """Mean squared difference of mean-variance-normalized features, averaged over the layers of `content`.

    Without normalization, content would oppose the channel statistics of the style (Park & Lee, arXiv
    1812.02342).
    """
    terms = [F.mse_loss(_normalized(output[name]), _normalized(content[name])) for name in content]
    return torch.stack(terms).mean()


def structure_distance(output: Tensor, content: Tensor) -> Tensor:
    """1 - SSIM of the luma of pictures (B, 3, H, W), averaged: 0 if equal, about 1 if unrelated.

    Wang et al. 2004, but with a box of 11 px at every other position; the score in `metrics` has a Gaussian
    at each. It keeps strokes off smooth surfaces and light areas light, which content features do not.
    """
    x, y = (luma(image.float()) for image in (output, content))
    mean_x, mean_y = _boxed(x), _boxed(y)
    var_x, var_y = _boxed(x * x) - mean_x.square(), _boxed(y * y) - mean_y.square()
    covariance = _boxed(x * y) - mean_x * mean_y
    brightness = (2 * mean_x * mean_y + C1) / (mean_x.square() + mean_y.square() + C1)
    return 1 - (brightness * (2 * covariance + C2) / (var_x + var_y + C2)).mean()


def light_distance(output: Tensor, content: Tensor) -> Tensor:
    """Mean squared difference of the luma of pictures (B, 3, H, W), averaged over 8 px and normalized.

    0 if light and dark areas agree, 2 if unrelated. Normalizing to mean 0 and deviation 1 ignores how light
    or contrasted a style is; halos, holes and inverted areas still count.
    """
    x, y = (F.avg_pool2d(luma(image.float()), min(LIGHT_PX, *image.shape[2:])) for image in (output, content))
    return F.mse_loss(_normalized(x), _normalized(y))


def total_variation(image: Tensor) -> Tensor:
    """Mean absolute difference of neighboring pixels of (B, C, H, W)."""
    return (image.diff(dim=2).abs().mean() + image.diff(dim=3).abs().mean()) / 2


def _boxed(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, min(BOX_PX, *x.shape[2:]), stride=2)


def _normalized(features: Tensor) -> Tensor:
    # 1e-3, not the usual 1e-5, which would turn dead channels of a slim network into noise.
    return F.instance_norm(features.float(), eps=1e-3)
