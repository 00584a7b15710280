"""The discriminator: patch heads on frozen VGG features that distinguish painted from real pictures.

Frozen features after fixed random mixing, as in Projected GANs (Sauer et al., arXiv 2111.01007), and spectral
norm (Miyato et al., arXiv 1802.05957). We differ in computing the spectral norm exactly instead of by power
iteration: the heads are small, and a forward pass changes no state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import conv
from .vgg import VGG, channels

# Layer -> number of 3x3 convolutions. A patch sees 18, 40 and 84 px, too little to memorize a composition.
DEPTHS = {"relu2_1": 2, "relu3_1": 2, "relu4_1": 1}
PLAIN_LAYERS = ("relu2_1", "relu3_1")
SLOPE = 0.2  # of the leaky ReLU

Logits = dict[str, Tensor]  # head -> (B, 1, h, w), one per patch: above 0 looks real, below 0 painted


class SpectralConv(nn.Module):
    """A 3x3 convolution whose weight, as a matrix (outputs, inputs * 9), has spectral norm 1."""

    def __init__(self, inputs: int, outputs: int, rng: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3, generator=rng))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def normalized(self) -> Tensor:
        """The weight (outputs, inputs, 3, 3) divided by its largest singular value."""
        return self.weight / spectral_norm(self.weight.flatten(1))

    def forward(self, x: Tensor) -> Tensor:
        return conv(x, self.normalized(), self.bias)


class PatchHead(nn.Module):
    """Features of one layer (B, C, h, w) -> a logit per patch (B, 1, h, w)."""

    def __init__(self, features: int, hidden: int, depth: int, rng: torch.Generator) -> None:
        super().__init__()
        sizes = [min(hidden, features)] + [hidden] * depth
        mixing = nn.init.orthogonal_(torch.empty(sizes[0], features), generator=rng)
        self.register_buffer("mixing", mixing[:, :, None, None])  # (mixed, C, 1, 1), orthonormal rows
        self.register_buffer("mean", torch.zeros(1, features, 1, 1))
        self.register_buffer("scale", torch.ones(()))
        self.convs = nn.ModuleList(SpectralConv(a, b, rng) for a, b in zip(sizes, sizes[1:], strict=False))
        self.weight = nn.Parameter(torch.randn(1, hidden, 1, 1, generator=rng) / hidden**0.5)
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, features: Tensor) -> Tensor:
        x = F.conv2d((features - self.mean) * self.scale, self.mixing)
        for layer in self.convs:
            x = F.leaky_relu(layer(x), SLOPE)
        return F.conv2d(x, self.weight, self.bias)


class PlainHead(nn.Module):
    """The plain discriminator: one 3x3 convolution from a layer's features (B, C, h, w) to a logit."""

    def __init__(self, features: int, rng: torch.Generator) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, features, 1, 1))
        self.register_buffer("scale", torch.ones(()))
        self.weight = nn.Parameter(torch.randn(1, features, 3, 3, generator=rng) / (3 * features**0.5))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, features: Tensor) -> Tensor:
        return conv((features - self.mean) * self.scale, self.weight, self.bias)


class Discriminator(nn.Module):
    """Patch heads on those of relu2_1, relu3_1 and relu4_1 that the VGG reaches; features in, logits out.

    The "plain" kind, for comparison, is one convolution on the deepest of relu2_1 and relu3_1. The VGG is not
    part of the module, so that copies and saved states hold the heads alone.
    """

    def __init__(self, vgg: VGG, hidden: int = 32, seed: int = 0, kind: str = "heads") -> None:
        """Raise ValueError for a VGG that ends before relu2_1."""
        super().__init__()
        reached = [name for name in DEPTHS if name in vgg.layers]
        if not reached:
            raise ValueError(f"this VGG ends at {vgg.last}: a discriminator needs one that reaches relu2_1")
        rng = torch.Generator().manual_seed(seed)
        sizes = {name: channels(vgg.width, name) for name in reached}
        if kind == "plain":
            layer = [name for name in reached if name in PLAIN_LAYERS][-1]
            heads = {layer: PlainHead(sizes[layer], rng)}
        else:
            heads = {name: PatchHead(size, hidden, DEPTHS[name], rng) for name, size in sizes.items()}
        self.heads = nn.ModuleDict(heads)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the VGG layers it reads."""
        return tuple(self.heads)

    def forward(self, features: Mapping[str, Tensor]) -> Logits:
        return {name: head(features[name]) for name, head in self.heads.items()}

    @torch.no_grad()
    def measure(self, features: Mapping[str, Tensor]) -> None:
        """Normalize inputs by features of real pictures: mean 0 in each channel, mean square 1 in each layer.

        A single scale per layer keeps the relative weight of its channels.
        """
        for name, head in self.heads.items():
            head.mean.copy_(features[name].mean((0, 2, 3), keepdim=True))
            head.scale.copy_((features[name] - head.mean).square().mean().clamp_min(1e-12).rsqrt())


@torch.no_grad()
def logit_map(discriminator: Discriminator, vgg: VGG, image: Tensor) -> Tensor:
    """The heads' mean logit (B, 1, H, W) at each pixel of pictures: above 0 where they look real."""
    logits = discriminator(vgg(image, discriminator.layers))
    maps = [F.interpolate(value, image.shape[2:], mode="bilinear") for value in logits.values()]
    return torch.stack(maps).mean(0)


def spectral_norm(matrix: Tensor) -> Tensor:
    """The largest singular value of a matrix with few rows, from the top eigenvalue of its Gram matrix."""
    return torch.linalg.eigvalsh(matrix @ matrix.T)[-1].clamp_min(1e-12).sqrt()


def split(logits: Logits, sizes: Sequence[int]) -> list[Logits]:
    """Split the logits of a batch into parts of the given sizes."""
    parts = {name: value.split(list(sizes)) for name, value in logits.items()}
    return [{name: part[index] for name, part in parts.items()} for index in range(len(sizes))]
