"""Damage for training a restorer for one kind of scans: mostly learned, partly random, partly none."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .damage import Damage, Damaged, damaged
from .damage_style import DamageStyle
from .random_damage import noise_on, random_damage


@dataclass(frozen=True, eq=False)
class MixedDamage:
    """Damages pictures as `train_restorer` needs it: a share in a learned style, a share not at all, and the
    rest at random.
    """

    style: DamageStyle
    learned_share: float = 0.5
    clean_share: float = 0.1

    def __post_init__(self) -> None:
        if min(self.learned_share, self.clean_share) < 0 or self.learned_share + self.clean_share > 1:
            raise ValueError(
                f"got shares {self.learned_share} learned and {self.clean_share} clean: they must be 0 or "
                "more, with a sum of at most 1"
            )

    def __call__(self, image: Tensor, rng: torch.Generator) -> Damaged:
        """Damage pictures (B, 3, H, W); `rng` is on the CPU, noise is drawn on the pictures' device."""
        choice = torch.rand(len(image), generator=rng)
        learned = choice < self.learned_share
        clean = choice > 1 - self.clean_share
        damages = [self._draw(a, b, rng) for a, b in zip(learned.tolist(), clean.tolist(), strict=True)]
        return damaged(image, damages, noise_on(image.device, rng))

    def _draw(self, learned: bool, clean: bool, rng: torch.Generator) -> Damage:
        if learned:
            return self.style.draw(rng)
        return Damage() if clean else random_damage(rng)
