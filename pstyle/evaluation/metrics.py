"""Scores of a stylized picture, independent of every loss: style, patches, color, structure and edges.

Patch SWD follows Elnekave & Weiss (arXiv 2203.14672), SSIM follows Wang et al. 2004, and the style score
compares the statistics that Gatys et al. (arXiv 1508.06576) and Huang & Belongie (arXiv 1703.06868) match.
Scores are comparable only between pictures of one size and, for those based on features, with one VGG.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..image.blur import gaussian_blur
from ..image.colors import luma
from ..nets.vgg import VGG

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1")
CONTENT_LAYER = "relu3_1"
SMALLEST_SIDE_PX = 16
PATCH_PX = 7
SEED = 7  # of the random directions, so that scores are reproducible
EPS = 1e-12


def score(output: Tensor, content: Tensor, styles: Sequence[Tensor], vgg: VGG) -> dict[str, float]:
    """All scores of one painted picture; those against the style are averaged over the style pictures.

    output, content and each style are (1, 3, H, W) in [0, 1]; output is resized to content if sizes differ.
    style, patch_swd, color, content: lower is better, 0 if equal; ssim, edge_f1: higher, 1 if equal.
    Raises ValueError for no style, a shape or type that is not a picture, NaN, or a side under 16 px.
    """
    if not styles:
        raise ValueError("no style picture to score against; give at least one")
    for name, image in (("output", output), ("content", content), *(("style", style) for style in styles)):
        _check(image, name)
    with torch.inference_mode():
        if output.shape != content.shape:
            output = _resized(output, *content.shape[2:])
        painted, original = vgg(output, STYLE_LAYERS), vgg(content, (CONTENT_LAYER,))
        return {
            "style": _mean([style_score(painted, vgg(style, STYLE_LAYERS)) for style in styles]),
            "patch_swd": _mean([patch_swd(output, style) for style in styles]),
            "color": _mean([color_distance(output, style) for style in styles]),
            "content": content_score(painted, original),
            "ssim": ssim(output, content),
            "edge_f1": edge_f1(output, content),
        }


def style_score(output: Mapping[str, Tensor], style: Mapping[str, Tensor]) -> float:
    """Distance of means, deviations and Gram matrices relative to the style's own, averaged over its layers.

    Both map layer names to features (1, C, H, W), whose sizes may differ. 0 is equal, 0.5 to 1 is unrelated.
    """
    return _mean([_layer_distance(output[layer], features) for layer, features in style.items()])


def content_score(output: Mapping[str, Tensor], content: Mapping[str, Tensor]) -> float:
    """Mean squared difference of instance-normalized relu3_1 (1, C, H, W): 0 is equal, 2 is unrelated."""
    a, b = (F.instance_norm(features[CONTENT_LAYER].float(), eps=1e-3) for features in (output, content))
    return (a - b).square().mean().item()


def patch_swd(output: Tensor, style: Tensor, directions: int = 128) -> float:
    """Sliced Wasserstein distance of the 7x7 patches of two pictures (1, 3, H, W), along unit directions.

    The center squares are compared at 256, 128 and 64 px, by the patches they contain, not by position.
    """
    generator = torch.Generator().manual_seed(SEED)
    total = 0.0
    for side_px in (256, 128, 64):
        kernels = torch.randn(directions, 3, PATCH_PX, PATCH_PX, generator=generator).to(output.device)
        kernels = kernels / kernels.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        a, b = (_sorted_projections(image, kernels, side_px) for image in (output, style))
        total += (a - b).abs().mean().item()
    return total / 3


def pooled_patch_swd(outputs: Sequence[Tensor], styles: Sequence[Tensor], directions: int = 128) -> float:
    """Sliced Wasserstein distance of the 7x7 patches of all outputs together from those of all styles.

    Pictures (1, 3, H, W), 56 px or more a side, are compared at 1/2, 1/4 and 1/8 of their own resolution.
    A mean of distances between single pictures is lowest for a painter that always paints an average picture;
    the pooled distance is lowest for one with the variety of all styles.
    """
    generator = torch.Generator().manual_seed(SEED)
    total = 0.0
    for reduction in (2, 4, 8):
        kernels = torch.randn(directions, 3, PATCH_PX, PATCH_PX, generator=generator).to(outputs[0].device)
        kernels = kernels / kernels.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        a, b = (_sorted_rows(_projected(images, kernels, reduction)) for images in (outputs, styles))
        a, b = (a, b) if a.shape[1] <= b.shape[1] else (b, a)
        places = (torch.arange(a.shape[1], dtype=torch.float64) + 0.5) * b.shape[1] / a.shape[1]
        total += (a - b[:, places.long().to(b.device)]).abs().mean().item()
    return total / 3


def color_distance(output: Tensor, style: Tensor, directions: int = 64) -> float:
    """Sliced Wasserstein distance of the colors of two pictures (1, 3, H, W), in CIE Lab units."""
    generator = torch.Generator().manual_seed(SEED)
    axes = F.normalize(torch.randn(directions, 3, generator=generator), dim=1).to(output.device)
    a, b = (_color_quantiles(image, axes) for image in (output, style))
    return (a - b).abs().mean().item()


def ssim(output: Tensor, content: Tensor) -> float:
    """Structural similarity of the luma of two pictures (1, 3, H, W): 11x11 Gaussian window of sigma 1.5 px.

    Raises ValueError for different sizes or a side under 11 px, where not one window fits.
    """
    if output.shape != content.shape or min(output.shape[2:]) < 11:
        got = f"{_size(output)} and {_size(content)}"
        raise ValueError(f"SSIM compares pictures of one size, at least 11 px a side; got {got}")
    x, y = luma(output), luma(content)
    mean_x, mean_y = _windowed(x), _windowed(y)
    var_x, var_y = _windowed(x * x) - mean_x.square(), _windowed(y * y) - mean_y.square()
    covariance = _windowed(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2  # Wang's constants for a range of 1
    brightness = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    return (brightness * (2 * covariance + c2) / (var_x + var_y + c2)).mean().item()


def edge_f1(output: Tensor, content: Tensor, tolerance_px: int = 2) -> float:
    """F1 of the strongest tenth of the edges of two pictures (1, 3, H, W), matched within a tolerance.

    1 where neither picture has an edge, 0 where only one has. Raises ValueError for different sizes.
    """
    if output.shape != content.shape:
        raise ValueError(f"edges are compared at one size; got {_size(output)} and {_size(content)}")
    found, wanted = _edges(output), _edges(content)
    if not found.any() or not wanted.any():
        return float(found.any() == wanted.any())
    precision = (found & _dilated(wanted, tolerance_px)).sum().item() / found.sum().item()
    recall = (wanted & _dilated(found, tolerance_px)).sum().item() / wanted.sum().item()
    return 2 * precision * recall / max(precision + recall, 1e-12)


def lab(image: Tensor) -> Tensor:
    """CIE Lab (B, 3, H, W) of sRGB pictures in [0, 1], white point D65: L 0..100, a and b about -100..100.

    Uses scikit-image's rounded coefficients: the digits of `colors.rgb_to_lab` would change published color
    scores by up to 3e-4.
    """
    linear = torch.where(image > 0.04045, ((image.clamp_min(0) + 0.055) / 1.055) ** 2.4, image / 12.92)
    to_xyz = image.new_tensor(
        ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
    )
    white = image.new_tensor((0.95047, 1.0, 1.08883)).view(1, 3, 1, 1)
    xyz = torch.einsum("rc,bchw->brhw", to_xyz, linear) / white
    x, y, z = torch.where(xyz > 0.008856, xyz.clamp_min(1e-6) ** (1 / 3), 7.787 * xyz + 16 / 116).unbind(1)
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), dim=1)


def _check(image: Tensor, name: str) -> None:
    if image.ndim != 4 or image.shape[:2] != (1, 3) or image.dtype != torch.float32:
        raise ValueError(
            f"{name} must be one picture (1, 3, H, W) of float32; got {tuple(image.shape)} of {image.dtype}"
        )
    if min(image.shape[2:]) < SMALLEST_SIDE_PX:
        raise ValueError(f"{name} is {_size(image)}; scores need at least {SMALLEST_SIDE_PX} px a side")
    if not torch.isfinite(image).all():
        raise ValueError(f"{name} holds NaN or infinity; scores need finite pixels in [0, 1]")


def _layer_distance(output: Tensor, style: Tensor) -> float:
    mean_x, std_x, gram_x = _statistics(output)
    mean_y, std_y, gram_y = _statistics(style)
    energy = mean_y.square().sum() + std_y.square().sum() + EPS
    first = ((mean_x - mean_y).square().sum() + (std_x - std_y).square().sum()) / energy
    second = (gram_x - gram_y).square().sum() / (gram_y.square().sum() + EPS)
    return (0.5 * (first + second)).item()


def _statistics(features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    # Not moments.py: a score that shares code with the loss would share its mistakes.
    flat = features[0].float().flatten(1)  # (C, M)
    return flat.mean(1), flat.std(1), flat @ flat.T / flat.shape[1]


def _sorted_projections(image: Tensor, kernels: Tensor, side_px: int) -> Tensor:
    square = _resized(_center_square(image), side_px, side_px)
    return _sorted_rows(F.conv2d(square, kernels)[0].flatten(1))  # (directions, patches)


def _projected(images: Sequence[Tensor], kernels: Tensor, reduction: int) -> Tensor:
    """Patches of all pictures along all directions, (directions, patches)."""
    found = [F.conv2d(F.avg_pool2d(image, reduction), kernels)[0].flatten(1) for image in images]
    return torch.cat(found, dim=1)


def _color_quantiles(image: Tensor, axes: Tensor, count: int = 1024, pixels: int = 2**16) -> Tensor:
    colors = lab(image).flatten(2)[0]  # (3, M)
    available = colors.shape[1]
    if available > pixels:  # enough for the distance, and the time stays bounded
        chosen = torch.linspace(0, available - 1, pixels, dtype=torch.float64).long()
        colors = colors[:, chosen.to(colors.device)]
    ordered = _sorted_rows(axes @ colors)  # (directions, M)
    places = (torch.arange(count, dtype=torch.float64) + 0.5) * ordered.shape[1] / count
    return ordered[:, places.long().to(ordered.device)]


def _sorted_rows(values: Tensor) -> Tensor:
    if values.device.type == "cpu":  # numpy sorts floats about nine times faster than torch does
        return torch.from_numpy(np.sort(values.detach().numpy(), axis=1))
    return values.sort(1).values


def _edges(image: Tensor) -> Tensor:
    kernel = image.new_tensor(((3, 10, 3), (0, 0, 0), (-3, -10, -3))) / 32  # Scharr
    padded = F.pad(luma(image), (1, 1, 1, 1), mode="replicate")
    both = F.conv2d(padded, torch.stack((kernel, kernel.T))[:, None]).square().sum(1, keepdim=True)
    threshold = both.flatten().kthvalue(math.ceil(0.9 * both.numel())).values
    return both > threshold.clamp_min(1e-8)  # a flat picture has rounding noise, not edges


def _dilated(mask: Tensor, radius_px: int) -> Tensor:
    return F.max_pool2d(mask.float(), 2 * radius_px + 1, stride=1, padding=radius_px) > 0


def _windowed(x: Tensor) -> Tensor:
    """Means under the SSIM window at all positions where it fits."""
    return gaussian_blur(x, 1.5, 5, "valid")


def _center_square(image: Tensor) -> Tensor:
    height, width = image.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[:, :, top : top + side, left : left + side]


def _resized(image: Tensor, height: int, width: int) -> Tensor:
    return F.interpolate(image, size=(height, width), mode="bilinear", antialias=True)


def _size(image: Tensor) -> str:
    return f"{image.shape[-1]}x{image.shape[-2]} px"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
