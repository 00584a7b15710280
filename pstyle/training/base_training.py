"""The loop that trains the generator: one network for any style, from photographs and paintings.

Conditional training after Ghiasi et al., arXiv 1705.06830: a style code predicted from the style picture
modulates the generator. We differ in the losses, which are relative to the target's own energy.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.config import check_settings, setting, to_json
from ..core.process_group import ALONE, ProcessGroup
from ..core.seeding import generator_of
from ..image.crops import Crops
from ..losses.painter_loss import loss_weights
from ..losses.patches import crop_patch_distance
from ..losses.perceptual import Perceptual, clamp_through, weighted
from ..losses.style_content import light_distance, structure_distance
from ..nets.generator import Generator, StyleEncoder, style_moments
from ..nets.layers import channels_last
from ..nets.moments import Moments
from ..nets.vgg import VGG
from .ema import update_ema
from .guarded_optimizer import GuardedOptimizer, cosine
from .optimizers import BETAS
from .training_state import TrainingState


@dataclass(frozen=True)
class BaseConfig:
    """Settings of one stage of the generator's base training."""

    steps: int = setting(8000, 1, 10_000_000, "optimization steps")
    styles: int = setting(4, 1, 256, "different styles per step and process")
    contents: int = setting(2, 1, 64, "content crops per style and step")
    size_px: int = setting(128, 48, 1024, "side of the content crops in pixels")
    style_px: int = setting(256, 48, 1024, "side of the style crops in pixels")
    lr: float = setting(1e-3, 1e-6, 1.0, "peak learning rate of Adam, with cosine decay")
    style_weight: float = setting(12.0, 0.0, 1e4, "weight of the style term; the content term has weight 1")
    gram_weight: float = setting(
        0.5, 0.0, 100.0, "weight of Gram matrices relative to means and standard deviations"
    )
    smooth_weight: float = setting(0.1, 0.0, 100.0, "weight of total variation")
    structure_weight: float = setting(
        2.5, 0.0, 100.0, "weight of structural similarity, which keeps fine detail"
    )
    range_weight: float = setting(5.0, 0.0, 100.0, "weight of values outside [0, 1]")
    identity_weight: float = setting(
        4.0, 0.0, 1e3, "weight of the mean absolute error of a picture painted in its own style"
    )
    identity_every: int = setting(20, 1, 1000, "steps between identity steps")
    mixed_share: float = setting(0.25, 0.0, 1.0, "share of styles that are mixtures of two")
    recolored_share: float = setting(0.3, 0.0, 1.0, "share of style crops with swapped color channels")
    ema: float = setting(0.998, 0.0, 1.0, "decay per step of the averaged weights")
    seed: int = setting(0, 0, 2**31 - 1, "random seed for crops and initial weights")
    patch_weight: float = setting(
        25.0, 0.0, 1e3, "weight of matching the distribution of small patches: colors and shapes"
    )
    light_weight: float = setting(1.0, 0.0, 100.0, "weight of keeping light and dark in place, against halos")
    pool: int = setting(48, 1, 4096, "number of style crops in the pool")
    renewed: int = setting(1, 1, 256, "style crops in the pool replaced per step")

    def __post_init__(self) -> None:
        check_settings(self)
        if self.pool < self.styles:
            raise ValueError(f"BaseConfig.pool must be at least styles ({self.styles}), got {self.pool}")


