"""Protects the noise that strokes on flat areas start from: white, endless, and the same wherever it is asked
for.
"""

from __future__ import annotations

import pytest
import torch

from pstyle.nets.noise import position_noise


def whole(height: int = 160, width: int = 192, layers: tuple[int, ...] = (0, 1, 2), **more) -> torch.Tensor:
    return position_noise(torch.zeros(1, 5, height, width), layers, **more)


def reference(row: int, column: int, layer: int) -> float:
    """The same hash in Python's integers, which never overflow."""
    key = row * 0x9E3779B1 + column * 0x85EBCA77 + (layer + 1) * 0xC2B2AE3D
    for multiplier in (0x7FEB352D, 0x846CA68B):
        key &= 0xFFFFFFFF
        key = (key ^ (key >> 16)) * multiplier
    key &= 0xFFFFFFFF
    return ((key ^ (key >> 16)) / 0xFFFFFFFF - 0.5) * 12**0.5


@pytest.mark.parametrize("place", [(0, 0, 0), (159, 191, 2), (7, 100, 1), (-3, -200, 0), (10**6, 10**6, 2)])
def test_it_is_the_hash_that_integers_without_end_give(place):
    row, column, layer = place
    found = position_noise(torch.zeros(1, 1, 1, 1), [layer], origin=(row, column))
    assert found.item() == pytest.approx(reference(row, column, layer), abs=1e-5)


def test_it_is_white():
    noise = whole()[0]
    count = noise[0].numel()
    assert noise.mean().abs() < 4 / count**0.5 and (noise.var() - 1).abs() < 0.02
    for shift in ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (8, 8), (0, 64)):
        moved = noise.roll(shift, dims=(1, 2))
        assert ((noise * moved).mean((1, 2)).abs() < 5 / count**0.5).all(), shift
    across = torch.corrcoef(noise.flatten(1)) - torch.eye(3)
    assert across.abs().max() < 5 / count**0.5
    power = torch.fft.rfft2(noise).abs().square()
    assert power.max() / power.mean() < 25  # of an exponential distribution, a line would stand far out


def test_a_part_has_the_noise_of_its_place():
    assert torch.equal(whole(64, 32, origin=(40, 100)), whole()[..., 40:104, 100:132])


def test_around_a_panorama_it_turns_with_it():
    once = whole(around=192)
    assert torch.equal(once, whole()) and torch.equal(whole(around=192, origin=(0, -30)), once.roll(30, 3))
    across = whole(width=100, around=192, origin=(0, 150))
    assert torch.equal(across, torch.cat([once[..., 150:], once[..., :58]], dim=3))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_every_picture_of_a_batch_has_the_same_in_its_type(dtype):
    found = position_noise(torch.zeros(3, 2, 8, 9, dtype=dtype), [4])
    assert found.shape == (3, 1, 8, 9) and found.dtype == dtype
    assert torch.equal(found[0], found[2])
