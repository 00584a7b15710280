"""Protects resizing piece by piece: torch's own resizing, wherever a box lies."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pstyle.image.resizing import resize_to
from pstyle.painting.boxes import Box
from pstyle.painting.resampling import cubic, resized
from pstyle.painting.sources import InMemory, loaded

SIDES = st.integers(2, 40)  # of a single column torch 2.13 loses the layout, and with it the picture


@given(SIDES, SIDES, SIDES, SIDES, st.integers(1, 17))
@settings(max_examples=100, deadline=None)
def test_tiles_of_any_size_are_torch_s(height, width, to_height, to_width, side_px):
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(height * width))
    found = loaded(resized(InMemory(image), to_height, to_width), side_px)
    assert torch.allclose(found, resize_to(image, to_height, to_width), atol=1e-5)


def test_a_spline_keeps_flat_pictures_and_slopes():
    slope = torch.linspace(0, 1, 20).view(1, 1, 1, 20).expand(1, 3, 20, 20)
    found = loaded(resized(InMemory(slope), 100, 100, cubic))[0, 0, 50]
    assert torch.allclose(found.diff()[20:80], torch.tensor(1 / 95), atol=1e-5)
    flat = loaded(resized(InMemory(torch.full((1, 3, 7, 9), 0.3)), 50, 61, cubic))
    assert torch.allclose(flat, torch.tensor(0.3))


@pytest.mark.parametrize("margin", [0, 3, 50])
def test_a_box_grows_and_keeps_its_place(margin):
    box = Box(8, 16, 24, 40)
    window = box.grown(margin).aligned(8).clipped(64, 64)
    image = torch.arange(64 * 64).view(1, 1, 64, 64)
    assert all(side % 8 == 0 for side in window)
    assert torch.equal(box.seen_from(window).of(window.of(image)), box.of(image))
