"""Protects strokes and tiles: sizes, angles, what lies on top, and no gaps."""

from __future__ import annotations

import math

import numpy as np
import pytest
import skimage.measure
import torch

from pstyle.samples.strokes import lay_strokes, lay_tiles
from tests.samples.spectra import turn_between


def test_strokes_are_as_long_and_wide_and_turned_as_they_are_told(rng) -> None:
    angle = torch.full((1, 1, 160, 160), 0.6)
    keep = torch.full((1, 1, 160, 160), 0.02)  # so few that they lie alone
    marks = lay_strokes(angle, rng, length_px=32, width_px=8, spacing_px=10, keep=keep, turn=0.0, vary=0.0)
    labels = skimage.measure.label((marks.owner + 1).numpy(), connectivity=2)
    whole = [
        r
        for r in skimage.measure.regionprops(labels)
        if r.bbox[0] > 0 and r.bbox[2] < 160 and r.bbox[1] > 0 and r.bbox[3] < 160 and r.area > 100
    ]
    lengths = [region.axis_major_length for region in whole]
    assert len(whole) >= 2 and np.median(lengths) == pytest.approx(32, rel=0.1)
    assert np.median([region.axis_minor_length for region in whole]) == pytest.approx(8, rel=0.15)
    # regionprops measures from the row axis.
    assert all(turn_between(math.pi / 2 - r.orientation, 0.6) < 0.1 for r in whole)


def test_a_pixel_shows_the_color_of_the_stroke_that_covers_it(rng) -> None:
    marks = lay_strokes(torch.zeros(1, 1, 40, 40), rng, length_px=12, width_px=12, spacing_px=8)
    values = torch.rand(len(marks.y), 3, generator=rng)
    seen = marks.pick(values)
    for y, x in ((3, 5), (20, 20), (39, 0)):
        if marks.owner[y, x] >= 0:
            assert torch.equal(seen[0, :, y, x], values[marks.owner[y, x]])
            assert marks.edge[y, x] < 1
    assert torch.equal(marks.covered[0, 0] > 0, marks.owner >= 0)


def test_tiles_cover_everything_and_have_their_size(rng) -> None:
    owner, gap, count = lay_tiles(torch.zeros(1, 1, 64, 64), rng, size_px=8, jitter=0.5, relax=2)
    assert owner.min() >= 0 and owner.max() < count and gap.min() >= 0
    areas = torch.bincount(owner.flatten(), minlength=count)
    for border in (owner[0], owner[-1], owner[:, 0], owner[:, -1]):  # what lies there is cut
        areas[border] = 0
    assert float(areas[areas > 0].float().median()) == pytest.approx(64, rel=0.1)
    # A pixel that touches another tile is about as near to that tile as to its own.
    border = owner[:, 1:] != owner[:, :-1]
    assert gap[:, 1:][border].max() < 4
