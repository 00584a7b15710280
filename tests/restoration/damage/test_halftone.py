"""Printed dots are read off pictures as they were put on, and are seen in no picture without them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pstyle.restoration.damage.damage import Damage
from pstyle.restoration.damage.fitting import damaged_alike
from pstyle.restoration.damage.grain import measure_grain
from pstyle.restoration.damage.halftone import Screen, measure_screen, screen_height, without_screen
from pstyle.samples import content_pictures


@pytest.fixture(scope="module")
def scenes() -> list[torch.Tensor]:
    return content_pictures(3, 256, seed=4)


@pytest.mark.parametrize("quality", [100.0, 50.0])
@pytest.mark.parametrize(
    ("height", "period_px", "degrees"),
    [(0.1, 4.2, 45.0), (0.06, 3.1, 30.0), (0.2, 7.0, 75.0), (0.1, 12.0, 20.0)],
)
def test_a_screen_is_read_as_it_was_put_on(
    scenes, height: float, period_px: float, degrees: float, quality: float
) -> None:
    printed = Damage(grain=0.02, screen=height, screen_px=period_px, screen_degrees=degrees)
    pictures = damaged_alike(scenes, replace(printed, jpeg_quality=quality), 1)
    found = measure_screen(pictures)
    assert found.period_px == pytest.approx(period_px, rel=0.01)
    assert found.degrees == pytest.approx(degrees, abs=1)
    if quality == 100:  # JPEG takes of fine dots
        assert screen_height(pictures, found) == pytest.approx(height, rel=0.1)


@pytest.mark.parametrize(
    "damage",
    [Damage(), Damage(grain=0.1), Damage(jpeg_quality=15.0), Damage(dust_per_mp=2000.0, blur_px=2.0)],
)
def test_pictures_without_dots_have_no_screen(scenes, damage: Damage) -> None:
    assert measure_screen(damaged_alike(scenes, damage, 2)) is None


def test_one_wave_is_no_screen(scenes) -> None:
    """Blinds, cloth and bricks repeat along one axis."""
    wave = 0.1 * torch.cos(2 * math.pi * torch.arange(256) / 5.3)
    assert measure_screen([(scene + wave).clamp(0, 1) for scene in scenes]) is None


@settings(max_examples=25, deadline=None)
@given(period_px=st.floats(2.1, 20), degrees=st.floats(0, 90), seed=st.integers(0, 10**6))
def test_its_waves_are_all_that_is_taken_from_blocks(period_px: float, degrees: float, seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    screen = Screen(period_px, degrees)
    gray = torch.full((1, 3, 32, 32), 0.5)
    printed = Damage(screen=0.3, screen_px=period_px, screen_degrees=degrees)
    dots = damaged_alike([gray], printed, seed)[0] - gray
    assert without_screen(dots, screen).abs().max() < 0.02 < dots.abs().max()  # 8 bits round
    noise = torch.randn(20, 3, 32, 32, generator=rng)
    rest = without_screen(noise, screen)
    assert torch.allclose(without_screen(rest, screen), rest, atol=1e-4)
    assert rest.var() / noise.var() == pytest.approx(1 - 4 / 32**2, abs=5e-3)


def test_grain_is_measured_beside_the_dots(scenes) -> None:
    grainy = damaged_alike(scenes, Damage(grain=0.03), 1)
    printed = damaged_alike(scenes, Damage(grain=0.03, screen=0.2, screen_px=4.2, screen_degrees=45.0), 1)
    wanted, found = measure_grain(grainy), measure_grain(printed, Screen(4.2, 45.0))
    assert found.deviation == pytest.approx(wanted.deviation, rel=0.15)
    assert measure_grain(printed).deviation > 2 * wanted.deviation
