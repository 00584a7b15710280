"""What the parameters of a damage miss: a small network that adds it, modulated by a learned latent.

Its layers are style adjustment layers as `generator.StyleMod`, x * (1 + scale) + bias with [scale, bias] =
Linear(latent), but without instance norm: a damage is the same in a dark corner and in a bright one, and
tiles are damaged as the whole is. It starts by adding nothing.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .random_fields import white

CHANNELS, LATENT, NOISE = 24, 16, 3


class Residue(nn.Module):
    """A damaged picture (B, 3, H, W) -> the same with what its parameters miss; it may leave [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.latent = nn.Parameter(torch.zeros(LATENT))
        sizes = (3 + NOISE, CHANNELS, CHANNELS)
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1, padding_mode="replicate")
            for a, b in zip(sizes, sizes[1:], strict=False)
        )
        self.mods = nn.ModuleList(nn.Linear(LATENT, 2 * CHANNELS) for _ in self.convs)
        self.out = nn.Conv2d(CHANNELS, 3, 1)
        for layer in (*self.mods, self.out):
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.out.weight)

    def forward(self, image: Tensor, rng: torch.Generator) -> Tensor:
        """`rng` draws the noise that the network shapes, where it lives."""
        batch, _, height, width = image.shape
        x = torch.cat([image - 0.5, white((batch, NOISE, height, width), rng, image)], dim=1)
        for conv, mod in zip(self.convs, self.mods, strict=True):
            scale, bias = mod(self.latent).view(2, 1, CHANNELS, 1, 1)
            x = F.leaky_relu(conv(x) * (1 + scale) + bias, 0.2)
        return image + self.out(x)


def new_residue(seed: int = 0) -> Residue:
    """One that adds nothing yet; its inner weights depend on the seed alone."""
    residue, rng = Residue(), torch.Generator().manual_seed(seed)
    for layer in (*residue.convs, *residue.mods):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="leaky_relu", generator=rng)
    for layer in residue.convs:
        nn.init.zeros_(layer.bias)
    nn.init.normal_(residue.latent, generator=rng)
    return residue
