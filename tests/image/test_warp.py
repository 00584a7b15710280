"""Reading between pixels: whole places are the pixels, halves lie between, and the border extends outward."""

from __future__ import annotations

import pytest
import torch
from scipy.ndimage import map_coordinates

from pstyle.image.warp import at_pixels


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_whole_places_are_the_pixels(rng, mode: str) -> None:
    picture = torch.rand(2, 3, 7, 9, generator=rng)
    row, column = torch.meshgrid(torch.arange(7), torch.arange(9), indexing="ij")
    assert torch.allclose(at_pixels(picture, row, column, mode), picture, atol=1e-5)


def test_bilinear_places_are_scipys_also_outside(rng) -> None:
    picture = torch.rand(1, 1, 7, 9, generator=rng)
    row, column = (torch.rand(2, 20, 15, generator=rng) * 1.6 - 0.3) * torch.tensor([6, 8]).view(2, 1, 1)
    theirs = map_coordinates(picture[0, 0].numpy(), (row.numpy(), column.numpy()), order=1, mode="nearest")
    assert at_pixels(picture, row, column, "bilinear")[0, 0].numpy() == pytest.approx(theirs, abs=1e-5)


def test_a_single_pixel_is_everywhere() -> None:
    places = torch.tensor([[-1.0, 0.0, 2.0]])
    assert torch.equal(at_pixels(torch.ones(1, 3, 1, 1), places, places), torch.ones(1, 3, 1, 3))
