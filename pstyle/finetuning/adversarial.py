"""The loop that fine-tunes a learned style against a discriminator until neither side gains.

Hinge losses, and a discriminator that waits while it wins (Sanakoyeu et al., arXiv 1807.10201); adversarial
weight from gradient norms as in VQGAN (Esser et al., arXiv 2012.09841), but at the painted pixels, where both
gradients exist anyway. Beside the discriminator's heads plays a critic that is always at its optimum. Content
and style terms stay: few real pictures alone would pull the painter anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from ..core import checkpoint
from ..core.config import check_settings, choice, setting, to_json
from ..core.process_group import ALONE, ProcessGroup
from ..core.progress import OnStep, Progress
from ..core.seeding import generator_of
from ..image.crops import single_pictures
from ..image.pictures import resize_short_side
from ..losses.adversarial import accuracy, balanced, hinge, lecam, realness
from ..losses.patches import patch_distance, style_patches
from ..losses.perceptual import Perceptual, clamp_through, weighted
from ..losses.style_content import light_distance, structure_distance
from ..nets.augmentation import augment
from ..nets.discriminator import Discriminator, split
from ..nets.generator import STRIDE, Generator
from ..nets.moments import mix_by_layer, normalized_weights
from ..nets.vgg import VGG
from ..painting.calibrate import calibrated
from ..style.provenance import provenance_of
from ..style.style import Style, preview_of
from ..style.styled_generator import StyledGenerator
from ..training.ema import update_ema
from ..training.guarded_optimizer import GuardedOptimizer, NotFinite
from ..training.learning import style_pictures
from ..training.training_state import TrainingState
from .equilibrium import GANState, ValidationMetrics, diagnose, duality_gap, held_out_scores
from .fisher_critic import FisherCritic
from .model_selection import ModelSelection
from .patch_statistics import WINDOW_PX, patch_statistics
from .two_sample_test import CLASSIFIERS, TwoSample
from .validation_split import center_square, hold_out, spread

BETAS = (0.0, 0.99)
SMOOTHING = 0.95  # of the discriminator's success and of its mean logits
ENOUGH_SUCCESS = 0.8  # above it the discriminator waits for the painter
DUALITY_STEPS = 8
SEEN = 8  # contents painted to train a classifier afresh
WINDOW_WEIGHT = 20.0  # of the critic, times the adversarial ratio: at the start about the pull of style
CRITIC_BATCHES, CRITIC_BATCH = 12, 8  # crops of each side that the critic of windows is made from
CRITIC_DRAWS = 12  # beside the seed, what tells their random numbers from others
FEW = 2  # so many pictures a discriminator soon knows by heart
MAX_NOTE = 2000  # characters of a provenance's note
SMOOTHED = {"success": 0.5, "real": 0.0, "painted": 0.0}  # what is smoothed, and where it starts


@dataclass(frozen=True)
class FinetuneConfig:
    """Settings of adversarial fine-tuning."""

    steps: int = setting(200, 0, 20_000, "maximum number of steps; training stops earlier at an equilibrium")
    warmup: int = setting(20, 0, 10_000, "initial steps in which only the discriminator is trained")
    size_px: int = setting(
        512, 128, 2048, "short side in pixels to which real pictures are scaled; use the value from learning"
    )
    crop_px: int = setting(128, 64, 512, "side of real and content crops in pixels, at most half of size_px")
    batch: int = setting(4, 1, 32, "real crops and content crops per step and process")
    adversarial_ratio: float = setting(
        0.1, 0.0, 10.0, "strength of the discriminator: its gradient relative to that of the other losses"
    )
    style_weight: float = setting(
        24.0, 0.0, 1000.0, "weight of the style loss; the content loss has weight 1"
    )
    gram_weight: float = setting(
        0.5, 0.0, 10.0, "weight of Gram matrices relative to means and standard deviations"
    )
    smooth_weight: float = setting(0.1, 0.0, 100.0, "weight of total variation")
    lecam_weight: float = setting(
        0.3, 0.0, 10.0, "weight of the LeCam regularizer, which steadies the discriminator"
    )
    photo_share: float = setting(
        0.25, 0.0, 0.9, "share of unpainted photographs among the discriminator's negative examples"
    )
    lr_latent: float = setting(0.003, 0.0, 1.0, "learning rate of the latents")
    lr_offset: float = setting(0.0007, 0.0, 1.0, "learning rate of the modulation offsets")
    lr_weight: float = setting(0.0006, 0.0, 1.0, "learning rate of the style's own convolutions")
    lr_discriminator: float = setting(0.002, 0.0, 1.0, "learning rate of the discriminator")
    ema: float = setting(0.98, 0.0, 0.9999, "decay per step of the averaged style, which is the one kept")
    check_every: int = setting(50, 1, 10_000, "steps between validations on held-out crops")
    seed: int = setting(0, 0, 2**31 - 1, "random seed for crops, augmentation and discriminator")
    structure_weight: float = setting(
        3.0, 0.0, 100.0, "weight of structural similarity: fine detail and smooth surfaces"
    )
    patch_weight: float = setting(
        100.0, 0.0, 1000.0, "weight of matching the distribution of small patches: colors and shapes"
    )
    light_weight: float = setting(
        4.0, 0.0, 100.0, "weight of keeping light and dark where the photograph has them"
    )
    discriminator: str = choice(
        "heads",
        ("heads", "plain"),
        "kind of discriminator: heads judges patches on several feature layers, and larger windows; plain "
        "is a single convolution",
    )
    few: bool = setting(
        False, help="also fine-tune from one or two pictures, which the discriminator may memorize"
    )

    def __post_init__(self) -> None:
        check_settings(self)
        if self.crop_px % STRIDE or 2 * self.crop_px > self.size_px:
            raise ValueError(
                f"FinetuneConfig.crop_px must be a multiple of {STRIDE} and at most half of size_px "
                f"({self.size_px}), so that a part of a picture can be held out; got {self.crop_px}"
            )


@dataclass
class Finetuned:
    """A style, fine-tuned if that won on held-out pictures and else as it was, and how that came about.

    history has a record per step, checks one per check; the discriminator shows where pictures look painted.
    """

    style: Style
    history: list[dict[str, float]]
    checks: list[ValidationMetrics]
    verdict: str
    accepted: bool
    discriminator: Discriminator = field(repr=False)


class Finetuning:
    """A fine-tuning in progress: `run` it, stop it by an exception from `on_step`, take `result` any time."""

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

        All processes of a `processes` are given the same, and come to the same result. Raises ValueError for
        unusable pictures or weights, or a style of another generator.
        """
        self.config = c = config or FinetuneConfig()
        self.begun, self.pictures, self.perceptual = style, style_pictures(pictures), perceptual
        self.generator, self.vgg, self.processes = generator, vgg, processes
        self.rng = torch.Generator().manual_seed(c.seed)
        device = next(generator.parameters()).device
        seen = [resize_short_side(picture, c.size_px).to(device) for picture in self.pictures]
        contents = single_pictures(contents, "content picture", c.crop_px // 2)
        contents = self.contents = [resize_short_side(picture, c.size_px).to(device) for picture in contents]
        shares = normalized_weights([1.0] * len(seen) if weights is None else weights, len(seen))
        self.target = mix_by_layer([perceptual.style(picture) for picture in seen], shares)
        self.patches = style_patches(seen, shares, torch.Generator().manual_seed(c.seed))
        self.training, self.validation = hold_out(seen, shares, contents, c.crop_px, self.rng)

        styled = StyledGenerator.of(generator, style).to(device)
        self.average, self.best = (deepcopy(styled).requires_grad_(False) for _ in range(2))
        styled.generator.convs.requires_grad_(True)
        eyes = perceptual.networks[0]  # the best network at hand; the slim one hides what it should notice
        discriminator = Discriminator(eyes, seed=c.seed, kind=c.discriminator).to(device)
        discriminator.measure(eyes(self.validation.known, discriminator.layers))
        self.gan = GANState(eyes, styled, discriminator)
        self.critic = self._critic()
        self.state = self._state()
        processes.broadcast_parameters(self.state.modules.values())
        processes.offset_seed(self.rng, c.seed)  # exams and weights are the same everywhere, crops no longer
        self.two_sample = TwoSample(self.training.reals, self.validation.styles, eyes, c.seed)
        self.selection = ModelSelection({"step": 0} | self._scores(styled), self.state)
        self.guarded = {
            name: GuardedOptimizer(adam, processes=processes) for name, adam in self.state.optimizers.items()
        }
        self.history: list[dict[str, float]] = []
        self.failure: str | None = None

    def run(
        self, on_step: OnStep = lambda progress: None, state_path: Path | None = None, save_every: int = 50
    ) -> None:
        """Go on to the end; with `state_path`, from where a killed run with the same settings stood.

        A run whose losses stay non-finite ends as well, with the reason in the verdict.
        """
        c, state = self.config, self.state
        if state_path:
            state.resume(state_path)
        if len(self.pictures) <= FEW and not c.few:
            return
        try:
            while state.step < c.steps and not self._ending():
                # batch
                real, image = self.training.draw(c.batch, c.crop_px, self.rng)
                content = self.perceptual.content(image)
                # forward
                with torch.set_grad_enabled(state.step >= c.warmup):
                    painted = self.gan.paint(image)
                # losses, backward, guard, step: first the discriminator, then the painter
                record = self._discriminate(real, painted.detach().clamp(0, 1), image)
                record |= self._paint_better(painted, content, image)
                state.step += 1
                # check and record
                if state.step > c.warmup and (state.step % c.check_every == 0 or state.step == c.steps):
                    record |= self._check()
                self.history.append({"step": state.step} | record)
                if state_path and (state.step % save_every == 0 or state.step == c.steps):
                    state.save(state_path)
                on_step(Progress(state.step, c.steps, record, painted[:1].detach().clamp(0, 1)))
        except NotFinite as error:
            self.failure = f"stopped: {error}"

    def result(self) -> Finetuned:
        """The averaged style of the best check if it won by enough on held-out pictures, else the start."""
        two_sample_accuracy = self.two_sample_accuracy() if self.selection.won() else None
        accepted = two_sample_accuracy is not None and self.selection.accepts(*two_sample_accuracy)
        return Finetuned(
            style=self._style() if accepted else self.begun,
            history=list(self.history),
            checks=self.selection.checks,
            verdict=f"{self._ending() or self._unfinished()}; {self.selection.outcome(two_sample_accuracy)}",
            accepted=accepted,
            discriminator=self.gan.discriminator,
        )

    def two_sample_accuracy(self) -> tuple[float, float]:
        """Share of held-out crops that classifiers trained afresh tell right, of the start and of the best
        check's style; 0.5 is a guess.
        """
        begun = StyledGenerator.of(self.generator, self.begun).to(self.validation.known.device)
        return self._two_sample_accuracy(begun), self._two_sample_accuracy(self.best)

    @torch.no_grad()
    def _two_sample_accuracy(self, styled: StyledGenerator, classifiers: int = CLASSIFIERS) -> float:
        gan, seen = replace(self.gan, styled=styled), spread(self.training.contents, SEEN)
        painted = [gan.paint(center_square(picture)).clamp(0, 1) for picture in seen]
        unseen = [gan.paint(picture).clamp(0, 1) for picture in self.validation.contents]
        return self.two_sample.two_sample_accuracy(painted, unseen, classifiers)

    @torch.no_grad()
    def _critic(self) -> FisherCritic | None:
        """The critic of windows, from crops as they are at the start; the plain discriminator plays alone."""
        if self.config.discriminator == "plain":
            return None
        rng, rows = generator_of(self.config.seed, CRITIC_DRAWS), []
        for _ in range(CRITIC_BATCHES):
            real, image = self.training.draw(CRITIC_BATCH, self.config.crop_px, rng)
            painted = self.gan.paint(image).clamp(0, 1)
            rows.append([_patch_statistics(self.perceptual.features(crops)) for crops in (real, painted)])
        return FisherCritic(*(torch.cat(side) for side in zip(*rows, strict=True)))

    def _state(self) -> TrainingState:
        c, gan = self.config, self.gan
        modules = {"styled": gan.styled, "average": self.average, "best": self.best}
        modules |= {"discriminator": gan.discriminator}
        modules |= {"critic": self.critic} if self.critic else {}
        optimizers = {
            "painter": painter_optimizer(gan.styled, c),
            "discriminator": discriminator_optimizer(gan.discriminator, c),
        }
        parts = {"latent": self.begun.latent, **{str(i): picture for i, picture in enumerate(self.pictures)}}
        settings = f"{to_json(c)} on style and pictures {checkpoint.digest(parts)}"
        return TrainingState(
            modules, optimizers, self.rng, settings, numbers=dict(SMOOTHED), processes=self.processes
        )

    def _discriminate(self, real: Tensor, painted: Tensor, content: Tensor) -> dict[str, float]:
        """Move the discriminator, unless it is far ahead; pictures (B, 3, S, S), without gradients."""
        c, numbers, gan = self.config, self.state.numbers, self.gan
        warm = self.state.step < c.warmup
        photos = content[: math.ceil(c.photo_share * c.batch)]
        batch = augment(torch.cat([real, painted, photos]), self.rng)
        features = gan.vgg(batch, gan.discriminator.layers)
        learns = warm or numbers["success"] <= ENOUGH_SUCCESS
        with torch.set_grad_enabled(learns):
            logits = gan.discriminator(features)
            known, made, untouched = split(logits, [len(real), len(painted), len(photos)])
            terms = {"real": hinge(known, 1), "painted": (1 - c.photo_share) * hinge(made, -1)}
            if len(photos):
                terms["photos"] = c.photo_share * hinge(untouched, -1)
            if not warm:
                terms["lecam"] = c.lecam_weight * lecam(known, made, numbers["real"], numbers["painted"])
            loss = torch.stack(list(terms.values())).sum()
        if learns:
            self.guarded["discriminator"].step(loss, self._pace(), terms)
        record = {"discriminator_loss": loss.item(), "batch_accuracy": accuracy(known, made)}
        record |= {"real": realness(known).item(), "painted": realness(made).item()}
        told = self.processes.mean_of(record)
        if math.isfinite(told["discriminator_loss"]):
            for name in SMOOTHED:
                value = told["batch_accuracy" if name == "success" else name]
                numbers[name] = SMOOTHING * numbers[name] + (1 - SMOOTHING) * value
        return {name: told[name] for name in ("discriminator_loss", "batch_accuracy")}

    def _paint_better(self, painted: Tensor, content: dict[str, Tensor], image: Tensor) -> dict[str, float]:
        """Move the painter if `painted` (B, 3, S, S) has a gradient, which the warm-up withholds."""
        c, processes, weight = self.config, self.processes, torch.zeros(())
        learns = painted.requires_grad
        with torch.set_grad_enabled(learns):
            shown = clamp_through(painted)
            features = self.perceptual.features(shown)
            terms = self.perceptual.terms(
                painted, content, self.target, c.gram_weight, c.batch, processes, features=features
            )
            terms["structure"] = structure_distance(shown, image)
            terms["light"] = light_distance(shown, image)
            terms["patches"] = patch_distance(shown, self.patches, self.rng)  # of this process's crops
            if self.critic:
                windows = _patch_statistics(features)
                terms["windows"] = -self.critic(windows).mean()
            loss = weighted(terms, self._weights())
            # Clamped anew: `balanced` goes back through each of the two terms by itself.
            adversarial = -realness(self.gan.judge(augment(clamp_through(painted), self.rng)))
        terms = terms | {"adversarial": adversarial}
        if learns:
            loss, weight = balanced(painted, loss, adversarial, c.adversarial_ratio * self._pace(), processes)
            if self.guarded["painter"].step(loss, self._pace() * self._rest(), terms):
                done = self.state.step - c.warmup
                update_ema(self.average, self.gan.styled, min(c.ema, (done + 1) / (done + 10)))
                if self.critic:
                    self.critic.update(windows, processes)
        record = {"loss": loss.item()} | {name: value.item() for name, value in terms.items()}
        return processes.mean_of(record | {"adversarial_weight": weight.item()})

    def _check(self) -> ValidationMetrics:
        """Measure on held-out pictures; keep the averaged style if it is the best, undo a collapse."""
        validation = self.validation
        found = diagnose(self.gan, validation.known, validation.fresh, validation.content)
        found = self.processes.broadcast(found | {"duality": self._duality()}) | self._scores(self.average)
        advice = self.selection.note(found)
        if advice == "keep":
            self.best.load_state_dict(self.average.state_dict())
        if advice == "roll back":
            for module in (self.gan.styled, self.average):
                module.load_state_dict(self.best.state_dict())
            self.state.optimizers["painter"].state.clear()
        return found

    def _scores(self, styled: StyledGenerator) -> ValidationMetrics:
        gan = replace(self.gan, styled=styled)
        scores = held_out_scores(gan, self.validation.contents, self.validation.styles)
        return self.processes.broadcast(
            scores | {"two_sample_accuracy": self._two_sample_accuracy(styled, classifiers=1)}
        )

    def _duality(self) -> float:
        c, validation = self.config, self.validation
        rng = torch.Generator().manual_seed(c.seed + self.state.step)  # so a check changes no later step
        return duality_gap(
            self.gan,
            validation.fresh,
            validation.content,
            lambda: self.training.draw(c.batch, c.crop_px, rng),
            lambda discriminator: discriminator_optimizer(discriminator, c),
            lambda styled: painter_optimizer(styled, c),
            DUALITY_STEPS,
        )

    def _weights(self) -> dict[str, float]:
        c = self.config
        windows = WINDOW_WEIGHT * c.adversarial_ratio * self._pace()
        weights = {"style": c.style_weight, "smooth": c.smooth_weight, "structure": c.structure_weight}
        return weights | {"light": c.light_weight, "patches": c.patch_weight, "windows": windows}

    def _rest(self) -> float:
        """The painter's learning rates fall to a tenth: the crops of a step would not let it come to rest."""
        return 1 - 0.9 * self.state.step / self.config.steps

    def _pace(self) -> float:
        """Each rollback halves the learning rates and the adversarial ratio."""
        return 0.5**self.selection.rollbacks

    def _ending(self) -> str | None:
        return self.failure or self.selection.ending()

    def _unfinished(self) -> str:
        step, steps = self.state.step, self.config.steps
        if len(self.pictures) <= FEW and not self.config.few:
            return f"not begun: a discriminator learns {len(self.pictures)} pictures by heart; ask for few"
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
        return calibrated(style, self.generator, self.vgg, self.perceptual, self.target, self.contents)


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


def _patch_statistics(features: Mapping[str, Tensor]) -> Tensor:
    return patch_statistics(features, WINDOW_PX // 2)


def painter_optimizer(styled: StyledGenerator, config: FinetuneConfig) -> torch.optim.Adam:
    """Adam over what a style owns: latent and offsets move faster than the convolutions."""
    groups = [
        {"params": [styled.latent], "lr": config.lr_latent},
        {"params": list(styled.offsets.parameters()), "lr": config.lr_offset},
        {"params": list(styled.generator.convs.parameters()), "lr": config.lr_weight},
    ]
    return torch.optim.Adam(groups, betas=BETAS)


def discriminator_optimizer(discriminator: Discriminator, config: FinetuneConfig) -> torch.optim.Adam:
    """Adam over the heads."""
    return torch.optim.Adam(discriminator.parameters(), lr=config.lr_discriminator, betas=BETAS)
