"""Protects what windows are told by: their own means and deviations, whatever is around them."""

from __future__ import annotations

import pytest
import torch

from pstyle.finetuning.patch_statistics import patch_statistics


@pytest.mark.parametrize("step_px", [32, 64])
@pytest.mark.parametrize("size", [(64, 64), (128, 192)])
def test_a_row_is_a_windows_means_and_deviations(rng, step_px, size):
    features = {
        name: torch.rand(2, channels, size[0] // reduction, size[1] // reduction, generator=rng)
        for name, channels, reduction in (("relu1_1", 3, 1), ("relu2_1", 5, 2), ("relu3_1", 7, 4))
    }
    rows, number = patch_statistics(features | {"relu4_1": torch.zeros(2, 1, 8, 8)}, step_px), 0
    for image in range(2):
        for top in range(0, size[0] - 63, step_px):
            for left in range(0, size[1] - 63, step_px):
                parts = []
                for reduction, value in zip((1, 2, 4), features.values(), strict=True):
                    side, y, x = 64 // reduction, top // reduction, left // reduction
                    part = value[image, :, y : y + side, x : x + side].double().flatten(1)
                    parts += [part.mean(1), part.std(1, correction=0)]
                assert torch.allclose(rows[number].double(), torch.cat(parts), atol=1e-5)
                number += 1
    assert rows.shape == (number, 30)


def test_layers_that_are_not_there_are_left_out(rng):
    assert patch_statistics({"relu2_1": torch.rand(1, 4, 32, 32, generator=rng)}).shape == (1, 8)


def test_a_flat_window_has_a_gradient():
    flat = torch.zeros(1, 2, 64, 64, requires_grad=True)
    patch_statistics({"relu1_1": flat}).sum().backward()
    assert torch.isfinite(flat.grad).all()
