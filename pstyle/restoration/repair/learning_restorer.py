"""Fine-tuning the shipped restorer for a few minutes on one's own clean pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.config import check_settings, setting
from ...image.crops import Crops, single_pictures
from ...nets.vgg import VGG
from ..damage.damage_style import DamageStyle
from ..damage.mixture import MixedDamage
from .restorer import STRIDE, Restorer
from .restorer_training import RestoreConfig, train_restorer

SHORT_SIDES_PX = (512, 384, 256)  # of the pictures in memory


@dataclass(frozen=True)
class LearnRestorerConfig:
    """Settings of fine-tuning a restorer."""

    steps: int = setting(300, 1, 100_000, "optimization steps")
    batch: int = setting(8, 1, 256, "crops per step")
    size_px: int = setting(128, 64, 512, "side of the crops in pixels; a multiple of 16")
    lr: float = setting(0.0002, 0.000001, 0.1, "peak learning rate, with cosine decay")
    seed: int = setting(0, 0, 2**31 - 1, "random seed for crops and damage")

    def __post_init__(self) -> None:
        check_settings(self)
        if self.size_px % STRIDE:
            raise ValueError(
                f"{type(self).__name__}.size_px must be a multiple of {STRIDE}, got {self.size_px}"
            )


def learn_restorer(
    pictures: Sequence[Tensor],
    restorer: Restorer,
    vgg: VGG,
    config: LearnRestorerConfig | None = None,
    damage: DamageStyle | None = None,
    on_step: Callable[[dict[str, float]], None] = lambda record: None,
) -> Restorer:
    """Fine-tune a copy of a restorer on clean pictures (B, C, H, W).

    With a damage style, half of the crops are damaged in that style, and a tenth is left clean. The tone
    correction is not retrained, since that takes many pictures. Raises ValueError if there is no picture, or
    one is too small.
    """
    c = config or LearnRestorerConfig()
    crops = Crops(single_pictures(pictures, "clean picture", c.size_px), SHORT_SIDES_PX)
    new = deepcopy(restorer).to(memory_format=torch.channels_last)
    training = RestoreConfig(steps=c.steps, batch=c.batch, size_px=c.size_px, lr=c.lr, ema=0.99, seed=c.seed)
    damaging = None if damage is None else MixedDamage(damage)
    return train_restorer(new, crops, vgg, training, damaging, on_step=on_step).requires_grad_(False)
