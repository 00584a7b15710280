"""A classifier two-sample test: can a classifier trained afresh tell painted crops from real ones?

After Lopez-Paz & Oquab, arXiv 1610.06545. The classifier is a logistic regression on means and deviations of
VGG features of small crops: it shares no weights with the discriminator that a painter was trained against.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

import torch
import torch.nn.functional as F
from torch import Tensor

from .crops import random_crop
from .seeding import generator_of
from .vgg import VGG

LAYERS = ("relu1_1", "relu2_1", "relu3_1")
CROPS, CROP_PX = 120, 64  # of each side, to train and to test
DECAY = 1e-2  # of the squared weights: with fewer crops than numbers it would know them by heart
CLASSIFIERS = 4
STEPS = 200


@torch.no_grad()
def accuracy_afresh(
    real: Sequence[Tensor],
    painted: Sequence[Tensor],
    real_unseen: Sequence[Tensor],
    painted_unseen: Sequence[Tensor],
    vgg: VGG,
    seed: int = 0,
) -> float:
    """Share of unseen crops told right by a classifier trained on the others; 0.5 is a guess. The mean of
    several, each with crops of its own: that of one is uncertain by some three hundredths.

    All are pictures (1, 3, H, W) of any sizes from 64 px, real ones and painted ones counting alike.
    """
    sides = (real, painted, real_unseen, painted_unseen)
    told = []
    for classifier in range(CLASSIFIERS):
        rngs = [generator_of(seed, len(sides) * classifier + number) for number in range(len(sides))]
        told.append(_told_right(*(describe(_crops(*side), vgg) for side in zip(sides, rngs, strict=True))))
    return mean(told)


def _told_right(known_real: Tensor, known_painted: Tensor, real: Tensor, painted: Tensor) -> float:
    """Share of crops, described (N, K), that a classifier trained on the known ones tells right."""
    known = torch.cat([known_real, known_painted])
    middle, deviation = known.mean(0), known.std(0) + 1e-6
    labels = torch.cat([torch.ones(len(known_real)), torch.zeros(len(known_painted))]).to(known)
    weights = fitted((known - middle) / deviation, labels)
    told_real, told_painted = (
        ((unseen - middle) / deviation) @ weights[:-1] + weights[-1] > 0 for unseen in (real, painted)
    )
    return (told_real.float().mean() + (~told_painted).float().mean()).item() / 2


def describe(crops: Tensor, vgg: VGG) -> Tensor:
    """Means and deviations (N, K) of the features of crops (N, 3, S, S)."""
    rows = []
    for batch in crops.split(32):
        found = vgg(batch, [name for name in LAYERS if name in vgg.layers])
        parts = [part for value in found.values() for part in (value.mean((2, 3)), value.std((2, 3)))]
        rows.append(torch.cat(parts, dim=1))
    return torch.cat(rows)


@torch.enable_grad()
def fitted(rows: Tensor, labels: Tensor) -> Tensor:
    """Weights (K + 1,) of the logistic regression of labels (N,) on rows (N, K); the last is the bias."""
    weights = torch.zeros(rows.shape[1] + 1, device=rows.device, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        logits = rows @ weights[:-1] + weights[-1]
        found = F.binary_cross_entropy_with_logits(logits, labels) + DECAY * weights[:-1].square().sum()
        found.backward()
        return found

    optimizer.step(loss)
    return weights.detach()


def _crops(pictures: Sequence[Tensor], rng: torch.Generator) -> Tensor:
    return torch.cat([random_crop(pictures, CROP_PX, rng) for _ in range(CROPS)])