def train_base(
    generator: Generator,
    vgg: VGG,
    perceptual: Perceptual,
    photos: Crops,
    paintings: Crops,
    config: BaseConfig,
    state_path: Path | None = None,
    on_step: Callable[[dict[str, float]], None] = lambda record: None,
    save_every: int = 200,
    processes: ProcessGroup = ALONE,
) -> Generator:
    """Train the generator on random pairs of content and style crops; returns a copy with averaged weights.

    `vgg` is the slim network that encodes styles, `perceptual` the loss; both are on the generator's device.
    Resumes from `state_path` if that file exists. With several `processes`, each draws its own styles, and
    all contents of a style stay in one process, so no style's statistics cross processes.
    """
    rng = torch.Generator().manual_seed(config.seed)
    device = next(generator.parameters()).device
    if not generator.encoder.mean.any():
        measure_codes(generator.encoder, vgg, paintings, config, rng)
    average = deepcopy(generator).requires_grad_(False)
    optimizer = torch.optim.Adam(generator.parameters(), lr=config.lr, betas=BETAS)
    modules = {"generator": generator, "average": average}
    processes.broadcast_parameters(modules.values())
    processes.offset_seed(rng, config.seed)
    state = TrainingState(modules, {"adam": optimizer}, rng, to_json(config), processes=processes)
    if state_path:
        state.resume(state_path)
    guarded = GuardedOptimizer(optimizer, processes=processes)
    pool = StylePool(paintings, vgg, perceptual, config, processes)
    pool.fill(state.step)
    while state.step < config.steps:
        # batch
        image = channels_last(photos.draw(config.styles * config.contents, config.size_px, rng)).to(device)
        # forward, losses
        if state.step % config.identity_every == config.identity_every - 1:
            terms = identity_terms(generator, vgg, image)
        else:
            terms = style_terms(generator, perceptual, image, pool.draw(rng), config, rng)
        loss = weighted(terms, loss_weights(config))
        record = processes.mean_of(record_of(loss, terms, processes))
        # backward, guard, step
        if guarded.step(loss, cosine(state.step, config.steps, warmup=50), record):
            update_ema(average, generator, config.ema, state.step)
        # record
        pool.renew(state.step)
        state.step += 1
        on_step({"step": state.step} | record)
        if state_path and (state.step % save_every == 0 or state.step == config.steps):
            state.save(state_path)
    return average


@dataclass(frozen=True)
class StyleCrops:
    """Style crops (S, 3, h, w) with their moments for the style encoder and for the loss."""

    image: Tensor
    code: dict[str, Moments]
    target: dict[str, Moments]


class StylePool:
    """A pool of style crops: each step uses several and replaces the oldest few.

    Encoding a crop costs a tenth of a step, so crops are reused.
    """

    def __init__(
        self,
        paintings: Crops,
        vgg: VGG,
        perceptual: Perceptual,
        config: BaseConfig,
        processes: ProcessGroup = ALONE,
    ) -> None:
        self.paintings, self.vgg, self.perceptual, self.config = paintings, vgg, perceptual, config
        self.processes = processes
        self.entries: deque[StyleCrops] = deque(maxlen=config.pool)

    def fill(self, step: int) -> None:
        """Fill the pool as it is before `step`, whether a run starts or resumes there."""
        for number in range(step - math.ceil(self.config.pool / self.config.renewed), step):
            self.renew(number)

    @torch.no_grad()
    def renew(self, step: int) -> None:
        """Replace the oldest crops by those of `step`, which depend only on seed, step and process."""
        c, processes = self.config, self.processes
        rng = generator_of(c.seed, step + c.pool, processes.rank)
        image = recolor(self.paintings.draw(c.renewed, c.style_px, rng), c.recolored_share, rng)
        image = channels_last(image).to(next(self.vgg.parameters()).device)
        codes, targets = singles(style_moments(self.vgg, image)), singles(self.perceptual.style(image))
        for crop, code, target in zip(image.split(1), codes, targets, strict=True):
            self.entries.append(StyleCrops(crop, code, target))

    def draw(self, rng: torch.Generator) -> StyleCrops:
        """Distinct crops, one for each style of a step."""
        chosen = torch.randperm(len(self.entries), generator=rng)[: self.config.styles].tolist()
        parts = [self.entries[index] for index in chosen]
        return StyleCrops(
            torch.cat([part.image for part in parts]),
            batched([part.code for part in parts]),
            batched([part.target for part in parts]),
        )


def batched(parts: Sequence[dict[str, Moments]]) -> dict[str, Moments]:
    """Concatenate the moments of single pictures, each (1, C), into those of a batch."""
    return {
        name: Moments(
            torch.cat([part[name].mean for part in parts]), torch.cat([part[name].gram for part in parts])
        )
        for name in parts[0]
    }


def singles(batch: dict[str, Moments]) -> list[dict[str, Moments]]:
    """Split the moments of a batch into those of each picture, (1, C)."""
    parts = {
        name: [Moments(*pair) for pair in zip(part.mean.split(1), part.gram.split(1), strict=True)]
        for name, part in batch.items()
    }
    return [dict(zip(parts, own, strict=True)) for own in zip(*parts.values(), strict=True)]


