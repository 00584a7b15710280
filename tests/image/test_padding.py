"""Protects padding: each mode as torch has it, in any memory layout, and any size comes back as it was."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from pstyle.image.padding import crop_back, pad, pad_to_multiple, reflected

SIDES = (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 63, 65)


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


def test_144_sizes_are_padded_and_cropped_back() -> None:
    pairs = [(height, width) for height in SIDES for width in SIDES]
    for height, width in pairs:
        picture = torch.rand(2, 3, height, width)
        padded, size = pad_to_multiple(picture, 8, 16)
        assert all(side % 8 == 0 and side >= 16 for side in padded.shape[2:])
        assert all(
            grown - side < max(8, 17 - side) for grown, side in zip(padded.shape[2:], size, strict=True)
        )
        assert torch.equal(crop_back(padded, size), picture) and padded.isfinite().all()
    print(f"sizes={len(pairs)} equal={len(pairs)}")  # noqa: T201
    assert len(pairs) == 144


@settings(max_examples=100, deadline=None, database=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 16), st.integers(1, 64))
def test_padding_agrees_with_numpy(height: int, width: int, multiple: int, minimum: int) -> None:
    picture = torch.rand(1, 1, height, width)
    padded, _ = pad_to_multiple(picture, multiple, minimum)
    grown = [math.ceil(max(side, minimum) / multiple) * multiple for side in (height, width)]
    rows, columns = (
        # where each row comes from: itself, then mirrored once, then the last of the mirrored ones for ever
        [i if i < side else max(2 * side - 2 - i, 0) for i in range(size)]
        for side, size in zip((height, width), grown, strict=True)
    )
    assert np.array_equal(padded[0, 0].numpy(), picture[0, 0].numpy()[np.ix_(rows, columns)])


def test_cropping_more_than_there_is_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot crop 5x4 px from 4x4 px"):
        crop_back(torch.zeros(1, 3, 4, 4), (4, 5))


def test_what_needs_no_padding_is_handed_back() -> None:
    picture, pixel = torch.rand(1, 3, 8, 16), torch.rand(1, 3, 1, 1)
    assert pad_to_multiple(picture, 8)[0] is picture and pad_to_multiple(pixel, 1)[0] is pixel
