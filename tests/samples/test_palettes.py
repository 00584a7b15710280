"""Protects palettes: Oklab's published colors, dark to light, and pictures in them."""

from __future__ import annotations

import torch

from pstyle.image.colors import luma
from pstyle.samples.ink_artists import Woodcut
from pstyle.samples.palettes import random_palette, recolor
from tests.samples.spectra import photo


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
