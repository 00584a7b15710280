"""Protects fine structure: how much of a photograph's comes back, and that colors and broad forms stay."""

from __future__ import annotations

import pytest
import torch
from scipy.ndimage import gaussian_filter

from pstyle.image.colors import LUMA
from pstyle.image.detail import SIGMA_PX, with_detail_of
from tests.conftest import random_picture


@pytest.fixture
def pair(rng):
    return [0.3 + 0.4 * random_picture(rng, 40, 56) for _ in range(2)]  # far enough from 0 and 1


def luma(image):
    return (image * torch.tensor(LUMA).view(1, 3, 1, 1)).sum(1)[0].double().numpy()


def fine(image):
    return luma(image) - gaussian_filter(luma(image), SIGMA_PX, mode="mirror", truncate=3.0)


def test_amount_0_changes_nothing(pair):
    assert torch.allclose(with_detail_of(*pair, 0.0), pair[0], atol=1e-6)


def test_the_change_is_the_difference_of_scipy_s_fine_structures(pair):
    painted, photo = pair
    for amount in (0.3, 1.0):
        found = luma(with_detail_of(painted, photo, amount)) - luma(painted)
        assert abs(found - amount * (fine(photo) - fine(painted))).max() < 1e-4


def test_colors_stay(pair):
    painted, photo = pair
    found = with_detail_of(painted, photo, 1.0)
    for a, b in ((0, 1), (1, 2)):
        assert torch.allclose(found[:, a] - found[:, b], painted[:, a] - painted[:, b], atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (5, 3), (17, 64)])
def test_every_size_is_taken(rng, size):
    painted, photo = torch.rand(2, 2, 3, *size, generator=rng)
    found = with_detail_of(painted, photo, 0.5)
    assert found.shape == painted.shape and found.min() >= 0 and found.max() <= 1
