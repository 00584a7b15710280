"""Protects augmentation: differentiable, the same for a seed, and as mild as it says."""

from __future__ import annotations

import torch

from pstyle.nets.augmentation import BRIGHTNESS, GRAY, augment, cut_out, jitter, shift


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_augmentation_is_differentiable():
    image = torch.rand(2, 3, 8, 9, generator=seeded(), dtype=torch.float64, requires_grad=True)
    for change in (augment, jitter, shift, cut_out):
        assert torch.autograd.gradcheck(lambda x, change=change: change(x, seeded(4)), (image,))


def test_augmentation_keeps_shape_and_type_and_repeats_by_seed():
    image = torch.rand(3, 3, 40, 32, generator=seeded())
    found = augment(image, seeded(1))
    assert found.shape == image.shape and found.dtype == image.dtype
    assert torch.equal(found, augment(image, seeded(1))) and not torch.equal(found, augment(image, seeded(2)))
    twice = augment(image[:1].repeat(2, 1, 1, 1), seeded(1))
    assert not torch.equal(twice[0], twice[1])  # each picture has its own


def test_colors_move_mildly_around_what_they_were():
    image = 0.3 + 0.4 * torch.rand(64, 3, 8, 8, generator=seeded())
    found = jitter(image, seeded(1))
    moved = (found - image).mean((1, 2, 3))
    assert 0.5 * BRIGHTNESS < moved.abs().max() <= BRIGHTNESS + 1e-5 and abs(moved.mean()) < 0.03
    contrast = found.std((1, 2, 3)) / image.std((1, 2, 3))
    assert 0.6 < contrast.min() < 0.9 and 1.1 < contrast.max() < 1.45


def test_a_shift_moves_the_picture_by_an_eighth_at_most():
    image = torch.arange(32.0 * 48).view(1, 1, 32, 48).expand(40, 3, -1, -1)
    for before, after in zip(image, shift(image, seeded(2)), strict=True):
        top, left = divmod(int(after[0, 16, 24]), 48)
        down, across = top - 16, left - 24
        assert abs(down) <= 4 and abs(across) <= 6
        assert torch.equal(after[:, 8:24, 8:40], before[:, 8 + down : 24 + down, 8 + across : 40 + across])


def test_a_cutout_is_one_gray_rectangle_of_a_fifth():
    found = cut_out(torch.ones(50, 3, 40, 20), seeded(3))
    holes = (found == GRAY).all(1)  # (B, H, W)
    assert ((found == GRAY) | (found == 1)).all()
    for hole in holes:
        rows, columns = hole.any(1), hole.any(0)
        assert torch.equal(hole, rows[:, None] & columns[None])
    assert holes.any(2).sum(1).max() in (7, 8) and holes.any(1).sum(1).max() in (3, 4)
