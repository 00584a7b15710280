"""The perceptual loss: style and content terms read from one or several VGGs, smoothness and range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..core.process_group import ALONE, ProcessGroup
from ..nets.moments import Moments, moments_by_layer
from ..nets.vgg import VGG, load_loss_vgg
from .style_content import content_distance, style_distance, total_variation

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
CONTENT_LAYERS = ("relu3_1", "relu4_1")


class Perceptual(nn.Module):
    """Features for losses, each layer from the first network that reaches it."""

    def __init__(self, networks: Sequence[VGG]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        left = list(STYLE_LAYERS)
        self.plan: list[tuple[str, ...]] = []
        for network in networks:
            self.plan.append(tuple(name for name in left if name in network.layers))
            left = [name for name in left if name not in network.layers]
        if len(left) == len(STYLE_LAYERS):
            raise ValueError("no network for the losses reaches relu1_1: give a VGG")

    def features(self, image: Tensor) -> dict[str, Tensor]:
        """Features of pictures (B, 3, H, W) by layer name."""
        found: dict[str, Tensor] = {}
        for network, names in zip(self.networks, self.plan, strict=True):
            if names:
                found |= network(image, names)
        return found

    @torch.no_grad()
    def style(self, image: Tensor) -> dict[str, Moments]:
        """Moments of style pictures (B, 3, H, W) by layer: the target of the style term."""
        return moments_by_layer(self.features(image))

    @torch.no_grad()
    def content(self, image: Tensor) -> dict[str, Tensor]:
        """Content features of pictures (B, 3, H, W) by layer: the target of the content term."""
        found = self.features(image)
        return {name: found[name] for name in CONTENT_LAYERS if name in found}

    def terms(
        self,
        output: Tensor,
        content: Mapping[str, Tensor],
        style: Mapping[str, Moments],
        gram_weight: float = 0.5,
        group: int = 1,
        processes: ProcessGroup = ALONE,
        features: Mapping[str, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """Dimensionless terms style, content, smooth and range of painted pictures (B, 3, H, W).

        The pictures may leave [0, 1]. Every `group` consecutive pictures share a style, and their statistics
        are taken together, so a crop of sky need not hold every color of the style. With several
        `processes`, a group extends over all of them, since the mean of their losses is not the loss of their
        mean statistics. Pass the `features` of `clamp_through(output)` if already computed.
        """
        features = features or self.features(clamp_through(output))
        found = _in_all(_grouped(moments_by_layer(features), group), processes)
        return {
            "style": style_distance(found, style, gram_weight),
            "content": content_distance(features, content),
            "smooth": total_variation(output),
            "range": (F.relu(output - 1) + F.relu(-output)).mean(),
        }


def weighted(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """The weighted sum of the terms; by default content has weight 1 and range weight 2."""
    weights = {"content": 1.0, "range": 2.0} | dict(weights)
    return torch.stack([weights[name] * value for name, value in terms.items()]).sum()


def perceptual_with(slim: VGG, vgg: VGG | None = None) -> Perceptual:
    """The loss read from `vgg`, by default the shipped one, and from `slim` for deeper layers.

    It is on the device of `slim`.
    """
    return Perceptual([vgg or load_loss_vgg(), slim]).to(next(slim.parameters()).device)


class _ClampThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx, image: Tensor) -> Tensor:
        ctx.save_for_backward(image)
        return image.clamp(0, 1)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        (image,) = ctx.saved_tensors
        outward = ((image > 1) & (gradient < 0)) | ((image < 0) & (gradient > 0))
        return gradient.masked_fill(outward, 0)


def clamp_through(image: Tensor) -> Tensor:
    """The picture clamped to [0, 1], with a gradient wherever descent leads a saturated pixel back inside.

    With plain clamping such a pixel never learns; passing every gradient drives it ever further out.
    """
    return _ClampThrough.apply(image)


def _grouped(found: Mapping[str, Moments], group: int) -> dict[str, Moments]:
    if group == 1:
        return dict(found)
    return {
        name: Moments(
            part.mean.unflatten(0, (-1, group)).mean(1), part.gram.unflatten(0, (-1, group)).mean(1)
        )
        for name, part in found.items()
    }


def _in_all(found: Mapping[str, Moments], processes: ProcessGroup) -> dict[str, Moments]:
    means = processes.mean(*(part.mean for part in found.values()))
    grams = processes.mean(*(part.gram for part in found.values()))
    return {name: Moments(*pair) for name, *pair in zip(found, means, grams, strict=True)}
