"""The loss of painting: statistics, nearest neighbors and patches of the style; deep content and layout.

Gatys et al., arXiv 1508.06576 (style, content); Zhang et al., arXiv 2206.06360 (nearest neighbors); Kolkin et
al., arXiv 1904.12785 (self-similarity) and 2203.13215 (color distances). No SSIM and no shallow content: both
ask for a tinted photograph.
"""

# ruff: noqa: E501, E741, T201 (a trial)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pstyle.core.config import check_settings, setting
from pstyle.evaluation.copying import PATCH_PX
from pstyle.image.colors import luma
from pstyle.losses.patches import wasserstein
from pstyle.losses.perceptual import clamp_through
from pstyle.losses.style_content import layer_style_distance, total_variation
from pstyle.nets.moments import Moments, moments
from pstyle.nets.vgg import VGG, load_loss_vgg, load_vgg

STYLE_LAYERS = {"relu1_1": 0.5, "relu2_1": 1.0, "relu3_1": 1.5, "relu4_1": 1.5, "relu5_1": 0.5}  # weights
CONTENT_LAYER = "relu4_1"
SHAPE_LAYERS = ("relu3_1", "relu4_1")  # of the deep network; small faces are lost at relu4_1 alone
NEIGHBOR_LAYERS = ("relu2_1", "relu3_1", "relu4_1")
NEIGHBORS = 1024  # style features kept per layer
QUERIES = 768  # painted features compared per layer and style
LAYOUT_PX = 16
PATCH_STRIDES = {1: 3, 2: 2, 4: 1, 8: 1}  # reduction of the picture -> step from patch to patch
EPS = 1e-6


