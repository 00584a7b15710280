"""Each setting of a damage does what it says; none does nothing; marks and holes lie where they are told."""

from __future__ import annotations

import math

import pytest
import torch

from pstyle.image.colors import luma
from pstyle.restoration.damage.damage import Damage, damaged
from pstyle.restoration.damage.random_damage import KINDS, Dice

GRAY = torch.full((1, 3, 96, 96), 128 / 255)


def one(image: torch.Tensor, rng: torch.Generator, **settings) -> torch.Tensor:
    return damaged(image, [Damage(**settings)], rng).image


def test_no_damage_changes_nothing(picture, rng) -> None:
    picture = (picture * 255).round() / 255
    found = damaged(picture, [Damage()], rng)
    assert (found.image - picture).abs().max() < 1e-3 and not found.marks.any() and not found.holes.any()


@pytest.mark.parametrize(("saturation", "left"), [(0.0, False), (0.05, False), (0.3, True), (1.0, True)])
def test_color_that_is_all_lost_cannot_be_had_back(picture, rng, saturation: float, left: bool) -> None:
    found = damaged(picture, [Damage(saturation=saturation, black=(0.1, 0.0, 0.0))], rng)
    assert torch.equal(found.clean, picture if left else luma(picture).expand(-1, 3, -1, -1))


def test_fading_is_linear_between_black_and_white(rng) -> None:
    ramp = torch.linspace(0, 1, 96).expand(1, 3, 8, 96)
    found = one(ramp, rng, black=(0.1, 0.2, 0.0), white=(0.9, 0.8, 1.0))
    for channel, (black, white) in enumerate([(0.1, 0.9), (0.2, 0.8), (0.0, 1.0)]):
        wanted = black + (white - black) * ramp[0, 0, 0]
        assert found[0, channel, 0].numpy() == pytest.approx(wanted.numpy(), abs=0.5 / 255 + 1e-3)


@pytest.mark.parametrize(("color", "correlation"), [(0.0, 1.0), (1.0, 0.0), (0.5, 0.5)])
def test_grain_has_its_deviation_and_color(rng, color: float, correlation: float) -> None:
    noise = one(GRAY, rng, grain=0.06, grain_color=color)[0] - 128 / 255
    assert noise.std().item() == pytest.approx(0.06, rel=0.06)
    assert torch.corrcoef(noise.flatten(1))[0, 1].item() == pytest.approx(correlation, abs=0.06)


def test_grain_may_grow_with_light(rng) -> None:
    for level in (0.25, 0.75):
        noise = one(torch.full((1, 3, 96, 96), level), rng, grain=0.05, grain_slope=0.8)
        assert noise.std().item() == pytest.approx(0.05 * (1 + 0.8 * (2 * level - 1)), rel=0.1)


@pytest.mark.parametrize(("degrees", "period_px"), [(0.0, 6.0), (45.0, 6.0), (30.0, 4.8)])
def test_printed_dots_have_their_distance_and_angle(rng, degrees: float, period_px: float) -> None:
    found = one(GRAY, rng, screen=0.2, screen_px=period_px, screen_degrees=degrees)[0, 0] - 128 / 255
    assert found.std().item() == pytest.approx(0.1, rel=0.05)  # of a product of two waves
    power = torch.fft.fft2(found).abs()
    row, column = divmod(int(power.argmax()), 96)
    down, across = (torch.fft.fftfreq(96)[place].item() for place in (row, column))
    turn = math.radians(degrees)
    peaks = [abs(complex(down, across)), math.hypot(1, 1) / period_px]  # both waves together
    assert peaks[0] == pytest.approx(peaks[1], abs=1.5 / 96)
    angle = (math.atan2(down, across) - turn) % (math.pi / 2)
    assert angle == pytest.approx(math.pi / 4, abs=0.15)


def test_pictures_keep_to_their_own_damage(picture, rng) -> None:
    picture = (picture * 255).round() / 255
    kinds = [Damage(), *(Damage(**kind(Dice(rng))) for _, kind in KINDS)]
    found = damaged(picture.repeat(len(kinds), 1, 1, 1), kinds, rng)
    assert (found.image[0] - picture[0]).abs().max() < 1e-3
    assert not found.marks[0].any() and not found.holes[0].any()


def test_as_many_damages_as_pictures_are_needed(picture, rng) -> None:
    with pytest.raises(ValueError, match="got 2 damages for 1 pictures: give one each"):
        damaged(picture, [Damage(), Damage()], rng)
