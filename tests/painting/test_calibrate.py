"""Protects strength: half of it is half the way, for mild and for violent styles."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
import torch

from pstyle.losses.perceptual import Perceptual
from pstyle.losses.style_content import style_distance
from pstyle.nets.generator import style_moments
from pstyle.painting.calibrate import AMOUNTS, amount_at, calibrated, calibration_for
from pstyle.painting.painter import Painter
from pstyle.style.paint_settings import PaintSettings
from pstyle.style.provenance import Provenance
from pstyle.style.strength_calibration import Calibration
from pstyle.style.styled_generator import StyledGenerator
from tests.conftest import random_picture


def falling(power, end):
    """Distances of a style that reaches `end` of the first distance along a power of the amount."""
    return [2.0 * (1 - (1 - end) * amount**power) for amount in AMOUNTS]


@pytest.mark.parametrize("power", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("end", [0.05, 0.25, 0.6])
def test_half_the_strength_is_half_the_way(power, end):
    found = calibration_for(falling(power, end))
    left = np.interp(found.half, AMOUNTS, falling(power, end)) / 2.0
    assert left == pytest.approx(0.5 if end < 0.28 else 0.3 + 0.7 * end, abs=1e-6)
    assert 0 < found.quarter < found.half < found.three_quarters < 1


def test_violent_styles_get_less_and_mild_ones_more():
    violent, even, mild = (calibration_for(falling(power, 0.2)) for power in (0.4, 1.0, 2.5))
    assert violent.half < even.half < mild.half


@pytest.mark.parametrize("distances", [[1.0] * 7, [1, 1.2, 1.1, 1.3, 1, 1, 1.01], [0.0] * 7])
def test_a_style_that_comes_no_nearer_is_left_as_it_is(distances):
    assert calibration_for(distances) == Calibration()


def test_a_bump_on_the_way_gives_amounts_that_still_rise():
    found = calibration_for([1.0, 0.8, 0.9, 0.6, 0.65, 0.3, 0.2])
    assert all(a <= b for a, b in pairwise(found.knots()))


def test_amounts_are_those_of_numpy_s_interpolation():
    shares = [1.0, 0.9, 0.7, 0.5, 0.3, 0.2, 0.1]
    for share in (0.95, 0.6, 0.33, 0.1):
        assert amount_at(share, shares) == pytest.approx(np.interp(-share, [-s for s in shares], AMOUNTS))


def test_the_painter_then_halves_the_distance(tiny_generator, tiny_vgg, rng):
    """A style far from its contents, whose convolutions are the base's: what is mixed is the modulation."""
    contents = [random_picture(rng, 64, 64) for _ in range(3)]
    painting = (0.2 * random_picture(rng, 64, 64)).clamp(0, 1)
    perceptual = Perceptual([tiny_vgg])
    target = perceptual.style(painting)
    latent = tiny_generator.encode(style_moments(tiny_vgg, painting))[0]
    style = StyledGenerator(tiny_generator, latent).style(Provenance())
    bias = style.weights["strokes.bias"]
    style = dataclasses.replace(style, weights=style.weights | {"strokes.bias": bias - 0.4})  # dark, as it is
    found = calibrated(style, tiny_generator, tiny_vgg, perceptual, target, contents)
    assert found.calibration != Calibration()
    painter = Painter(found, tiny_generator, tiny_vgg, "cpu")
    wanted = {name: target[name] for name in ("relu1_1", "relu2_1", "relu3_1")}

    def distances(strength):
        painted = [
            perceptual.style(painter(picture, PaintSettings(strength=strength))) for picture in contents
        ]
        return np.array([style_distance(one, wanted, gram_weight=1.0).item() for one in painted])

    start = distances(0.0)
    half, end = ((distances(strength) / start).mean() for strength in (0.5, 1.0))
    assert end < 1 and half == pytest.approx(max(0.5, 0.3 + 0.7 * end), abs=0.08)


def test_a_style_file_keeps_its_calibration(tiny_generator, tiny_vgg, picture, tmp_path):
    from pstyle.style.style import load_style, save_style

    latent = tiny_generator.encode(style_moments(tiny_vgg, picture))[0]
    style = StyledGenerator(tiny_generator, latent).style(Provenance())
    style = dataclasses.replace(style, calibration=Calibration(0.1, 0.2, 0.7))
    save_style(tmp_path / "s.safetensors", style)
    assert load_style(tmp_path / "s.safetensors").calibration == style.calibration
    assert torch.equal(load_style(tmp_path / "s.safetensors").latent, style.latent)
