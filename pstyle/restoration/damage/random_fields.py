"""Random fields: Gaussian noise with a given spectrum."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

BANDS = 8  # of a spectrum, of equal width from 0 to 0.5 cycles per pixel


def uniform(shape: Sequence[int], rng: torch.Generator, like: Tensor) -> Tensor:
    """Uniform numbers in [0, 1), drawn on the device of `rng`, with the dtype and device of `like`."""
    return torch.rand(tuple(shape), generator=rng, device=rng.device).to(like)


def white(shape: Sequence[int], rng: torch.Generator, like: Tensor) -> Tensor:
    """Normal numbers of mean 0 and variance 1, drawn on the device of `rng`."""
    return torch.randn(tuple(shape), generator=rng, device=rng.device).to(like)


def frequencies(height: int, width: int, like: Tensor) -> Tensor:
    """Magnitude of frequencies in cycles per pixel, (H, W // 2 + 1), in the order of `torch.fft.rfft2`."""
    down, across = torch.fft.fftfreq(height), torch.fft.rfftfreq(width)
    return torch.hypot(down[:, None], across[None, :]).to(like)


def with_spectrum(noise: Tensor, gain: Tensor) -> Tensor:
    """White noise (B, C, H, W) times a gain per frequency (B, 1, H, W // 2 + 1), of expected variance 1.

    It wraps around at the borders.
    """
    height, width = noise.shape[2:]
    twice = torch.full((gain.shape[3],), 2.0)  # frequencies whose mirrored half rfft2 omits
    twice[0] = 1
    if width % 2 == 0:
        twice[-1] = 1
    power = (gain.square() * twice.to(gain)).sum((2, 3), keepdim=True) / (height * width)
    filtered = torch.fft.irfft2(torch.fft.rfft2(noise) * gain, s=(height, width))
    return filtered * power.clamp_min(1e-12).rsqrt()


def banded(noise: Tensor, spectrum: Tensor) -> Tensor:
    """White noise (B, C, H, W) with the relative amplitude `spectrum` (B, BANDS) by frequency, variance 1.

    Amplitudes are interpolated between the centers of bands, and constant beyond the last one.
    """
    place = (frequencies(*noise.shape[2:], noise) * 2 * BANDS - 0.5).clamp(0, BANDS - 1)
    lower = place.long().clamp_max(BANDS - 2)
    share = place - lower
    gain = spectrum[:, lower] * (1 - share) + spectrum[:, lower + 1] * share  # (B, H, W // 2 + 1)
    return with_spectrum(noise, gain[:, None])


def smooth(noise: Tensor, deviation_px: Tensor) -> Tensor:
    """White noise (B, C, H, W) blurred by a Gaussian of (B, 1, 1, 1) pixels, rescaled to variance 1."""
    reach = frequencies(*noise.shape[2:], noise) * deviation_px  # (B, 1, H, W // 2 + 1)
    return with_spectrum(noise, torch.exp(-2 * (math.pi * reach) ** 2))


def threshold(share: Tensor) -> Tensor:
    """The value that a normal number exceeds with probability `share`."""
    return math.sqrt(2) * torch.erfinv((1 - 2 * share).clamp(-1 + 1e-6, 1 - 1e-6))