def style_terms(
    generator: Generator,
    perceptual: Perceptual,
    image: Tensor,
    style: StyleCrops,
    config: BaseConfig,
    rng: torch.Generator,
) -> dict[str, Tensor]:
    """Loss terms of content crops (S * K, 3, H, W) painted in S random styles."""
    with torch.no_grad():
        partner = torch.roll(torch.arange(config.styles), 1).to(image.device)
        share = mixing_shares(config, rng)
        code, target = (blended(part, partner, share.to(image.device)) for part in (style.code, style.target))
        content = perceptual.content(image)
    latent = generator.encode(code).repeat_interleave(config.contents, dim=0)
    output = generator(image, generator.content(image), generator.modulation(latent))
    terms = perceptual.terms(output, content, target, config.gram_weight, group=config.contents)
    shown = clamp_through(output)
    terms["structure"] = structure_distance(shown, image)
    terms["light"] = light_distance(shown, image)
    pure = share == 1  # mixtures have no picture to take patches from
    if config.patch_weight and pure.any():
        own = shown.unflatten(0, (config.styles, -1))[pure].flatten(0, 1)
        terms["patches"] = crop_patch_distance(own, style.image[pure], rng) * pure.float().mean()
    return terms


def identity_terms(generator: Generator, vgg: VGG, image: Tensor) -> dict[str, Tensor]:
    """The error of pictures (B, 3, H, W) painted in their own style."""
    with torch.no_grad():
        code = style_moments(vgg, image)
    output = generator(image, generator.content(image), generator.modulation(generator.encode(code)))
    return {"identity": F.l1_loss(clamp_through(output), image)}


def record_of(loss: Tensor, terms: dict[str, Tensor], processes: ProcessGroup = ALONE) -> dict[str, float]:
    """This process's losses; the patch term is 0 if only other processes have one."""
    absent = {"patches": 0.0} if processes.size > 1 and "style" in terms else {}
    return {"loss": loss.item()} | absent | {name: value.item() for name, value in terms.items()}


def blended(parts: dict[str, Moments], partner: Tensor, share: Tensor) -> dict[str, Moments]:
    """Each style's moments mixed with its partner's; share (S,) is the weight of its own."""
    a, b = share[:, None], share[:, None, None]
    return {
        name: Moments(
            a * part.mean + (1 - a) * part.mean[partner], b * part.gram + (1 - b) * part.gram[partner]
        )
        for name, part in parts.items()
    }


def mixing_shares(config: BaseConfig, rng: torch.Generator) -> Tensor:
    """(S,) weight of each style in its mixture: 1 for pure styles, uniform in [0, 1] for mixed ones."""
    mixed = torch.rand(config.styles, generator=rng) < config.mixed_share
    return torch.where(mixed, torch.rand(config.styles, generator=rng), torch.ones(config.styles))


def recolor(image: Tensor, share: float, rng: torch.Generator) -> Tensor:
    """Exchange the color channels of a share of pictures (B, 3, H, W): more palettes from the same
    paintings.
    """
    orders = torch.stack(
        [
            torch.randperm(3, generator=rng) if torch.rand(1, generator=rng) < share else torch.arange(3)
            for _ in image
        ]
    )
    return image.gather(1, orders.to(image.device)[:, :, None, None].expand_as(image))


@torch.no_grad()
def measure_codes(
    encoder: StyleEncoder,
    vgg: VGG,
    paintings: Crops,
    config: BaseConfig,
    rng: torch.Generator,
    batches: int = 12,
) -> None:
    """Set the mean and deviation that standardize the style encoder's input, from random style crops."""
    device = encoder.mean.device
    drawn = (paintings.draw(8, config.style_px, rng) for _ in range(batches))
    images = (recolor(image, config.recolored_share, rng).to(device) for image in drawn)
    codes = torch.cat([encoder.code(style_moments(vgg, image)) for image in images])
    encoder.mean.copy_(codes.mean(0))
    encoder.std.copy_(codes.std(0).clamp_min(1e-2))
