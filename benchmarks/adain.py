"""The other peer of the speed benchmark: an AdaIN network (arXiv 1703.06868) of the published size.

Its weights are random, which changes nothing in the time: VGG-19 to relu4_1, the adaptive instance
normalization, and the decoder that mirrors the encoder.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from pstyle.nets.vgg import VGG

DECODER = (512, 256, "up", 256, 256, 256, 128, "up", 128, 64, "up", 64, 3)  # channels after each convolution


def decoder() -> nn.Sequential:
    """The published decoder: nearest upsampling, reflected borders, no ReLU after the last convolution."""
    layers: list[nn.Module] = []
    channels = DECODER[0]
    for size in DECODER[1:]:
        if size == "up":
            layers.append(nn.Upsample(scale_factor=2))
        else:
            layers += [nn.ReflectionPad2d(1), nn.Conv2d(channels, size, 3), nn.ReLU()]
            channels = size
    return nn.Sequential(*layers[:-1])


def adain_painter(style: Tensor) -> Callable[[Tensor], Tensor]:
    """paint(content) -> picture for one style (1, 3, H, W), whose own part is computed once."""
    encoder, network = VGG(1.0, "relu4_1"), decoder().eval().requires_grad_(False)
    with torch.inference_mode():
        target = encoder(style, ("relu4_1",))["relu4_1"]
        mean, deviation = target.mean((2, 3), keepdim=True), target.std((2, 3), keepdim=True)

    @torch.inference_mode()
    def paint(content: Tensor) -> Tensor:
        features = encoder(content, ("relu4_1",))["relu4_1"]
        own = torch.var_mean(features, (2, 3), keepdim=True)
        return network((features - own[1]) / (own[0] + 1e-5).sqrt() * deviation + mean).clamp(0, 1)

    return paint
