"""Protects fields: angles, spectra, stripes and blurs have what they are asked to have."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.ndimage import gaussian_filter

from pstyle.samples.pixel_fields import blur, flatten, noise, orientation, smear, smoothstep, stripes, warp
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


@pytest.mark.parametrize("sigma_px", [0.1, 0.7, 2.5, 3.9])
@pytest.mark.parametrize("size", [(33, 41), (5, 64)])
def test_blur_is_that_of_scipy(rng, sigma_px: float, size: tuple[int, int]) -> None:
    image = torch.rand(2, 3, *size, generator=rng)
    axes = {"sigma": (0, 0, sigma_px, sigma_px), "mode": "nearest", "truncate": 6.0}
    expected = gaussian_filter(image.double().numpy(), **axes)
    assert blur(image, sigma_px).numpy() == pytest.approx(expected, abs=0.01)


def test_smoothstep_is_half_at_the_middle_and_flat_at_both_ends() -> None:
    values = torch.linspace(-1, 4, 501)
    found = smoothstep(1.0, 3.0, values)
    assert not found[values <= 1].any() and (found[values >= 3] == 1).all() and found[300] == 0.5
    assert torch.allclose(found[100:501] + found[100:501].flip(0), torch.ones(401), atol=1e-5)
    slope = found.diff() / values.diff()
    assert slope.min() >= 0 and slope.max() == pytest.approx(0.75, abs=1e-3)  # of a cubic over 2


@pytest.mark.parametrize("size", [(12, 17), (9, 5)])
def test_a_warp_by_whole_pixels_moves_them(rng, size: tuple[int, int]) -> None:
    image = torch.rand(1, 3, *size, generator=rng)
    down, right = torch.full((1, 1, *size), 2.0), torch.full((1, 1, *size), -3.0)
    found = warp(image, right, down)
    assert torch.allclose(found[:, :, :-2, 3:], image[:, :, 2:, :-3], atol=1e-5)
    assert torch.allclose(found[:, :, -1], image[:, :, -1, [0, 0, 0, *range(size[1] - 3)]], atol=1e-5)


def test_flatten_keeps_an_edge_that_a_blur_would_not_and_evens_what_is_beside(rng) -> None:
    sides = torch.where(torch.arange(60) < 30, 0.25, 0.75).expand(1, 3, 50, 60)
    noisy = sides + 0.05 * torch.randn(1, 3, 50, 60, generator=rng)
    found, blurred = flatten(noisy, 5.0), blur(noisy, 2.5)
    assert (found - sides)[..., 5:-5, 5:-5].abs().mean() < 0.4 * (noisy - sides).abs().mean()
    assert (found - sides)[..., 27:33].abs().mean() < 0.3 * (blurred - sides)[..., 27:33].abs().mean()


def test_noise_has_no_features_above_the_largest_and_is_stretched(rng) -> None:
    limited, free = (noise(128, 128, rng.manual_seed(3), exponent=2.0, largest_px=px) for px in (8, 1e9))
    powers = []
    for field in (limited, free):
        power, down, right = spectrum(field)
        radius = torch.hypot(down, right)
        powers.append((power[(radius > 0.015) & (radius < 0.03)].mean() / power[radius > 0.1].mean()).item())
    assert powers[0] < 0.02 * powers[1]
    wide = noise(128, 128, rng, exponent=1.5, stretch=4.0)[0, 0]
    assert wide.diff(dim=1).std() < 0.6 * wide.diff(dim=0).std()
