"""Protects the data side of training: crops that lie inside, vary, and repeat with their seed."""

from __future__ import annotations

import pytest
import torch

from pstyle.image.crops import Crops, random_crop


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_crops_repeat_with_their_seed(rng):
    crops = Crops([torch.rand(1, 3, 100, 70, generator=rng), torch.rand(1, 3, 64, 90, generator=rng)])
    a, b, c = (crops.draw(6, 32, seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(a, b) and not torch.equal(a, c)
    assert a.shape == (6, 3, 32, 32) and a.min() >= 0 and a.max() <= 1


def test_a_crop_is_a_piece_of_its_picture(rng):
    picture = (torch.rand(1, 3, 40, 40, generator=rng) * 255).round() / 255
    crop = Crops([picture], short_sides_px=(40,)).draw(1, 16, seeded(0), flip=False)
    places = [
        (y, x)
        for y in range(25)
        for x in range(25)
        if torch.allclose(picture[..., y : y + 16, x : x + 16], crop, atol=1e-3)
    ]
    assert len(places) == 1


def test_small_pictures_are_kept_at_their_own_size_and_too_small_ones_named(rng):
    crops = Crops([torch.rand(1, 3, 50, 60, generator=rng)])
    assert crops.draw(1, 48, seeded(0)).shape == (1, 3, 48, 48)
    with pytest.raises(ValueError, match="too small"):
        crops.draw(1, 64, seeded(0))


def test_no_pictures_are_refused():
    with pytest.raises(ValueError, match="no pictures"):
        Crops([])


def test_shares_decide_how_often_a_picture_is_drawn():
    dark, light = torch.zeros(1, 3, 16, 16), torch.ones(1, 3, 16, 16)
    generator = seeded(0)
    drawn = [random_crop([dark, light], 8, generator, [0.1, 0.9]).mean() for _ in range(400)]
    assert 0.84 < torch.stack(drawn).mean() < 0.96
