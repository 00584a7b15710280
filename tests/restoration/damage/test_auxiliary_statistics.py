"""Protects the statistics of damage: what was put on clean pictures is measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pstyle.restoration.damage.auxiliary_statistics import (
    measure_chroma,
    measure_jpeg,
    measure_softness,
)
from pstyle.restoration.damage.damage import Damage, damaged
from pstyle.restoration.damage.fitting import damaged_alike
from tests.restoration.damage.conftest import OLD


def test_ink_and_paper_leave_gray_pictures_without_chroma(scenes, rng) -> None:
    (printed,) = damaged_alike(scenes[:1], replace(OLD, grain=0.0, dust_per_mp=0.0), 0)
    assert measure_chroma(printed) < 0.03 < 0.1 < measure_chroma(scenes[0])


def test_softness_is_the_blur_of_an_edge() -> None:
    step = (torch.arange(128.0) > 64).float().expand(1, 3, 96, 128)
    for blur_px in (1.5, 2.5):
        soft = damaged(step, [Damage(blur_px=blur_px)], torch.Generator()).image
        assert measure_softness(soft) == pytest.approx(blur_px**2, rel=0.3)


def test_jpeg_is_found_in_most_scans_or_not_at_all(scenes) -> None:
    files = damaged_alike(scenes, Damage(jpeg_quality=50.0), 0)
    assert measure_jpeg([*files, scenes[0]]) == pytest.approx(50, abs=2)
    assert measure_jpeg([files[0], *scenes[1:]]) is None
