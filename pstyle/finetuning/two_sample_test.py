"""A classifier two-sample test of painted against real crops (Lopez-Paz & Oquab, arXiv 1610.06545).

The classifier is a logistic regression on means and deviations of VGG features of small crops. It shares no
weights with the discriminator, but the Fisher critic reads the same statistics; docs/ablations.md compares
classifiers that do not.
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
DECAY = 1e-2  # weight decay: with fewer crops than features it would memorize them
CLASSIFIERS = 4
STEPS = 200
SIDES = 4  # streams of random numbers per classifier: real and painted crops, to train and to test


class TwoSample:
    """The real side of the test: pictures to train classifiers on, and unseen ones to test them on."""

    def __init__(
        self, real: Sequence[Tensor], real_unseen: Sequence[Tensor], vgg: VGG, seed: int = 0
    ) -> None:
        """Pictures are (1, 3, H, W) of any sizes from 64 px."""
        self.real, self.real_unseen, self.vgg, self.seed = real, real_unseen, vgg, seed
        self._real_rows: dict[int, tuple[Tensor, Tensor]] = {}

    @torch.no_grad()
    def two_sample_accuracy(
        self, painted: Sequence[Tensor], painted_unseen: Sequence[Tensor], classifiers: int = CLASSIFIERS
    ) -> float:
        """Accuracy on unseen crops of a classifier trained on the others; 0.5 is a guess.

        Real and painted crops count equally. It is the mean of several classifiers, each with its own crops,
        since the accuracy of one is uncertain by about 0.03.
        """
        accuracies = []
        for classifier in range(classifiers):
            known_real, unseen_real = self._reals(classifier)
            known_painted, unseen_painted = self._rows(classifier, 2, painted, painted_unseen)
            accuracies.append(_two_sample_accuracy(known_real, known_painted, unseen_real, unseen_painted))
        return mean(accuracies)

    def _reals(self, classifier: int) -> tuple[Tensor, Tensor]:
        if classifier not in self._real_rows:
            self._real_rows[classifier] = self._rows(classifier, 0, self.real, self.real_unseen)
        return self._real_rows[classifier]

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
    """`TwoSample.two_sample_accuracy` for a single use."""
    return TwoSample(real, real_unseen, vgg, seed).two_sample_accuracy(painted, painted_unseen)


def _two_sample_accuracy(known_real: Tensor, known_painted: Tensor, real: Tensor, painted: Tensor) -> float:
    """Accuracy on statistics (N, K) of unseen crops of a classifier trained on those of known ones."""
    known = torch.cat([known_real, known_painted])
    middle, deviation = known.mean(0), known.std(0) + 1e-6
    labels = torch.cat([torch.ones(len(known_real)), torch.zeros(len(known_painted))]).to(known)
    weights = fitted((known - middle) / deviation, labels)
    true_real, false_real = (
        ((unseen - middle) / deviation) @ weights[:-1] + weights[-1] > 0 for unseen in (real, painted)
    )
    return (true_real.float().mean() + (~false_real).float().mean()).item() / 2


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
