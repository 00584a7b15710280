"""The loop that fine-tunes a learned style against a discriminator until neither side gains.

Content and style terms stay, since a few real pictures alone would not constrain the painter.
`discriminator_step` and `painter_step` hold a step of each side, `validation` the checks on held-out
pictures, and `model_selection` the decisions based on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from ..core import checkpoint
from ..core.config import to_json
from ..core.process_group import ALONE, ProcessGroup
from ..core.progress import OnStep, Progress
from ..core.seeding import generator_of
from ..image.crops import single_pictures
from ..image.resizing import resize_short_side
from ..losses.painter_loss import PainterLoss
from ..losses.perceptual import Perceptual
from ..nets.discriminator import Discriminator
from ..nets.generator import Generator
from ..nets.moments import normalized_weights
from ..nets.vgg import VGG
from ..painting.calibrate import calibrated
from ..style.provenance import provenance_of
from ..style.style import Style, preview_of
from ..style.styled_generator import StyledGenerator
from ..training.guarded_optimizer import GuardedOptimizer, NotFinite
from ..training.optimizers import ADVERSARIAL_BETAS, style_optimizer
from ..training.style_pictures import style_pictures
from ..training.training_state import TrainingState
from .discriminator_step import RUNNING_AVERAGES, DiscriminatorStep, discriminator_optimizer
from .equilibrium import GANState, ValidationMetrics
from .finetune_config import FinetuneConfig
from .fisher_critic import FisherCritic, window_statistics
from .model_selection import ModelSelection
from .painter_step import PainterStep
from .validation import Validator
from .validation_split import hold_out

CRITIC_BATCHES, CRITIC_BATCH = 12, 8  # real crops, and painted ones, that the critic is fitted to
CRITIC_DRAWS = 12  # number of the random stream they are drawn from
FEW = 2  # pictures that a discriminator soon memorizes
MAX_NOTE = 2000  # characters of a provenance's note


@dataclass
class Finetuned:
    """The result of a run: the fine-tuned style if it won on held-out pictures, else the input style.

    `history` has a record per step, `checks` one per check. `discriminator` is the trained one, for maps.
    """

    style: Style
    history: list[dict[str, float]]
    checks: list[ValidationMetrics]
    verdict: str
    accepted: bool
    discriminator: Discriminator = field(repr=False)


class Finetuning:
    """Fine-tuning in progress: `run` it, stop it by raising from `on_step`, take the `result` at any time."""

    def __init__(
        self,
        style: Style,
        pictures: Sequence[Tensor],
        contents: Sequence[Tensor],
        generator: Generator,
        vgg: VGG,
        perceptual: Perceptual,
        config: FinetuneConfig | None = None,
        weights: Sequence[float] | None = None,
        processes: ProcessGroup = ALONE,
    ) -> None:
        """Pictures are the style's own, contents any others, (B, C, H, W); `vgg` is the slim one.

        Several `processes` take the same arguments and reach the same result. Raises ValueError for unusable
        pictures or weights, or a style of another generator.
        """
        self.config = c = config or FinetuneConfig()
        self.begun, self.pictures, self.perceptual = style, style_pictures(pictures), perceptual
        self.generator, self.vgg, self.processes = generator, vgg, processes
        self.rng = torch.Generator().manual_seed(c.seed)
        self.history: list[dict[str, float]] = []
        self.failure: str | None = None

        device = next(generator.parameters()).device
        seen = [resize_short_side(picture, c.size_px).to(device) for picture in self.pictures]
        contents = single_pictures(contents, "content picture", c.crop_px // 2)
        self.contents = [resize_short_side(picture, c.size_px).to(device) for picture in contents]
        shares = normalized_weights([1.0] * len(seen) if weights is None else weights, len(seen))
        self.loss = PainterLoss.of(seen, shares, perceptual, c, processes)
        self.training, self.validation = hold_out(seen, shares, self.contents, c.crop_px, self.rng)

        styled = StyledGenerator.of(generator, style).to(device)
        self.average, self.best = (deepcopy(styled).requires_grad_(False) for _ in range(2))
        styled.generator.convs.requires_grad_(True)
        eyes = perceptual.networks[0]  # the largest network: the slim one misses details that matter here
        discriminator = Discriminator(eyes, seed=c.seed, kind=c.discriminator).to(device)
        discriminator.measure(eyes(self.validation.known, discriminator.layers))
        self.gan = GANState(eyes, styled, discriminator)
        self.critic = self._fitted_critic() if c.discriminator == "heads" else None

        self.state = self._state()
        processes.broadcast_parameters(self.state.modules.values())
        processes.offset_seed(self.rng, c.seed)  # from here on each process draws its own crops
        self.validator = Validator(self.gan, self.training, self.validation, c, processes)
        self.selection = ModelSelection({"step": 0} | self.validator.scores(styled), self.state)
        self.guarded = {
            name: GuardedOptimizer(adam, processes=processes) for name, adam in self.state.optimizers.items()
        }
        self.discriminator = DiscriminatorStep(self.gan, self.guarded["discriminator"], c, self.state)
        self.painter = PainterStep(
            self.gan, self.average, self.critic, self.loss, self.guarded["painter"], c, self.state
        )

    def run(
        self, on_step: OnStep = lambda progress: None, state_path: Path | None = None, save_every: int = 50
    ) -> None:
        """Run to the end; with `state_path`, resume from that file if it exists, and save to it.

        If losses stay non-finite, the run ends as well, and the verdict says why.
        """
        c, state = self.config, self.state
        if state_path:
            state.resume(state_path)
        if self._too_few():
            return
        try:
            while state.step < c.steps and not self._ending():
                pace = self.selection.pace
                # batch
                real, image = self.training.draw(c.batch, c.crop_px, self.rng)  # both (B, 3, S, S)
                # forward
                with torch.set_grad_enabled(state.step >= c.warmup):
                    painted = self.gan.paint(image)  # (B, 3, S, S), may leave [0, 1]
                # losses, backward, guard, step: first the discriminator, then the painter
                record = self.discriminator.take(real, painted.detach().clamp(0, 1), image, pace)
                record |= self.painter.take(painted, image, pace)
                # check
                state.step += 1
                if state.step > c.warmup and (state.step % c.check_every == 0 or state.step == c.steps):
                    record |= self._check()
                # record
                self.history.append({"step": state.step} | record)
                if state_path and (state.step % save_every == 0 or state.step == c.steps):
                    state.save(state_path)
                on_step(Progress(state.step, c.steps, record, painted[:1].detach().clamp(0, 1)))
        except NotFinite as error:
            self.failure = f"stopped: {error}"

    def result(self) -> Finetuned:
        """The averaged style of the best check if it won by enough on held-out pictures, else the input."""
        accuracies = self.two_sample_accuracy() if self.selection.won() else None
        accepted = accuracies is not None and self.selection.accepts(*accuracies)
        return Finetuned(
            style=self._style() if accepted else self.begun,
            history=list(self.history),
            checks=self.selection.checks,
            verdict=f"{self._ending() or self._unfinished()}; {self.selection.outcome(accuracies)}",
            accepted=accepted,
            discriminator=self.gan.discriminator,
        )

    def two_sample_accuracy(self) -> tuple[float, float]:
        """Two-sample test accuracy of the start and of the best check's style; 0.5 is a guess."""
        begun = StyledGenerator.of(self.generator, self.begun).to(self.validation.known.device)
        return self.validator.two_sample_accuracy(begun), self.validator.two_sample_accuracy(self.best)

    def _check(self) -> ValidationMetrics:
        """Measure on held-out pictures; keep the averaged style if it is the best, undo a collapse."""
        found = self.validator.metrics(self.average, self.state.step)
        advice = self.selection.note(found)
        if advice == "keep":
            self.best.load_state_dict(self.average.state_dict())
        if advice == "roll back":
            for module in (self.gan.styled, self.average):
                module.load_state_dict(self.best.state_dict())
            self.state.optimizers["painter"].state.clear()
        return found

    @torch.no_grad()
    def _fitted_critic(self) -> FisherCritic:
        """The critic, fitted to windows of real and painted crops before the first step."""
        rng, rows = generator_of(self.config.seed, CRITIC_DRAWS), []
        for _ in range(CRITIC_BATCHES):
            real, image = self.training.draw(CRITIC_BATCH, self.config.crop_px, rng)
            painted = self.gan.paint(image).clamp(0, 1)
            rows.append([window_statistics(self.perceptual.features(crops)) for crops in (real, painted)])
        return FisherCritic(*(torch.cat(side) for side in zip(*rows, strict=True)))

    def _state(self) -> TrainingState:
        c, gan = self.config, self.gan
        modules = {"styled": gan.styled, "average": self.average, "best": self.best}
        modules |= {"discriminator": gan.discriminator}
        modules |= {"critic": self.critic} if self.critic else {}
        optimizers = {
            "painter": style_optimizer(gan.styled, c, ADVERSARIAL_BETAS),
            "discriminator": discriminator_optimizer(gan.discriminator, c),
        }
        parts = {"latent": self.begun.latent, **{str(i): picture for i, picture in enumerate(self.pictures)}}
        settings = f"{to_json(c)} on style and pictures {checkpoint.digest(parts)}"
        numbers = dict(RUNNING_AVERAGES)
        return TrainingState(
            modules, optimizers, self.rng, settings, numbers=numbers, processes=self.processes
        )

    def _ending(self) -> str | None:
        return self.failure or self.selection.ending()

    def _too_few(self) -> bool:
        return len(self.pictures) <= FEW and not self.config.few

    def _unfinished(self) -> str:
        step, steps = self.state.step, self.config.steps
        if self._too_few():
            return f"not begun: a discriminator would memorize {len(self.pictures)} pictures; turn on few"
        if step >= steps:
            return f"no equilibrium in {steps} steps"
        return f"stopped after step {step} of {steps}"

    def _style(self) -> Style:
        begun, c = self.begun.provenance, self.config
        note = f"fine-tuned after {begun.steps} steps of learning with {begun.settings}"[:MAX_NOTE]
        steps = begun.steps + int(self.selection.best["step"])
        provenance = provenance_of(self.pictures, c.seed, steps, to_json(c), note)
        preview = preview_of(self.pictures[0]) if self.begun.preview is None else self.begun.preview
        style = replace(self.best.style(provenance, preview), license=self.begun.license)
        return calibrated(style, self.generator, self.vgg, self.perceptual, self.loss.style, self.contents)


def finetune(
    style: Style,
    pictures: Sequence[Tensor],
    contents: Sequence[Tensor],
    generator: Generator,
    vgg: VGG,
    perceptual: Perceptual,
    config: FinetuneConfig | None = None,
    weights: Sequence[float] | None = None,
    on_step: OnStep = lambda progress: None,
) -> Finetuned:
    """Fine-tune a style against a discriminator; see `Finetuning`, which can also be stopped and resumed."""
    finetuning = Finetuning(style, pictures, contents, generator, vgg, perceptual, config, weights)
    finetuning.run(on_step)
    return finetuning.result()
