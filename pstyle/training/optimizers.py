"""Adam as the loops use it: its betas, and the parameter groups of a style, each with its learning rate."""

from __future__ import annotations

from typing import Protocol

import torch

from ..style.styled_generator import StyledGenerator

BETAS = (0.9, 0.99)  # 0.99 instead of the usual 0.999, since runs are short and gradients change fast
ADVERSARIAL_BETAS = (0.0, 0.99)  # no momentum against an opponent that moves, too


class StyleRates(Protocol):
    """The learning rates that a loop's settings give a style."""

    lr_latent: float
    lr_offset: float
    lr_weight: float


def style_optimizer(
    styled: StyledGenerator, rates: StyleRates, betas: tuple[float, float] = BETAS
) -> torch.optim.Adam:
    """Adam over a style's own parameters, usually with higher rates for latents and offsets."""
    groups = [
        {"params": [styled.latent], "lr": rates.lr_latent},
        {"params": list(styled.offsets.parameters()), "lr": rates.lr_offset},
        {"params": list(styled.generator.convs.parameters()), "lr": rates.lr_weight},
    ]
    return torch.optim.Adam(groups, betas=betas)