@dataclass(frozen=True)
class LossConfig:
    """Weights of the loss; content has weight 1."""

    style: float = setting(10.0, 0.0, 1e3, "weight of moments and Gram matrices")
    gram: float = setting(0.5, 0.0, 1e2, "weight of Gram matrices beside means and deviations")
    neighbors: float = setting(1.0, 0.0, 1e3, "weight of nearest-neighbor matching")
    patches: float = setting(10.0, 0.0, 1e3, "weight of sliced patches")
    light: float = setting(0.6, 0.0, 1e2, "weight of where light and dark lie")
    colors: float = setting(0.15, 0.0, 1e2, "weight of color distances in a coarse copy")
    similarity: float = setting(1.5, 0.0, 1e2, "weight of self-similarity of deep features")
    smooth: float = setting(0.1, 0.0, 1e2, "weight of total variation")
    range: float = setting(2.0, 0.0, 1e2, "weight of values outside [0, 1]")
    content: float = setting(1.25, 0.0, 1e2, "weight of deep content")

    def __post_init__(self) -> None:
        check_settings(self)

    def total(self, terms: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum of loss terms by name."""
        return torch.stack([getattr(self, name) * value for name, value in terms.items()]).sum()


@dataclass(frozen=True)
class StyleTarget:
    """What the loss knows of one style: moments (1, C) and feature samples (C, N) by layer, its picture
    (1, 3, H, W) or a crop of it for patches.
    """

    moments: dict[str, Moments]
    features: dict[str, Tensor]
    image: Tensor


class Perceptual(nn.Module):
    """Features for losses; each layer comes from the first network that reaches it."""

    def __init__(self, networks: Sequence[VGG]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        left = list(STYLE_LAYERS)
        self.plan: list[tuple[str, ...]] = []
        for network in networks:
            self.plan.append(tuple(name for name in left if name in network.layers))
            left = [name for name in left if name not in network.layers]

    def features(self, image: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Features of pictures (B, 3, H, W) by layer: those that style is read from, and `shapes`."""
        found: dict[str, Tensor] = {}
        for network, names in zip(self.networks, self.plan, strict=True):
            if network is not self.networks[-1]:
                found |= network(image, names)
        deep = self.networks[-1](image, {*self.plan[-1], *SHAPE_LAYERS})
        found |= {name: deep[name] for name in self.plan[-1]}
        return found, {name: deep[name] for name in SHAPE_LAYERS}

    def shapes(self, image: Tensor) -> dict[str, Tensor]:
        """Features of pictures (B, 3, H, W) that tell what is depicted, all of the deep network."""
        return self.networks[-1](image, SHAPE_LAYERS)

    @torch.no_grad()
    def target(self, image: Tensor, rng: torch.Generator) -> StyleTarget:
        """The target of a style picture (1, 3, H, W)."""
        found, _ = self.features(image)
        samples = {}
        for name in NEIGHBOR_LAYERS:
            flat = found[name].flatten(2)[0]  # (C, H * W)
            chosen = torch.randperm(flat.shape[1], generator=rng)[:NEIGHBORS]
            samples[name] = flat[:, chosen].contiguous()
        return StyleTarget({name: moments(found[name]) for name in STYLE_LAYERS}, samples, image)


def load_perceptual(folder: Path, is_fast: bool = False) -> Perceptual:
    """VGG-19 to relu3_1, or with `is_fast` the shipped network with half of its width between those layers, in
    two thirds of the time; and the distilled sibling from there. `folder` is vgg.
    """
    shallow = load_loss_vgg() if is_fast else load_vgg(folder / "vgg19_relu3_1.safetensors")
    return Perceptual([shallow, load_vgg(folder / "vgg19_16x.safetensors")])


def painting_terms(
    output: Tensor,
    image: Tensor,
    targets: Sequence[StyleTarget],
    perceptual: Perceptual,
    config: LossConfig,
    rng: torch.Generator,
    content: Mapping[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    """Loss terms of S * K paintings (S * K, 3, H, W) of photographs `image`; K in a row share a style, and
    their statistics are taken together. A term of weight 0 is left out.
    """
    shown = clamp_through(output)
    found, shapes = perceptual.features(shown)
    if content is None:
        with torch.no_grad():
            content = perceptual.shapes(image)
    terms = {
        "style": style_distance(found, targets, config.gram),
        "content": F.mse_loss(normalized(shapes[CONTENT_LAYER]), normalized(content[CONTENT_LAYER])),
        "smooth": total_variation(output),
        "range": (F.relu(output - 1) + F.relu(-output)).mean(),
    }
    if config.neighbors:
        terms["neighbors"] = neighbor_distance(found, targets, rng)
    if config.patches:
        terms["patches"] = patch_distance(shown, targets, rng)
    if config.light:
        terms["light"] = light_distance(shown, image)
    if config.colors:
        terms["colors"] = color_distance(shown, image)
    if config.similarity:
        terms["similarity"] = similarity_distance(shapes, content)
    return terms


def style_distance(found: Mapping[str, Tensor], targets: Sequence[StyleTarget], gram_weight: float) -> Tensor:
    """Weighted mean over layers of the distance of moments, each relative to the target's energy; features
    are (S * K, C, H, W).
    """
    total = torch.zeros(())
    for name, weight in STYLE_LAYERS.items():
        own = moments(found[name])
        mean = own.mean.unflatten(0, (len(targets), -1)).mean(1)
        gram = own.gram.unflatten(0, (len(targets), -1)).mean(1)
        wanted = Moments(
            torch.cat([t.moments[name].mean for t in targets]),
            torch.cat([t.moments[name].gram for t in targets]),
        )
        total = total + weight * layer_style_distance(Moments(mean, gram), wanted, gram_weight).mean()
    return total / sum(STYLE_LAYERS.values())


def neighbor_distance(
    found: Mapping[str, Tensor], targets: Sequence[StyleTarget], rng: torch.Generator
) -> Tensor:
    """Mean cosine distance of painted features (S * K, C, H, W) from their nearest style feature, both
    centered on the style's mean.
    """
    distances = []
    for name in NEIGHBOR_LAYERS:
        for own, target in zip(found[name].unflatten(0, (len(targets), -1)), targets, strict=True):
            flat = own.transpose(0, 1).flatten(1)  # (C, K * H * W)
            chosen = torch.randperm(flat.shape[1], generator=rng)[:QUERIES]
            center = target.moments[name].mean.T  # (C, 1)
            queries = F.normalize(flat[:, chosen] - center, dim=0)
            keys = F.normalize(target.features[name] - center, dim=0)
            with torch.no_grad():
                nearest = (queries.T @ keys).argmax(1)
            distances.append(1 - (queries * keys[:, nearest]).sum(0).mean())
    return torch.stack(distances).mean()


def patch_distance(
    output: Tensor, targets: Sequence[StyleTarget], rng: torch.Generator, directions: int = 6
) -> Tensor:
    """Sliced Wasserstein distance of patches of paintings (S * K, 3, H, W) from those of their style's picture."""
    distances = []
    for scale in PATCH_STRIDES:
        axes = F.normalize(torch.randn(directions, 3 * PATCH_PX**2, generator=rng), dim=1)
        kernels = axes.view(directions, 3, PATCH_PX, PATCH_PX)
        found = F.conv2d(F.avg_pool2d(output, scale), kernels, stride=PATCH_STRIDES[scale])
        for own, target in zip(found.unflatten(0, (len(targets), -1)), targets, strict=True):
            wanted = F.conv2d(F.avg_pool2d(target.image, scale), kernels, stride=PATCH_STRIDES[scale])
            distances.append(wasserstein(own.transpose(0, 1).flatten(1), wanted[0].flatten(1)))
    return torch.stack(distances).mean()


def light_distance(output: Tensor, image: Tensor) -> Tensor:
    """How differently light and dark lie in pictures (B, 3, H, W): mean squared difference of their luma,
    averaged over 8 and over 16 px and normalized to mean 0 and deviation 1; 2 if unrelated.
    """
    distances = []
    for side in (LAYOUT_PX // 2, LAYOUT_PX):
        x, y = (normalized(F.avg_pool2d(luma(part), side, stride=side // 2)) for part in (output, image))
        distances.append(F.mse_loss(x, y))
    return torch.stack(distances).mean()


def color_distance(output: Tensor, image: Tensor) -> Tensor:
    """Mean absolute difference of the distances between colors in 16-px averages of pictures (B, 3, H, W),
    each relative to their mean.
    """
    x, y = (_distances(F.avg_pool2d(part, LAYOUT_PX).flatten(2)) for part in (output, image))
    return (x - y).abs().mean()


def similarity_distance(output: Mapping[str, Tensor], content: Mapping[str, Tensor]) -> Tensor:
    """Mean absolute difference of the cosine distances between positions of features (B, C, h, w), each
    relative to their mean; averaged over layers.
    """
    pairs = [
        [_cosine_distances(part[name].flatten(2)) for part in (output, content)] for name in SHAPE_LAYERS
    ]
    return torch.stack([(x - y).abs().mean() for x, y in pairs]).mean()


def normalized(features: Tensor) -> Tensor:
    """Features (B, C, H, W) with mean 0 and deviation 1 per channel."""
    return F.instance_norm(features, eps=1e-3)


def _distances(x: Tensor) -> Tensor:  # (B, C, N) -> (B, N, N)
    found = ((x[:, :, :, None] - x[:, :, None]).square().sum(1) + 1e-4).sqrt()
    return found / found.mean((1, 2), keepdim=True)


def _cosine_distances(x: Tensor) -> Tensor:  # (B, C, N) -> (B, N, N)
    x = F.normalize(x - x.mean(2, keepdim=True), dim=1, eps=1e-3)
    found = 1 - x.mT @ x
    return found / found.mean((1, 2), keepdim=True)
