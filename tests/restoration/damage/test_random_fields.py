"""Random fields have the variance and the spectrum that were asked for."""

from __future__ import annotations

import math

import pytest
import torch

from pstyle.restoration.damage.random_fields import BANDS, banded, smooth, threshold, white

LIKE = torch.zeros(1)


@pytest.mark.parametrize("size", [(64, 64), (63, 50), (33, 97)])
def test_banded_noise_has_variance_one_and_its_spectrum(rng, size: tuple[int, int]) -> None:
    spectrum = torch.tensor([[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0] + [0.0] * 6])
    found = banded(white((2, 40, *size), rng, LIKE), spectrum)
    assert found.var((1, 2, 3)).tolist() == pytest.approx([1, 1], abs=0.1)
    power = torch.fft.fft2(found).abs().square().mean(1)  # (2, H, W), by numpy's own frequencies
    far = torch.hypot(*torch.meshgrid(*(torch.fft.fftfreq(side) for side in size), indexing="ij"))
    low, high = far < 1 / (2 * BANDS), far > 6.5 / (2 * BANDS)
    assert power[0][low].mean() < 1e-6 * power[0][high].mean()
    assert power[1][high].mean() < 1e-6 * power[1][low].mean()


def test_smooth_noise_falls_off_like_a_gaussian(rng) -> None:
    found = smooth(white((1, 60, 64, 64), rng, LIKE), torch.tensor([3.0]).view(1, 1, 1, 1))[0]
    assert found.var().item() == pytest.approx(1, abs=0.1)
    for lag in (2, 4, 6):  # blurring by s makes correlations exp(-lag^2 / 4 s^2)
        correlation = (found * found.roll(lag, -1)).mean() / found.square().mean()
        assert correlation.item() == pytest.approx(math.exp(-(lag**2) / 36), abs=0.08)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9])
def test_a_threshold_is_exceeded_by_its_share(rng, share: float) -> None:
    drawn = torch.randn(100_000, generator=rng)
    assert (drawn > threshold(torch.tensor(share))).float().mean().item() == pytest.approx(share, abs=0.01)
