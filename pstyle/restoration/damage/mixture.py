"""Damage to train a restorer of one kind of scans with: mostly learned, partly of every kind, partly none."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .damage import Damage, Damaged, damaged
from .damage_style import DamageStyle
from .random_damage import noise_on, random_damage


@dataclass(frozen=True, eq=False)
class MixedDamage:
    """Damages a share of pictures as a style has learned, leaves a share alone, and the rest at random: what
    `train_restorer` takes as `damaging`.
    """

    style: DamageStyle
    learned_share: float = 0.5
    clean_share: float = 0.1

    def __post_init__(self) -> None:
        if min(self.learned_share, self.clean_share) < 0 or self.learned_share + self.clean_share > 1:
            raise ValueError(
                f"got shares {self.learned_share} learned and {self.clean_share} clean: they must be from 0 "
                "on, and 1 together at most"
            )

    def __call__(self, image: Tensor, rng: torch.Generator) -> Damaged:
        """Damaged pictures (B, 3, H, W); `rng` is on the CPU, noise is drawn where the pictures are."""
        choice = torch.rand(len(image), generator=rng)
        learned = choice < self.learned_share
        clean = choice > 1 - self.clean_share
        damages = [self._draw(a, b, rng) for a, b in zip(learned.tolist(), clean.tolist(), strict=True)]
        return damaged(image, damages, noise_on(image.device, rng))

    def _draw(self, learned: bool, clean: bool, rng: torch.Generator) -> Damage:
        if learned:
            return self.style.draw(rng)
        return Damage() if clean else random_damage(rng)
