"""Adam as the loops use it: its betas, and the parameters of a style in groups, each with a learning rate."""

from __future__ import annotations

from typing import Protocol

import torch

from ..style.styled_generator import StyledGenerator

BETAS = (0.9, 0.99)  # 0.99 rather than the usual 0.999: runs are short, and gradients change fast
ADVERSARIAL_BETAS = (0.0, 0.99)  # no momentum: the opponent it was gained against has moved on


class StyleRates(Protocol):
    """The learning rates that a loop's settings give a style."""

    lr_latent: float
    lr_offset: float
    lr_weight: float


def style_optimizer(
    styled: StyledGenerator, rates: StyleRates, betas: tuple[float, float] = BETAS
) -> torch.optim.Adam:
    """Adam over what a style owns; latents and offsets usually move faster than the convolutions."""
    groups = [
        {"params": [styled.latent], "lr": rates.lr_latent},
        {"params": list(styled.offsets.parameters()), "lr": rates.lr_offset},
        {"params": list(styled.generator.convs.parameters()), "lr": rates.lr_weight},
    ]
    return torch.optim.Adam(groups, betas=betas)
