"""A classifier two-sample test: can a classifier trained afresh tell painted crops from real ones?

After Lopez-Paz & Oquab, arXiv 1610.06545. The classifier is a logistic regression on means and deviations of
VGG features of small crops: it shares no weights with the discriminator that a painter was trained against.
The critic of windows describes crops in the same way, though: docs/ablations.md has what others tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.seeding import generator_of
from ..image.crops import random_crop
from ..nets.vgg import VGG
from .patch_statistics import LAYERS, WINDOW_PX, patch_statistics

CROPS = 120  # of each side, to train and to test
DECAY = 1e-2  # of the squared weights: with fewer crops than numbers it would know them by heart
CLASSIFIERS = 4
STEPS = 200
SIDES = 4  # known and unseen ones, real and painted


class TwoSample:
    """Real pictures to tell painted ones from: some to train classifiers with, some that these never see."""

    def __init__(
        self, real: Sequence[Tensor], real_unseen: Sequence[Tensor], vgg: VGG, seed: int = 0
    ) -> None:
        """Pictures are (1, 3, H, W) of any sizes from 64 px."""
        self.real, self.real_unseen, self.vgg, self.seed = real, real_unseen, vgg, seed
        self._described: dict[int, tuple[Tensor, Tensor]] = {}

    @torch.no_grad()
    def two_sample_accuracy(
        self, painted: Sequence[Tensor], painted_unseen: Sequence[Tensor], classifiers: int = CLASSIFIERS
    ) -> float:
        """Share of unseen crops told right by a classifier trained on the others; 0.5 is a guess.

        Real and painted ones count alike. It is the mean of several classifiers, each with crops of its own:
        the share of one is uncertain by some three hundredths.
        """
        told = []
        for classifier in range(classifiers):
            known_real, unseen_real = self._reals(classifier)
            known_painted, unseen_painted = self._rows(classifier, 2, painted, painted_unseen)
            told.append(_two_sample_accuracy(known_real, known_painted, unseen_real, unseen_painted))
        return mean(told)

    def _reals(self, classifier: int) -> tuple[Tensor, Tensor]:
        if classifier not in self._described:
            self._described[classifier] = self._rows(classifier, 0, self.real, self.real_unseen)
        return self._described[classifier]

    def _rows(self, classifier: int, first: int, *sides: Sequence[Tensor]) -> tuple[Tensor, ...]:
        rngs = [generator_of(self.seed, SIDES * classifier + first + number) for number in range(len(sides))]
        return tuple(describe(_crops(*side), self.vgg) for side in zip(sides, rngs, strict=True))


def accuracy_afresh(
    real: Sequence[Tensor],
    painted: Sequence[Tensor],
    real_unseen: Sequence[Tensor],
    painted_unseen: Sequence[Tensor],
    vgg: VGG,
    seed: int = 0,
) -> float:
    """`TwoSample.two_sample_accuracy` of painted pictures that are judged only once."""
    return TwoSample(real, real_unseen, vgg, seed).two_sample_accuracy(painted, painted_unseen)


def _two_sample_accuracy(known_real: Tensor, known_painted: Tensor, real: Tensor, painted: Tensor) -> float:
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
    names = [name for name in LAYERS if name in vgg.layers]
    return torch.cat([patch_statistics(vgg(batch, names)) for batch in crops.split(32)])


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
    return torch.cat([random_crop(pictures, WINDOW_PX, rng) for _ in range(CROPS)])
