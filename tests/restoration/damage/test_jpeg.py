"""JPEG on tensors against Pillow's own."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from pstyle.restoration.damage.jpeg import jpeg, measure_quality
from tests.conftest import random_picture


def by_pillow(image: torch.Tensor, quality: int) -> torch.Tensor:
    pixels = (image[0] * 255).round().byte().permute(1, 2, 0).numpy()
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=quality, subsampling=2)
    return torch.from_numpy(np.array(Image.open(data))).permute(2, 0, 1)[None] / 255


@pytest.mark.parametrize("quality", [10, 40, 75, 95])
@pytest.mark.parametrize("size", [(48, 64), (37, 51)])
def test_it_does_what_pillow_does(rng, quality: int, size: tuple[int, int]) -> None:
    image = (random_picture(rng, *size) * 255).round() / 255
    ours, theirs = jpeg(image, torch.tensor([float(quality)])), by_pillow(image, quality)
    harm = (theirs - image).square().mean()
    assert (ours - theirs).square().mean() < 0.05 * harm


def test_each_picture_has_its_own_quality(rng) -> None:
    image = random_picture(rng, 32, 32).repeat(3, 1, 1, 1)
    found = jpeg(image, torch.tensor([5.0, 50.0, 95.0]))
    harm = (found - image).square().mean((1, 2, 3))
    assert harm[0] > 1.5 * harm[1] > 2 * harm[2]
    assert torch.allclose(found[1:2], jpeg(image[:1], torch.tensor([50.0])), atol=1e-5)


@pytest.mark.parametrize("quality", [30, 60, 85])
def test_the_quality_of_pillows_files_is_found(rng, quality: int) -> None:
    image = random_picture(rng, 160, 192)
    assert measure_quality(by_pillow(image, quality)) == pytest.approx(quality, abs=3)


def test_no_quality_is_found_where_there_was_no_file(rng) -> None:
    assert measure_quality((random_picture(rng, 160, 192) * 255).round() / 255) is None
    assert measure_quality(torch.full((1, 3, 64, 64), 0.5)) is None
