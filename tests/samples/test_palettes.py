"""Protects palettes: Oklab's published colors, dark to light, and pictures in them."""

from __future__ import annotations

import math

import pytest
import torch

from pstyle.image.colors import luma
from pstyle.samples.ink_artists import Woodcut
from pstyle.samples.palettes import from_oklch, random_palette, recolor, saturate
from tests.conftest import random_picture
from tests.samples.spectra import photo


@pytest.mark.parametrize(
    ("lightness", "chroma", "degrees", "color"),
    [  # of CSS Color 4
        (0.62796, 0.25768, 29.234, (1, 0, 0)),
        (0.86644, 0.29483, 142.495, (0, 1, 0)),
        (0.45201, 0.31321, 264.052, (0, 0, 1)),
        (0.51975, 0.17686, 142.495, (0, 128 / 255, 0)),
        (0.59987, 0.0, 0.0, (128 / 255,) * 3),
        (1.0, 0.0, 0.0, (1, 1, 1)),
        (0.0, 0.0, 0.0, (0, 0, 0)),
    ],
)
def test_colors_are_the_published_ones(lightness: float, chroma: float, degrees: float, color) -> None:
    found = from_oklch(*map(torch.tensor, (lightness, chroma, math.radians(degrees))))
    assert found.tolist() == pytest.approx(color, abs=3e-3)


def test_colors_outside_of_srgb_are_clamped() -> None:
    hues = torch.linspace(0, 2 * math.pi, 50)
    found = from_oklch(torch.tensor(0.6), torch.tensor(0.5), hues)
    assert found.shape == (50, 3) and found.isfinite().all() and found.min() == 0 and found.max() <= 1


def test_a_palette_runs_from_dark_to_light_and_colors_the_painting() -> None:
    for seed in range(1, 20):
        shades = luma(random_palette(seed).view(-1, 3, 1, 1)).flatten()
        assert (shades.diff() > 0).float().mean() >= 0.8 and shades[0] < 0.35 and shades[-1] > 0.7
    palette = random_palette(7)
    painted = recolor(photo("astronaut", 48), palette, softness=1e-4)[0].flatten(1).T
    assert (torch.cdist(painted, palette).amin(1) < 0.02).float().mean() > 0.98  # ties are mixed
    ink, paper = palette[0], palette[-1]
    print_ = Woodcut(palette_seed=7)(photo("coffee"), 0)[0].flatten(1).T
    assert torch.minimum((print_ - ink).norm(dim=1), (print_ - paper).norm(dim=1)).median() < 0.02


@pytest.mark.parametrize("amount", [0.0, 0.5, 1.0, 1.3])
def test_saturation_scales_what_is_beside_gray_and_keeps_brightness(rng, amount: float) -> None:
    image = 0.4 + 0.2 * random_picture(rng, 17, 23)  # so that nothing is clamped
    found = saturate(image, amount)
    assert torch.allclose(luma(found), luma(image), atol=1e-5)
    assert torch.allclose(found.amax(1) - found.amin(1), amount * (image.amax(1) - image.amin(1)), atol=1e-5)
