"""Protects the arithmetic of boxes, and tiles that cover a picture once."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pstyle.painting.boxes import Box, tiles

SIDES = st.integers(1, 40)


@given(SIDES, SIDES, st.integers(1, 50))
@settings(max_examples=50, deadline=None)
def test_tiles_cover_every_pixel_once(height, width, side_px):
    count = torch.zeros(height, width)
    for box in tiles(height, width, side_px):
        box.of(count).add_(1)
    assert torch.equal(count, torch.ones(height, width))


EDGES = st.integers(-20, 40)


def pixels_of(box: Box) -> set[tuple[int, int]]:
    return {(row, column) for row in range(box.top, box.bottom) for column in range(box.left, box.right)}


@given(EDGES, EDGES, st.integers(1, 15), st.integers(1, 15), st.integers(0, 9), st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_a_box_is_the_set_of_its_pixels(top, left, height, width, margin_px, stride):
    box = Box(top, left, top + height, left + width)
    own = pixels_of(box)
    assert len(own) == box.height * box.width
    steps = range(-margin_px, margin_px + 1)
    assert pixels_of(box.grown(margin_px)) == {(y + a, x + b) for y, x in own for a in steps for b in steps}
    cells = {(y // stride, x // stride) for y, x in own}
    assert {(y // stride, x // stride) for y, x in pixels_of(box.aligned(stride))} == cells
    assert pixels_of(box.aligned(stride)) == {
        (y * stride + a, x * stride + b) for y, x in cells for a in range(stride) for b in range(stride)
    }
    assert pixels_of(box.clipped(17, 23)) == {(y, x) for y, x in own if 0 <= y < 17 and 0 <= x < 23}


@given(st.integers(0, 9), st.integers(0, 9), st.integers(1, 9), st.integers(1, 9), st.integers(0, 9))
@settings(max_examples=50, deadline=None)
def test_seen_from_a_box_around_it_a_box_holds_the_same_pixels(top, left, height, width, margin_px):
    picture = torch.arange(19 * 18.0).view(1, 1, 19, 18)
    box = Box(top, left, top + height, left + width)
    outer = box.grown(margin_px).clipped(19, 18)
    seen = box.seen_from(outer).of(outer.of(picture))
    assert seen.shape[2:] == (height, width) and torch.equal(seen, box.of(picture))
