"""A step of the discriminator: hinge and LeCam losses on augmented crops.

The step is skipped while the discriminator is far ahead (Sanakoyeu et al., arXiv 1807.10201). Unpainted
photographs count as painted: they must not look real either.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..losses.adversarial import accuracy, hinge, lecam, realness
from ..nets.augmentation import augment
from ..nets.discriminator import Discriminator, split
from ..training.guarded_optimizer import GuardedOptimizer
from ..training.optimizers import ADVERSARIAL_BETAS
from ..training.training_state import TrainingState
from .equilibrium import GANState
from .finetune_config import FinetuneConfig

SUCCESS_LIMIT = 0.8  # accuracy above which the discriminator waits for the painter
SMOOTHING = 0.95  # per step, of the running averages
RUNNING_AVERAGES = {
    "success": 0.5,
    "real": 0.0,
    "painted": 0.0,
}  # numbers of the state, with their first values


@dataclass(frozen=True)
class DiscriminatorStep:
    """Updates the discriminator of a GAN state; running averages are kept in the training state."""

    gan: GANState
    guarded: GuardedOptimizer
    config: FinetuneConfig
    state: TrainingState

    def take(self, real: Tensor, painted: Tensor, content: Tensor, pace: float) -> dict[str, float]:
        """Train on crops (B, 3, S, S) at `pace` times the learning rate; returns the step's record."""
        c, gan, numbers, rng = self.config, self.gan, self.state.numbers, self.state.rng
        warm = self.state.step < c.warmup
        learns = warm or numbers["success"] <= SUCCESS_LIMIT
        # forward
        photos = content[: math.ceil(c.photo_share * c.batch)]
        batch = augment(torch.cat([real, painted, photos]), rng)
        features = gan.vgg(batch, gan.discriminator.layers)
        with torch.set_grad_enabled(learns):
            logits = gan.discriminator(features)
            of_real, of_painted, of_photos = split(logits, [len(real), len(painted), len(photos)])
            # losses
            terms = {"real": hinge(of_real, 1), "painted": (1 - c.photo_share) * hinge(of_painted, -1)}
            if len(photos):
                terms["photos"] = c.photo_share * hinge(of_photos, -1)
            if not warm:
                averages = numbers["real"], numbers["painted"]
                terms["lecam"] = c.lecam_weight * lecam(of_real, of_painted, *averages)
            loss = torch.stack(list(terms.values())).sum()
        # backward, guard, step
        if learns:
            self.guarded.step(loss, pace, terms)
        # record
        record = self.state.processes.mean_of(
            {
                "discriminator_loss": loss.item(),
                "batch_accuracy": accuracy(of_real, of_painted),
                "real": realness(of_real).item(),
                "painted": realness(of_painted).item(),
            }
        )
        if math.isfinite(record["discriminator_loss"]):
            latest = record | {"success": record["batch_accuracy"]}
            for name in RUNNING_AVERAGES:
                numbers[name] = SMOOTHING * numbers[name] + (1 - SMOOTHING) * latest[name]
        return {name: record[name] for name in ("discriminator_loss", "batch_accuracy")}


def discriminator_optimizer(discriminator: Discriminator, config: FinetuneConfig) -> torch.optim.Adam:
    """Adam over the discriminator's heads."""
    return torch.optim.Adam(discriminator.parameters(), lr=config.lr_discriminator, betas=ADVERSARIAL_BETAS)
