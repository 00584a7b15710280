"""Protects fields: angles, spectra, stripes and blurs have what they are asked to have."""

from __future__ import annotations

import math

import pytest
import torch

from pstyle.samples.pixel_fields import blur, noise, orientation, smear, stripes
from tests.samples.spectra import flat, grating, peak, spectrum, turn_between


@pytest.mark.parametrize("angle", [0.0, 0.5, 1.2, 2.0, 2.8])
def test_orientation_finds_the_angle_of_a_grating(angle: float) -> None:
    found, coherence = orientation(grating(96, 12, angle), 4.0)
    middle = (..., slice(20, -20), slice(20, -20))
    assert max(turn_between(float(a), angle) for a in found[middle].flatten()[::17]) < math.radians(3)
    assert coherence[middle].min() > 0.9


def test_orientation_falls_back_where_there_is_nothing_to_follow() -> None:
    found, coherence = orientation(flat(0.5, 32), 4.0, fallback=0.7)
    assert found.sub(0.7).abs().max() < 1e-3 and coherence.max() < 0.1


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_noise_has_the_spectrum_it_is_told(exponent: float, rng) -> None:
    field = noise(256, 256, rng, exponent=exponent)
    power, down, right = spectrum(field)
    radius = (down**2 + right**2).sqrt()
    low, high = (power[(radius > r) & (radius < 1.4 * r)].mean() for r in (0.03, 0.24))
    assert float((low / high).log2()) / 3 == pytest.approx(2 * exponent, abs=0.35)
    assert float(field.mean()) == pytest.approx(0, abs=1e-4) and float(field.std()) == pytest.approx(
        1, abs=1e-3
    )


def test_stripes_and_smears_run_along_the_angle(rng) -> None:
    for angle in (0.3, 2.2):
        field = torch.full((1, 1, 128, 128), angle)
        found_px, found = peak(stripes(field, 7.0, rng))
        assert found_px == pytest.approx(7.0, rel=0.1) and turn_between(found, angle) < math.radians(5)
        drawn = smear(noise(128, 128, rng, exponent=0), field, 24.0)
        seen, _ = orientation((0.5 + drawn).expand(1, 3, -1, -1), 12.0)
        assert (
            turn_between(float(seen.median()) if angle < 1.5 else float(seen.median()) + math.pi, angle) < 0.1
        )


@pytest.mark.parametrize(("sigma_px", "tolerance"), [(0.7, 0.02), (3.0, 0.02), (9.0, 0.1)])
def test_blur_spreads_a_point_by_its_sigma(sigma_px: float, tolerance: float) -> None:
    point = torch.zeros(1, 1, 97, 97)
    point[..., 48, 48] = 1
    spread = blur(point, sigma_px)[0, 0]
    away = torch.arange(97.0) - 48
    assert float(spread.sum()) == pytest.approx(1, abs=1e-2)
    assert float((spread.sum(0) * away**2).sum().sqrt()) == pytest.approx(sigma_px, rel=tolerance, abs=0.05)
