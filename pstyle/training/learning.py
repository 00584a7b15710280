"""The loop that learns a style: latents, offsets and convolutions of a generator, from a few style pictures.

Pivotal tuning (Roich et al., arXiv 2106.05744) optimizes the latent first and the weights after it. We differ
in moving both at once, each at its own rate, from a generator that already paints in the encoded style.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ..core import checkpoint
from ..core.config import check_settings, setting, to_json
from ..core.progress import OnStep, Progress, record_of
from ..image.crops import random_crops, single_pictures
from ..image.resizing import resize_short_side
from ..losses.painter_loss import PainterLoss, loss_weights
from ..losses.perceptual import Perceptual, weighted
from ..nets.generator import STRIDE, Generator, style_moments
from ..nets.moments import mix_by_layer
from ..nets.vgg import VGG
from ..painting.calibrate import calibrated
from ..style.provenance import provenance_of
from ..style.style import Style, preview_of
from ..style.styled_generator import StyledGenerator
from ..taste.stars import dislike, margin_of
from .guarded_optimizer import GuardedOptimizer, cosine
from .optimizers import style_optimizer
from .style_pictures import ordered_by_content, style_pictures
from .training_state import TrainingState


@dataclass(frozen=True)
class LearnConfig:
    """Settings of learning a style."""

    steps: int = setting(120, 0, 10_000, "optimization steps; 0 only encodes the pictures")
    size_px: int = setting(
        512,
        128,
        2048,
        "short side in pixels to which style pictures are scaled; larger values give broader strokes",
    )
    crop_px: int = setting(192, 64, 512, "side of the content crops in pixels")
    batch: int = setting(2, 1, 32, "content crops per step; their statistics are pooled")
    style_weight: float = setting(
        24.0, 0.0, 1000.0, "weight of the style loss; the content loss has weight 1"
    )
    gram_weight: float = setting(
        0.5, 0.0, 10.0, "weight of Gram matrices relative to means and standard deviations"
    )
    smooth_weight: float = setting(
        0.1, 0.0, 100.0, "weight of total variation; higher values give calmer surfaces"
    )
    lr_latent: float = setting(0.02, 0.0, 1.0, "learning rate of the latents")
    lr_offset: float = setting(0.005, 0.0, 1.0, "learning rate of the modulation offsets")
    lr_weight: float = setting(0.001, 0.0, 1.0, "learning rate of the style's own convolutions")
    seed: int = setting(0, 0, 2**31 - 1, "random seed for the crops")
    structure_weight: float = setting(
        3.0,
        0.0,
        100.0,
        "weight of structural similarity; higher values keep the photograph's detail and smooth surfaces",
    )
    patch_weight: float = setting(
        25.0, 0.0, 1000.0, "weight of matching the distribution of small patches: colors and shapes"
    )
    light_weight: float = setting(
        4.0,
        0.0,
        100.0,
        "weight of keeping light and dark where the photograph has them; higher values give fewer halos",
    )

    dislike_weight: float = setting(1.0, 0.0, 100.0, "weight of staying away from disliked pictures")

    def __post_init__(self) -> None:
        check_settings(self)
        if self.crop_px % STRIDE or self.crop_px > self.size_px:
            raise ValueError(
                f"LearnConfig.crop_px must be a multiple of {STRIDE} and at most size_px ({self.size_px}), "
                f"got {self.crop_px}"
            )


@dataclass
class Learned:
    """A learned style, and the record of every step."""

    style: Style
    history: list[dict[str, float]] = field(default_factory=list)


class Learning:
    """Learning in progress: `run` it, stop it by raising from `on_step`, take the `result` at any time."""

    def __init__(
        self,
        pictures: Sequence[Tensor],
        contents: Sequence[Tensor],
        generator: Generator,
        vgg: VGG,
        perceptual: Perceptual,
        config: LearnConfig | None = None,
        weights: Sequence[float] | None = None,
        disliked: Sequence[Tensor] = (),
    ) -> None:
        """Pictures and contents are (B, C, H, W) of any sizes; `vgg` is the network the style encoder reads.

        The order of the pictures does not matter, except that the first becomes the preview. Latents keep a
        margin from the codes of `disliked` pictures. Raises ValueError if there are no pictures, too many, or
        too small ones, or if the weights are unusable.
        """
        self.config = config or LearnConfig()
        self.pictures = style_pictures(pictures)
        self.generator, self.vgg, self.perceptual = generator, vgg, perceptual
        device = next(generator.parameters()).device
        ordered, weights = ordered_by_content(self.pictures, weights)
        seen = [resize_short_side(picture.to(device), self.config.size_px) for picture in ordered]
        with torch.no_grad():
            code = mix_by_layer([style_moments(vgg, picture) for picture in seen], weights)
            latent = generator.encode(code)[0]
            self.avoided = self._codes(style_pictures(disliked)) if disliked else None  # (N, D)
            self.margin = margin_of(torch.cat([self._codes(ordered), self.avoided])) if disliked else None
            self.loss = PainterLoss.of(seen, weights, perceptual, self.config)
        self.styled = StyledGenerator(generator, latent).to(device)
        self.contents = [
            resize_short_side(picture, self.config.size_px).to(device)
            for picture in single_pictures(contents, "content picture", self.config.crop_px // 2)
        ]
        self.rng = torch.Generator().manual_seed(self.config.seed)
        self.state = self._state()
        self.guarded = GuardedOptimizer(self.state.optimizers["adam"])
        self.history: list[dict[str, float]] = []

    def run(
        self, on_step: OnStep = lambda progress: None, state_path: Path | None = None, save_every: int = 50
    ) -> None:
        """Run to the last step; with `state_path`, resume from that file if it exists, and save to it."""
        c, state = self.config, self.state
        if state_path:
            state.resume(state_path)
        weights = loss_weights(c)
        while state.step < c.steps:
            # batch
            image = random_crops(self.contents, c.batch, c.crop_px, self.rng)  # (B, 3, S, S)
            # forward
            painted = self.styled.paint(image)  # (B, 3, S, S), may leave [0, 1]
            # losses
            terms = self.loss.terms(painted, image, self.rng)
            if self.avoided is not None:
                terms["dislike"] = dislike(self.styled.latent, self.avoided, self.margin)
            loss = weighted(terms, weights)
            # backward, guard, step
            self.guarded.step(loss, cosine(state.step, c.steps, warmup=10), terms)
            # record
            state.step += 1
            record = record_of(loss, terms)
            self.history.append({"step": state.step} | record)
            if state_path and (state.step % save_every == 0 or state.step == c.steps):
                state.save(state_path)
            on_step(Progress(state.step, c.steps, record, painted[:1].detach().clamp(0, 1)))

    def result(self) -> Learned:
        """The style learned so far, with its strength calibrated."""
        provenance = provenance_of(self.pictures, self.config.seed, self.state.step, to_json(self.config))
        style = self.styled.style(provenance, preview_of(self.pictures[0]))
        style = calibrated(style, self.generator, self.vgg, self.perceptual, self.loss.style, self.contents)
        return Learned(style, list(self.history))

    def _state(self) -> TrainingState:
        c, styled = self.config, self.styled
        styled.generator.convs.requires_grad_(True)
        optimizer = style_optimizer(styled, c)
        known = {"latent": styled.latent, **{k: m.gram for k, m in self.loss.style.items()}}
        pictures = checkpoint.digest(known if self.avoided is None else known | {"avoided": self.avoided})
        settings = f"{to_json(c)} on pictures {pictures}"  # a state file from other pictures is refused
        return TrainingState({"styled": styled}, {"adam": optimizer}, self.rng, settings)

    def _codes(self, pictures: Sequence[Tensor]) -> Tensor:
        """The encoder's latents (N, D) of pictures, each (1, 3, H, W)."""
        device = next(self.generator.parameters()).device
        seen = [resize_short_side(picture.to(device), self.config.size_px) for picture in pictures]
        return torch.cat([self.generator.encode(style_moments(self.vgg, one))[:, 0] for one in seen])


def learn(
    pictures: Sequence[Tensor],
    contents: Sequence[Tensor],
    generator: Generator,
    vgg: VGG,
    perceptual: Perceptual,
    config: LearnConfig | None = None,
    weights: Sequence[float] | None = None,
    on_step: OnStep = lambda progress: None,
    disliked: Sequence[Tensor] = (),
) -> Learned:
    """Learn a style from 1 to 50 pictures; see `Learning`, which can also be stopped and resumed."""
    learning = Learning(pictures, contents, generator, vgg, perceptual, config, weights, disliked)
    learning.run(on_step)
    return learning.result()
