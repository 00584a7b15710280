"""Protects artists of ink: strokes, gouges, grain and dots are as they are told."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from pstyle.image.colors import luma
from pstyle.samples.ink_artists import Charcoal, Hatching, Screenprint, Woodcut
from pstyle.samples.palettes import random_palette
from pstyle.samples.pixel_fields import blur
from tests.samples.spectra import flat, grating, peak, photo, spectrum, turn_between


@pytest.mark.parametrize(("wavelength_px", "degrees"), [(5.0, 20.0), (8.0, 110.0), (12.0, 60.0)])
def test_hatching_has_the_wavelength_and_direction_it_is_given(wavelength_px: float, degrees: float) -> None:
    drawing = Hatching(wavelength_px=wavelength_px, angle_degrees=degrees)(flat(0.68, 256), 0)
    found_px, angle = peak(drawing)
    assert found_px == pytest.approx(wavelength_px, rel=0.07)
    assert turn_between(angle, math.radians(degrees)) < math.radians(4)


def test_hatching_crosses_its_strokes_where_it_is_darker() -> None:
    crossing = math.radians(35) + 1.0

    def power_along(drawing: Tensor, angle: float) -> Tensor:
        power, down, right = spectrum(drawing)
        away = ((down - math.cos(angle) / 6) ** 2 + (right + math.sin(angle) / 6) ** 2).sqrt()
        return power[away < 0.02].sum()

    light, dark = (Hatching()(flat(value, 256), 0) for value in (0.7, 0.35))
    assert power_along(dark, crossing) > 5 * power_along(light, crossing)
    assert dark.mean() < light.mean() - 0.15


def test_woodcut_has_two_tones() -> None:
    print_ = luma(Woodcut()(photo("astronaut", 192), 0))
    ink, paper = print_.amin(), print_.amax()
    share = (print_ - ink) / (paper - ink)
    assert ((share < 0.08) | (share > 0.92)).float().mean() > 0.85
    assert 0.2 < (share < 0.5).float().mean() < 0.8


@pytest.mark.parametrize("wavelength_px", [5.0, 9.0])
def test_woodcut_gouges_lie_as_far_apart_as_they_are_told(wavelength_px: float) -> None:
    found_px, _ = peak(Woodcut(wavelength_px=wavelength_px)(flat(0.5, 192), 0))
    assert found_px == pytest.approx(wavelength_px, rel=0.15)


def test_woodcut_gouges_follow_the_form() -> None:
    for angle in (0.4, 1.9):
        form = 0.5 + 0.15 * (grating(192, 48, angle) - 0.5)
        _, found = peak(Woodcut(wavelength_px=6)(form, 0), longest_px=12)
        assert turn_between(found, angle) < math.radians(12)


def test_charcoal_has_a_finer_or_coarser_grain() -> None:
    def fineness(tooth_px: float) -> float:
        drawing = Charcoal(tooth_px=tooth_px)(flat(0.5), 0)
        return float((drawing - blur(drawing, 1.0)).std() / drawing.std())

    assert fineness(1.5) > 1.2 * fineness(8.0)


@pytest.mark.parametrize("inks", [2, 4])
def test_screenprint_has_as_many_colors_as_inks_and_paper(inks: int) -> None:
    print_ = Screenprint(inks=inks, palette_seed=7)(photo("astronaut", 192), 0)[0].flatten(1).T
    colors = random_palette(7)[torch.linspace(0, 5, inks + 1).long()]
    nearest, which = torch.cdist(print_, colors).min(1)
    assert (nearest < 0.06).float().mean() > 0.85  # the rest lies on the borders of the dots
    assert torch.bincount(which[nearest < 0.06], minlength=inks + 1).min() > 0.03 * len(print_)


def test_screenprint_dots_lie_as_far_apart_as_they_are_told() -> None:
    between_two_inks = flat(1 / 3, 192)
    found_px, _ = peak(Screenprint(dot_px=8.0, inks=2)(between_two_inks, 0))
    assert found_px == pytest.approx(8, rel=0.1)
