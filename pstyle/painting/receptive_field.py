"""The receptive field of a network: the overlap that a tile needs to be painted as in the whole.

It is measured by running the layers with positive weights, where nothing cancels, and changing half of the
picture. So no layer's size is written down twice.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor, nn

from ..nets.generator import STRIDE, STYLE_LAYERS, Generator, GeneratorConfig, outline
from ..nets.layers import EPS, Statistics
from ..nets.vgg import VGG

FIRST_WIDTH_PX = 256  # of the test pictures; doubled until the receptive field fits
BRIGHT = 10.0  # enough to activate every unit of a network


@cache
@torch.inference_mode()
def generator_reach_px(config: GeneratorConfig) -> int:
    """The largest distance, in pixels, at which a pixel affects a painting with fixed statistics."""
    generator = _positive(outline(config))
    modulation = {
        site: torch.full((1, mod.linear.out_features, 1, 1), BRIGHT, dtype=torch.float64)
        for site, mod in generator.mods.items()
    }
    given = Statistics(*torch.tensor([0.0, 1 - EPS], dtype=torch.float64).view(2, 1, 1, 1, 1))

    def paint(picture: Tensor) -> Tensor:
        content = generator.content(picture)
        return generator(picture, content, modulation, normalize=lambda site, x: given)

    return reach_px(paint)


@cache
@torch.inference_mode()
def vgg_reach_px(width: float, inner: float = 1.0) -> int:
    """The largest distance, in pixels, at which a pixel affects the features that its style is read from."""
    with torch.device("meta"):
        vgg = VGG(width, STYLE_LAYERS[-1], inner)
    vgg = _positive(vgg)

    def deepest(picture: Tensor) -> Tensor:
        found = vgg(picture, STYLE_LAYERS[-1:])[STYLE_LAYERS[-1]]
        return found.repeat_interleave(picture.shape[3] // found.shape[3], dim=3)

    return reach_px(deepest)


def reach_px(run: Callable[[Tensor], Tensor], width_px: int = FIRST_WIDTH_PX) -> int:
    """How many columns beyond a border the output of `run` changes when the picture changes up to the border.

    `run` takes float64 pictures (B, 3, H, W) to (B, C, H', W). Every border position within a stride is
    tried, from both sides.
    """
    columns = torch.arange(width_px)
    borders = (width_px // 2 + torch.arange(STRIDE)).view(-1, 1)
    before = (columns < borders).double().view(STRIDE, 1, 1, width_px).expand(-1, 3, 2 * STRIDE, -1)
    plain = run(torch.full_like(before, BRIGHT))
    seen = [(run(BRIGHT + lit) != plain).any(1).any(1) for lit in (before, 1 - before)]  # (STRIDE, W)
    if seen[0][:, -1].any() or seen[1][:, 0].any():
        return reach_px(run, 2 * width_px)
    after = (seen[0] & (columns >= borders)).sum(1).max()
    return int(torch.maximum(after, (seen[1] & (columns < borders)).sum(1).max()))


def _positive(network: Generator | VGG) -> nn.Module:
    """A network on the meta device, materialized with weights that make every unit average its inputs."""
    network = network.to_empty(device="cpu").double()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    if isinstance(network, VGG):
        network.mean.zero_()
        network.std.fill_(1)
    return network
