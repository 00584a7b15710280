"""Style and content losses: pure functions of features or of their moments -> scalar.

Gatys et al., arXiv 1508.06576, for L_c, L_s and L; Huang & Belongie, arXiv 1703.06868, for means and
deviations. The raw losses are reported; the relative ones are optimized, since raw layer losses differ by
orders of magnitude between layers and between networks.
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
    """L_s = 1 / (4 N^2 M^2) ||F F^T (X) - F F^T (S)||^2 of features (B, N, H, W); each Gram is divided by its
    own M.

    With equal sizes this is the paper's formula to the letter; with different sizes it stays comparable.
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
    """Mean over layers and pictures of `layer_style_distance`: 0 for equal statistics, about 1 for
    unrelated ones.
    """
    return torch.stack(
        [layer_style_distance(output[name], target[name], gram_weight).mean() for name in target]
    ).mean()


def content_distance(output: Mapping[str, Tensor], content: Mapping[str, Tensor]) -> Tensor:
    """Mean squared difference of mean-variance-normalized features, averaged over the layers of `content`.

    Normalized so that content never argues with style about channel statistics (Park & Lee, arXiv
    1812.02342).
    """
    terms = [F.mse_loss(_normalized(output[name]), _normalized(content[name])) for name in content]
    return torch.stack(terms).mean()


def structure_distance(output: Tensor, content: Tensor) -> Tensor:
    """1 - SSIM of the luma of pictures (B, 3, H, W), averaged: 0 if equal, about 1 if unrelated.

    Wang et al. 2004 with a box of 11 px at every other position, where the score in metrics.py has a Gaussian
    at each. It keeps strokes off smooth surfaces and light areas light, which content features do not.
    """
    x, y = (luma(image.float()) for image in (output, content))
    mean_x, mean_y = _boxed(x), _boxed(y)
    var_x, var_y = _boxed(x * x) - mean_x.square(), _boxed(y * y) - mean_y.square()
    covariance = _boxed(x * y) - mean_x * mean_y
    brightness = (2 * mean_x * mean_y + C1) / (mean_x.square() + mean_y.square() + C1)
    return 1 - (brightness * (2 * covariance + C2) / (var_x + var_y + C2)).mean()


def light_distance(output: Tensor, content: Tensor) -> Tensor:
    """How differently light and dark lie in pictures (B, 3, H, W): mean squared difference of their luma,
    averaged over 8 px and normalized to mean 0 and deviation 1; 2 if unrelated.

    It is blind to how light or how contrasted a style is, and sees halos, holes and areas turned over.
    """
    x, y = (F.avg_pool2d(luma(image.float()), min(LIGHT_PX, *image.shape[2:])) for image in (output, content))
    return F.mse_loss(_normalized(x), _normalized(y))


def total_variation(image: Tensor) -> Tensor:
    """Mean absolute difference of neighboring pixels of (B, C, H, W)."""
    return (image.diff(dim=2).abs().mean() + image.diff(dim=3).abs().mean()) / 2


def _boxed(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, min(BOX_PX, *x.shape[2:]), stride=2)


def _normalized(features: Tensor) -> Tensor:
    # 1e-3, not the usual 1e-5: dead channels of a slim network would otherwise become pure noise.
    return F.instance_norm(features.float(), eps=1e-3)
