"""Learning what the parameters of a damage miss: feature statistics of damaged practice crops are matched to
those of the scans, as in Huang & Belongie (arXiv 1703.06868), and kept only if a classifier then errs more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ...core.seeding import generator_of
from ...finetuning.patch_statistics import LAYERS
from ...finetuning.two_sample_test import accuracy_afresh
from ...image.crops import random_crop
from ...losses.perceptual import clamp_through
from ...nets.vgg import VGG
from ...training.guarded_optimizer import GuardedOptimizer
from .damage_style import with_residue
from .residue import Residue, new_residue

CROP_PX, CROPS = 64, 10  # of each step
KNOWN_CROPS = 80  # of the scans, whose statistics are aimed at
LR = 3e-3
BETTER = 0.02  # by which the classifier's accuracy must fall
CALM = 20.0  # weight of the mean square of what is added


def learn_residue(
    scans: Sequence[Tensor],
    made: Sequence[Tensor],
    vgg: VGG,
    steps: int,
    seed: int,
    on_step: Callable[[int], None] = lambda done: None,
) -> tuple[Residue, str]:
    """A residue learned on scans and on practice pictures `made`, damaged by parameters alone, both lists of
    (1, 3, H, W); and a sentence on whether it is kept. One that adds nothing is returned if it is not.

    The last scan and the last half of those made are only judged by.
    """
    if len(scans) < 2 or len(made) < 2:
        return new_residue(seed), "the network needs two scans and two clean pictures, so it adds nothing"
    half = len(made) // 2
    residue = _matched(new_residue(seed), scans[:-1], made[:half], vgg, steps, seed, on_step)
    plain = _told(scans, made, vgg, seed)
    changed = [with_residue(picture, residue, generator_of(seed, 5, i)) for i, picture in enumerate(made)]
    helped = _told(scans, changed, vgg, seed)
    verdict = f"a classifier tells {plain:.2f} of held-out crops without the network, {helped:.2f} with it"
    kept = abs(helped - 0.5) <= abs(plain - 0.5) - BETTER
    return (residue if kept else new_residue(seed)), f"{verdict}, so it is {'kept' if kept else 'left out'}"


def _matched(
    residue: Residue,
    scans: Sequence[Tensor],
    made: Sequence[Tensor],
    vgg: VGG,
    steps: int,
    seed: int,
    on_step: Callable[[int], None],
) -> Residue:
    rng = generator_of(seed, 3)
    with torch.no_grad():
        aim = _moments(_crops(scans, KNOWN_CROPS, rng), vgg)
    guarded = GuardedOptimizer(torch.optim.Adam(residue.parameters(), lr=LR))
    for step in range(steps):
        crops = _crops(made, CROPS, rng)
        found = residue(crops, rng)
        loss = _gap(_moments(clamp_through(found), vgg), aim) + CALM * (found - crops).square().mean()
        guarded.step(loss)
        on_step(step + 1)
    return residue.eval()


def _moments(crops: Tensor, vgg: VGG) -> list[Tensor]:
    """Means and deviations (B, C) of features of crops (B, 3, S, S), layer by layer."""
    features = vgg(crops, [name for name in LAYERS if name in vgg.layers])
    return [part for value in features.values() for part in (value.mean((2, 3)), value.std((2, 3)))]


def _gap(found: Sequence[Tensor], aim: Sequence[Tensor]) -> Tensor:
    """Mean squared difference of crops' mean statistics, in deviations among the crops aimed at."""
    gaps = [
        ((a.mean(0) - b.mean(0)) / (b.std(0) + 1e-2 * b.abs().mean() + 1e-6)).square().mean()
        for a, b in zip(found, aim, strict=True)
    ]
    return torch.stack(gaps).mean()


def _told(scans: Sequence[Tensor], made: Sequence[Tensor], vgg: VGG, seed: int) -> float:
    half = len(made) // 2
    return accuracy_afresh(scans[:-1], made[:half], scans[-1:], made[half:], vgg, seed)


def _crops(pictures: Sequence[Tensor], count: int, rng: torch.Generator) -> Tensor:
    return torch.cat([random_crop(pictures, CROP_PX, rng) for _ in range(count)])
