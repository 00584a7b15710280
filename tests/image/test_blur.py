"""Gaussian blurs are SciPy's, the same for all pictures or each picture's own."""

from __future__ import annotations

import pytest
import torch
from scipy.ndimage import gaussian_filter

from pstyle.image.blur import gaussian_blur, reach_px


def scipys(image: torch.Tensor, sigma_px: float, radius_px: int, mode: str) -> torch.Tensor:
    sigma, radius = (0, 0, sigma_px, sigma_px), (0, 0, radius_px, radius_px)
    return torch.from_numpy(gaussian_filter(image.numpy(), sigma, mode=mode, radius=radius))


@pytest.mark.parametrize(("border", "mode"), [("replicate", "nearest"), ("reflect", "mirror")])
@pytest.mark.parametrize(("sigma_px", "radius_px"), [(0.7, 2), (1.5, 5), (2.0, 6)])
def test_one_deviation_is_scipys(rng, sigma_px: float, radius_px: int, border: str, mode: str) -> None:
    image = torch.rand(2, 3, 40, 31, generator=rng)
    found = gaussian_blur(image, sigma_px, radius_px, border)
    assert torch.allclose(found, scipys(image, sigma_px, radius_px, mode), atol=1e-5)


def test_each_picture_has_its_own_deviation(rng) -> None:
    image = torch.rand(2, 3, 40, 31, generator=rng)
    found = gaussian_blur(image, torch.tensor([0.7, 2.5]).view(2, 1, 1, 1), 8)
    for number, sigma_px in enumerate((0.7, 2.5)):
        alone = image[number : number + 1]
        assert torch.allclose(found[number], scipys(alone, sigma_px, 8, "nearest")[0], atol=1e-5)
        assert torch.allclose(found[number], gaussian_blur(alone, sigma_px, 8)[0], atol=1e-6)


def test_without_a_border_it_is_the_inside(rng) -> None:
    image = torch.rand(1, 1, 20, 17, generator=rng)
    inside = gaussian_blur(image, 1.5, 5)[:, :, 5:-5, 5:-5]
    assert torch.equal(gaussian_blur(image, 1.5, 5, "valid"), inside)


@pytest.mark.parametrize("batch", [1, 2])
def test_no_blur_changes_nothing(rng, batch: int) -> None:
    image = torch.rand(batch, 3, 9, 11, generator=rng)
    assert torch.equal(gaussian_blur(image, torch.zeros(batch, 1, 1, 1), 3), image)


def test_a_window_reaches_three_deviations() -> None:
    assert [reach_px(sigma_px) for sigma_px in (0.1, 1.0, 1.5, 2.0)] == [1, 3, 5, 6]
