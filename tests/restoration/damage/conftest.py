"""Known damage to be learned, and pictures to put it on."""

from __future__ import annotations

import pytest
import torch

from pstyle.restoration.damage.damage import Damage
from pstyle.restoration.damage.fitting import LearnDamageConfig
from pstyle.restoration.damage.spots import FindMarks
from pstyle.restoration.repair.restorer import load_restorer
from pstyle.restoration.repair.restoring import RestorationPipeline
from pstyle.samples import content_pictures

QUICK = LearnDamageConfig(rounds=2, practice=4, practice_px=224)
OLD = Damage(
    saturation=0.0,
    black=(0.2, 0.15, 0.1),
    white=(0.9, 0.82, 0.66),
    grain=0.04,
    dust_per_mp=700.0,
    dust_px=5.0,
    light_marks=1.0,
    light_color=(0.95, 0.9, 0.8),
)
NEWS = Damage(
    screen=0.1,
    screen_px=4.2,
    saturation=0.0,
    black=(0.17, 0.16, 0.16),
    white=(0.86, 0.84, 0.77),
    grain=0.02,
    jpeg_quality=40.0,
)
SLIDE = Damage(black=(0.15, 0.0, 0.1), white=(1.0, 0.75, 0.9), grain=0.03, grain_color=1.0)


@pytest.fixture(scope="module")
def scenes() -> list[torch.Tensor]:
    return content_pictures(4, 224, seed=11)


@pytest.fixture(scope="module")
def find_marks() -> FindMarks:
    return RestorationPipeline(load_restorer(), "cpu", torch.float32).find_marks
