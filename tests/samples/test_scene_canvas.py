"""Protects the canvas of scenes: what lies in front hides what is behind it."""

from __future__ import annotations

import torch

from pstyle.samples.scene_canvas import Canvas, Shape


def test_a_shape_hides_what_is_behind_it_and_casts_a_shadow() -> None:
    canvas = Canvas(64, torch.Generator().manual_seed(0))
    canvas.image = torch.full((1, 3, 64, 64), 0.5)
    canvas.sun = (-0.7, 0.0)  # from the left: the shadow falls to the right
    shape = Shape("disc", 0.5, 0.5, 0.2, 0.2)
    canvas.put(shape, torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1), round_=0.0, rough=0.0, shadow=0.8)
    assert canvas.image[0, 0, 32, 32] > 0.6 and canvas.image[0, 1:, 32, 32].max() < 1e-3
    right, left = canvas.image[0, 1, 32, 46], canvas.image[0, 1, 32, 17]
    assert right < 0.45 and left > right + 0.04
    assert torch.equal(canvas.image[0, :, :8], torch.full((3, 8, 64), 0.5))


def test_a_shape_outside_the_picture_changes_nothing() -> None:
    canvas = Canvas(32, torch.Generator().manual_seed(0))
    before = canvas.image.clone()
    canvas.put(Shape("polygon", 3.0, -3.0, 0.1, 0.1), torch.ones(1, 3, 1, 1))
    assert torch.equal(canvas.image, before)
