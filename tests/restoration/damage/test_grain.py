"""Grain that was put on is found again, on flat and on busy pictures."""

from __future__ import annotations

import pytest
import torch

from pstyle.restoration.damage.damage import Damage, damaged
from pstyle.restoration.damage.grain import measure_grain
from pstyle.restoration.damage.random_fields import BANDS
from pstyle.samples import content_pictures


@pytest.fixture(scope="module")
def scenes() -> list[torch.Tensor]:
    return content_pictures(3, 320, seed=4)


def test_a_flat_ramp_gives_back_every_number(rng) -> None:
    ramp = torch.linspace(0.1, 0.9, 512).expand(1, 3, 256, 512)
    spectrum = (1.0, 1.0, 0.9, 0.7, 0.5, 0.4, 0.3, 0.2)
    damage = Damage(grain=0.05, grain_color=0.4, grain_slope=0.5, grain_spectrum=spectrum)
    found = measure_grain([damaged(ramp, [damage], rng).image])
    assert found.deviation == pytest.approx(0.05, rel=0.12)
    assert found.color == pytest.approx(0.4, abs=0.08)
    assert found.slope == pytest.approx(0.5, abs=0.15)
    assert found.spectrum[1:] == pytest.approx(spectrum[1:], abs=0.15)


@pytest.mark.parametrize("deviation", [0.02, 0.08])
def test_it_is_found_on_scenes(scenes, rng, deviation: float) -> None:
    pictures = [damaged(scene, [Damage(grain=deviation)], rng).image for scene in scenes]
    assert measure_grain(pictures).deviation == pytest.approx(deviation, rel=0.3)


def test_clean_scenes_have_next_to_none(scenes) -> None:
    assert measure_grain(scenes).deviation < 0.01


def test_black_pictures_tell_nothing() -> None:
    assert measure_grain([torch.zeros(1, 3, 64, 64)]) == (0.0, 0.0, 0.0, (1.0,) * BANDS)
