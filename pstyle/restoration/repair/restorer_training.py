"""The loop that trains a restorer: clean crops are damaged, and the restorer learns to undo it.

Training pairs are synthesized, as Bulat et al. (arXiv 1807.11458) propose. The tone networks are trained
before (`tone_training`), on small, nearly whole pictures; here each crop gets its best-fitting color map. A
network that sees their errors on crops would learn to undo what is correct on whole pictures. Mean absolute
error dominates; VGG features and a discriminator join only in the last part of a run, as in Real-ESRGAN
(arXiv 2107.10833), to sharpen pictures that are already repaired. A share of crops is not damaged, so that
clean pictures are left unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ...core.config import check_settings, setting, to_json
from ...image.crops import Crops
from ...losses.perceptual import clamp_through, weighted
from ...nets.vgg import VGG
from ...training.ema import update_ema
from ...training.guarded_optimizer import GuardedOptimizer, cosine
from ...training.optimizers import BETAS
from ...training.training_state import TrainingState
from ..damage.damage import Damaging
from ..damage.marks import holes, scratches
from ..damage.random_damage import RandomDamage, noise_on
from ..damage.random_fields import uniform
from .restorer import STRIDE, Repair, Restorer, detail
from .restorer_adversary import Adversary
from .tone_training import fitted_tones, some_gray

SAVE_EVERY = 100  # steps
PACES = 10_000  # resolution of the learning-rate schedule
LENIENCE = 0.15  # mean absolute damage that halves the weight of an error
SEEN = 0.15  # coverage from which a pixel counts as marked


@dataclass(frozen=True)
class RestoreConfig:
    """Settings of training a restorer."""

    steps: int = setting(1200, 1, 10_000_000, "optimization steps")
    batch: int = setting(8, 1, 1024, "crops per step")
    size_px: int = setting(128, 64, 1024, "side of the crops in pixels")
    lr: float = setting(5e-4, 1e-6, 1.0, "peak learning rate of Adam, with cosine decay")
    told_share: float = setting(
        0.25, 0.0, 1.0, "share of crops whose holes are given to the restorer as a mask"
    )
    gray_share: float = setting(0.1, 0.0, 1.0, "share of clean crops made gray, as old photographs are")
    detail_weight: float = setting(1.0, 0.0, 100.0, "weight of detail; the mean absolute error has weight 1")
    marks_weight: float = setting(0.03, 0.0, 100.0, "weight of finding marks and holes")
    feature_weight: float = setting(0.02, 0.0, 100.0, "weight of VGG features in the final part of the run")
    feature_share: float = setting(0.3, 0.0, 1.0, "final share of the run in which VGG features count")
    adversarial_ratio: float = setting(
        0.05, 0.0, 10.0, "adversarial gradient relative to that of the other losses; 0 turns it off"
    )
    adversarial_share: float = setting(0.1, 0.0, 1.0, "final share of the run that uses a discriminator")
    ema: float = setting(0.998, 0.0, 0.99999, "decay per step of the averaged weights, which are kept")
    seed: int = setting(0, 0, 2**31 - 1, "random seed for crops and damage")

    def __post_init__(self) -> None:
        check_settings(self)
        if self.size_px % STRIDE:
            raise ValueError(f"RestoreConfig.size_px must be a multiple of {STRIDE}, got {self.size_px}")


class Example(NamedTuple):
    """Training crops, damaged and clean (B, 3, S, S), with two maps (B, 1, S, S) in {0, 1}.

    `mask` marks the losses given to the restorer, `marks` the marks and holes that it has to find.
    """

    image: Tensor
    clean: Tensor
    mask: Tensor
    marks: Tensor


def train_restorer(
    restorer: Restorer,
    pictures: Crops,
    vgg: VGG,
    config: RestoreConfig,
    damaging: Damaging | None = None,
    state_path: Path | None = None,
    on_step: Callable[[dict[str, float]], None] = lambda record: None,
) -> Restorer:
    """Train a restorer on crops of clean pictures; returns its averaged weights as a new module.

    The tone networks stay unchanged. Resumes from `state_path` if that file exists.
    """
    c, damaging = config, damaging or RandomDamage()
    device = next(restorer.parameters()).device
    rng = torch.Generator().manual_seed(c.seed)
    restorer.requires_grad_(True).train().tone_reader.requires_grad_(False)
    average = deepcopy(restorer).requires_grad_(False)
    learning = [weight for weight in restorer.parameters() if weight.requires_grad]
    adversary = Adversary(vgg, device, c.seed)
    adam = torch.optim.Adam(learning, lr=c.lr, betas=BETAS)
    state = TrainingState(
        {"restorer": restorer, "average": average, "discriminator": adversary.discriminator},
        {"adam": adam, "discriminator": adversary.adam},
        rng,
        to_json(c),
    )
    if state_path:
        state.resume(state_path)
    guarded = GuardedOptimizer(adam)
    while state.step < c.steps:
        # batch
        share = state.step / c.steps
        clean = some_gray(pictures.draw(c.batch, c.size_px, rng).to(device), c.gray_share, rng)
        example = examples(clean, damaging, c, rng)
        tones = fitted_tones(example.image, example.clean, 1 - torch.maximum(example.mask, example.marks))
        # forward, losses
        repair = restorer(example.image, example.mask, tones)
        with_features = share >= 1 - c.feature_share and c.feature_weight > 0
        terms = repair_terms(repair, example, vgg if with_features else None)
        loss = weighted(terms, loss_weights(c))
        record = {"loss": loss.item()} | {name: value.item() for name, value in terms.items()}
        if share >= 1 - c.adversarial_share and c.adversarial_ratio:
            record["discriminator"] = adversary.learn(example.clean, repair.image, rng)
            loss = adversary.against(repair.image, loss, c.adversarial_ratio, rng)
        # backward, guard, step
        if guarded.step(loss, cosine(int(share * PACES), PACES, warmup=PACES // 50), record):
            update_ema(average, restorer, c.ema, state.step)
        # record
        state.step += 1
        on_step({"step": state.step} | record)
        if state_path and (state.step % SAVE_EVERY == 0 or state.step == c.steps):
            state.save(state_path)
    return average.eval()


@torch.no_grad()
def examples(clean: Tensor, damaging: Damaging, config: RestoreConfig, rng: torch.Generator) -> Example:
    """Damage clean crops (B, 3, S, S); some losses are given as a mask, the rest has to be found."""
    found = damaging(clean, rng)
    noise = noise_on(clean.device, rng)
    choice = uniform((3, len(clean), 1, 1, 1), noise, clean)
    lost = torch.maximum(found.marks, found.holes) > SEEN
    known = (found.holes > SEEN) | (lost & (choice[0] < 0.5))  # half the time thin marks are given, too
    mask = (known | _random_loss(clean, noise)) & (choice[1] < config.told_share)
    return Example(found.image, found.clean, mask.to(clean), (lost & ~mask).to(clean))


def repair_terms(repair: Repair, example: Example, vgg: VGG | None) -> dict[str, Tensor]:
    """Loss terms of repaired crops: pixels, detail, marks, and features of a VGG if it is given.

    An error counts less where the damage was greater. Detail is the error minus its local mean; otherwise a
    wrong shade, which is often unknowable, would dominate every pixel's gradient.
    """
    clean, kept = example.clean, 1 - example.mask
    harm = ((example.image - clean) * kept).abs().mean((1, 2, 3), keepdim=True)
    error = (repair.image - clean) * (LENIENCE / (LENIENCE + harm))
    terms = {
        "pixels": error.abs().mean(),
        "detail": detail(error).abs().mean(),
        "marks": F.binary_cross_entropy_with_logits(repair.marks, example.marks, weight=kept),
    }
    if vgg is not None:
        terms["features"] = feature_distance(vgg, repair.image, clean)
    return terms


def feature_distance(vgg: VGG, output: Tensor, clean: Tensor) -> Tensor:
    """Mean absolute difference of VGG features relative to the clean features, averaged over layers."""
    with torch.no_grad():
        wanted = vgg(clean)
    found = vgg(clamp_through(output))
    return torch.stack(
        [F.l1_loss(found[name], value) / value.abs().mean() for name, value in wanted.items()]
    ).mean()


def loss_weights(config: RestoreConfig) -> dict[str, float]:
    """The weight of every loss term by name."""
    return {
        "pixels": 1.0,
        "detail": config.detail_weight,
        "marks": config.marks_weight,
        "features": config.feature_weight,
    }


def _random_loss(clean: Tensor, rng: torch.Generator) -> Tensor:
    """Random holes or thick strokes (B, 1, S, S), true where a picture has to be filled in."""
    batch = len(clean)
    r = uniform((7, batch), rng, clean)
    share, size_px = 0.02 + 0.23 * r[0] ** 2, 10 * 16 ** r[1]
    blobs = holes(clean, share.view(-1, 1, 1, 1), size_px.view(-1, 1, 1, 1), rng)
    strokes = scratches(clean, 4 * r[2], 40 * 8 ** r[3], 3 * 8 ** r[4], r[5], rng).alpha
    return torch.where(r[6].view(-1, 1, 1, 1) < 0.6, blobs, strokes) > SEEN
