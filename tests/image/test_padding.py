"""Protects padding: each mode as torch has it, in any memory layout, and of any size."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from pstyle.image.padding import pad, reflected


@pytest.mark.parametrize(
    ("mode", "name"), [("reflect", "reflect"), ("replicate", "replicate"), ("zeros", "constant")]
)
def test_the_usual_modes_are_torch_s(rng, mode, name):
    x = torch.randn(2, 3, 5, 7, generator=rng)
    assert torch.equal(pad(x, 2, mode), F.pad(x, (2,) * 4, mode=name))
    assert pad(x, 2, "valid") is x and pad(x, 0, mode) is x


def test_reflection_replicates_where_a_picture_is_too_small_for_it(rng):
    x = torch.randn(1, 2, 2, 9, generator=rng)
    assert torch.equal(pad(x, 1, "reflect"), F.pad(x, (1,) * 4, mode="reflect"))
    assert torch.equal(pad(x, 2, "reflect"), F.pad(x, (2,) * 4, mode="replicate"))


@pytest.mark.parametrize("amount", [1, 2])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_reflection_in_any_layout_is_torch_s(rng, amount, layout):
    x = torch.randn(2, 3, 5, 7, generator=rng).contiguous(memory_format=layout)
    found = reflected(reflected(x, amount, 2), amount, 3)
    assert torch.equal(found, F.pad(x, (amount,) * 4, mode="reflect"))
    assert found.is_contiguous(memory_format=layout)


def test_circular_padding_wraps_the_x_axis_only(rng):
    x = torch.randn(1, 1, 4, 6, generator=rng)
    padded = pad(x, 2, "circular")
    assert torch.equal(padded[..., 2:-2, :2], x[..., -2:])
    assert torch.equal(padded[..., 0, 2:-2], x[..., 0, :])
