"""The adversarial stage of a restorer: a discriminator that distinguishes repaired from clean crops.

The heads, the hinge loss and the adaptive weight are those of fine-tuning a style.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...losses.adversarial import adaptively_weighted, hinge, realness
from ...losses.perceptual import clamp_through
from ...nets.augmentation import augment
from ...nets.discriminator import Discriminator
from ...nets.vgg import VGG
from ...training.guarded_optimizer import GuardedOptimizer
from ...training.optimizers import ADVERSARIAL_BETAS

LR = 0.002


class Adversary:
    """A discriminator in training, on the features of a frozen VGG."""

    def __init__(self, vgg: VGG, device: torch.device, seed: int) -> None:
        self.vgg = vgg
        self.discriminator = Discriminator(vgg, seed=seed).to(device)
        self.adam = torch.optim.Adam(self.discriminator.parameters(), lr=LR, betas=ADVERSARIAL_BETAS)
        self.guarded = GuardedOptimizer(self.adam)

    def learn(self, clean: Tensor, repaired: Tensor, rng: torch.Generator) -> float:
        """Take a step of the discriminator on crops (B, 3, S, S); returns its loss.

        Features of the first clean crops set the scale of its input.
        """
        if not self.adam.state:
            self.discriminator.measure(self.vgg(clean, self.discriminator.layers))
        batch = augment(torch.cat([clean, repaired.detach().clamp(0, 1)]), rng)
        with torch.no_grad():
            features = self.vgg(batch, self.discriminator.layers)
        logits = self.discriminator(features)
        real, made = ({name: value.chunk(2)[side] for name, value in logits.items()} for side in (0, 1))
        loss = hinge(real, 1) + hinge(made, -1)
        self.guarded.step(loss)
        return loss.item()

    def against(self, repaired: Tensor, loss: Tensor, ratio: float, rng: torch.Generator) -> Tensor:
        """Add the adversarial term to a loss of repaired crops, with `ratio` times the loss's gradient."""
        seen = augment(clamp_through(repaired), rng)
        term = -realness(self.discriminator(self.vgg(seen, self.discriminator.layers)))
        return adaptively_weighted(repaired, loss, term, ratio)[0]
