"""The checks of a fine-tuning: discriminator, equilibrium and painter, measured on held-out pictures."""

from __future__ import annotations

import torch

from ..core.process_group import ProcessGroup
from ..style.styled_generator import StyledGenerator
from ..training.optimizers import ADVERSARIAL_BETAS, style_optimizer
from .discriminator_step import discriminator_optimizer
from .equilibrium import GANState, ValidationMetrics, diagnose, duality_gap, held_out_scores
from .finetune_config import FinetuneConfig
from .two_sample_test import CLASSIFIERS, TwoSample
from .validation_split import TrainingSplit, ValidationSplit, center_square, spread

DUALITY_STEPS = 8
PAINTED = 8  # training contents painted for the classifiers to learn from


class Validator:
    """Measures a fine-tuning on its validation split; all processes get the same numbers."""

    def __init__(
        self,
        gan: GANState,
        training: TrainingSplit,
        validation: ValidationSplit,
        config: FinetuneConfig,
        processes: ProcessGroup,
    ) -> None:
        self.gan, self.training, self.validation = gan, training, validation
        self.config, self.processes = config, processes
        self.two_sample = TwoSample(training.reals, validation.styles, gan.vgg, config.seed)

    def metrics(self, average: StyledGenerator, step: int) -> ValidationMetrics:
        """All metrics of a check after `step`, with the scores of the averaged style."""
        validation = self.validation
        found = diagnose(self.gan, validation.known, validation.fresh, validation.content)
        found = self.processes.broadcast(found | {"duality": self._duality(step)})
        return found | self.scores(average)

    def scores(self, styled: StyledGenerator) -> ValidationMetrics:
        """Scores of a painter: patch distance, SSIM, contrast and two-sample test accuracy."""
        found = held_out_scores(styled, self.validation.contents, self.validation.styles)
        accuracy = self.two_sample_accuracy(styled, classifiers=1)
        return self.processes.broadcast(found | {"two_sample_accuracy": accuracy})

    @torch.no_grad()
    def two_sample_accuracy(self, styled: StyledGenerator, classifiers: int = CLASSIFIERS) -> float:
        """Accuracy on held-out crops of classifiers trained against a painter; 0.5 is a guess."""
        trained_on = spread(self.training.contents, PAINTED)
        painted = [styled.paint(center_square(picture)).clamp(0, 1) for picture in trained_on]
        unseen = [styled.paint(picture).clamp(0, 1) for picture in self.validation.contents]
        return self.two_sample.two_sample_accuracy(painted, unseen, classifiers)

    def _duality(self, step: int) -> float:
        c, validation = self.config, self.validation
        rng = torch.Generator().manual_seed(c.seed + step)  # its own: a check must not change later steps
        return duality_gap(
            self.gan,
            validation.fresh,
            validation.content,
            lambda: self.training.draw(c.batch, c.crop_px, rng),
            lambda discriminator: discriminator_optimizer(discriminator, c),
            lambda styled: style_optimizer(styled, c, ADVERSARIAL_BETAS),
            DUALITY_STEPS,
        )
