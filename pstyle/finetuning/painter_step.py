"""A step of the painter: the loss terms of learning, a Fisher critic, and the adversarial term.

The adversarial weight follows from gradient norms as in VQGAN (Esser et al., arXiv 2012.09841). We take them
at the painted pixels, where both gradients exist anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.progress import record_of
from ..losses.adversarial import adaptively_weighted, realness
from ..losses.painter_loss import PainterLoss, loss_weights
from ..losses.perceptual import clamp_through, weighted
from ..nets.augmentation import augment
from ..style.styled_generator import StyledGenerator
from ..training.ema import update_ema
from ..training.guarded_optimizer import GuardedOptimizer
from ..training.training_state import TrainingState
from .equilibrium import GANState
from .finetune_config import FinetuneConfig
from .fisher_critic import FisherCritic, window_statistics

WINDOW_WEIGHT = 20.0  # of the critic, times the adversarial ratio: about the pull of style at the start


@dataclass(frozen=True)
class PainterStep:
    """Updates the painter of a GAN state, its moving average, and the critic."""

    gan: GANState
    average: StyledGenerator
    critic: FisherCritic | None
    loss: PainterLoss
    guarded: GuardedOptimizer
    config: FinetuneConfig
    state: TrainingState

    def take(self, painted: Tensor, image: Tensor, pace: float) -> dict[str, float]:
        """Train on crops `painted` from `image`, both (B, 3, S, S); returns the step's record.

        `pace` scales the learning rates and the adversarial ratio. If `painted` requires no gradient, as
        during warm-up, losses are recorded and nothing changes.
        """
        c, state, ratio = self.config, self.state, self.config.adversarial_ratio * pace
        adversarial_weight = torch.zeros(())
        learns = painted.requires_grad
        # losses
        with torch.set_grad_enabled(learns):
            shown = clamp_through(painted)
            features = self.loss.perceptual.features(shown)
            terms = self.loss.terms(painted, image, state.rng, shown, features)
            if self.critic:
                windows = window_statistics(features)
                terms["windows"] = -self.critic(windows).mean()
            loss = weighted(terms, loss_weights(c) | {"windows": WINDOW_WEIGHT * ratio})
            # Clamped again, since the adaptive weight back-propagates each of the two terms separately.
            adversarial = -realness(self.gan.judge(augment(clamp_through(painted), state.rng)))
        terms["adversarial"] = adversarial
        # backward, guard, step
        if learns:
            loss, adversarial_weight = adaptively_weighted(painted, loss, adversarial, ratio, state.processes)
            # Rates fall to a tenth over the run; otherwise, with new crops each step, it would never settle.
            if self.guarded.step(loss, pace * (1 - 0.9 * state.step / c.steps), terms):
                update_ema(self.average, self.gan.styled, c.ema, step=state.step - c.warmup)
                if self.critic:
                    self.critic.update(windows, state.processes)
        # record
        record = record_of(loss, terms) | {"adversarial_weight": adversarial_weight.item()}
        return state.processes.mean_of(record)
