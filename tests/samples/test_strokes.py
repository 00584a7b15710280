"""Protects strokes and tiles: sizes, angles, what lies on top, and no gaps."""

from __future__ import annotations

import math

import numpy as np
import pytest
import skimage.measure
import torch

from pstyle.samples.strokes import Grid, lay_strokes, lay_tiles
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


@pytest.mark.parametrize(("height", "width"), [(33, 50), (8, 21)])
@pytest.mark.parametrize("size_px", [5.0, 7.3])
def test_a_pixel_belongs_to_the_nearest_of_all_tiles(rng, height: int, width: int, size_px: float) -> None:
    """Not only of those around its own cell, which are all that is looked at."""
    angle = torch.full((1, 1, height, width), 0.4)
    owner, gap, count = lay_tiles(angle, rng.manual_seed(5), size_px=size_px, jitter=0.6, relax=0)
    grid = Grid(height, width, size_px, 2, 0.6, rng.manual_seed(5))
    down, right = grid.pixel_y - grid.y.view(-1, 1, 1), grid.pixel_x - grid.x.view(-1, 1, 1)  # (N, H, W)
    turned = torch.stack(
        [right * math.cos(0.4) + down * math.sin(0.4), down * math.cos(0.4) - right * math.sin(0.4)]
    ).abs()
    nearest = (turned.amax(0) + 0.15 * turned.amin(0)).sort(dim=0)
    assert count == grid.count and gap.min() >= 0
    clear = nearest.values[1] - nearest.values[0] > 1e-3
    assert torch.equal(owner[clear], nearest.indices[0][clear]) and clear.float().mean() > 0.99
    assert torch.allclose(gap, nearest.values[1] - nearest.values[0], atol=1e-3)


@pytest.mark.parametrize(("height", "width", "spacing_px"), [(20, 31, 4.0), (7, 5, 3.5), (9, 9, 20.0)])
def test_each_cell_has_a_mark_within_its_jitter(rng, height: int, width: int, spacing_px: float) -> None:
    grid = Grid(height, width, spacing_px, 1, 0.8, rng)
    rows, columns = (
        (values.view(grid.rows, grid.cols) + 0.5) / spacing_px + 1 for values in (grid.y, grid.x)
    )
    for places, cells in ((rows, torch.arange(grid.rows)[:, None]), (columns, torch.arange(grid.cols))):
        assert (places - cells - 0.5).abs().max() <= 0.4 + 1e-5
    seen = list(grid.neighbors(torch.arange(grid.count).float()))
    assert len(seen) == 9 and all(one[0].shape == (height, width) for one in seen)
    own = (
        (torch.arange(height) // spacing_px + 1)[:, None] * grid.cols + torch.arange(width) // spacing_px + 1
    )
    assert torch.equal(seen[4][0], own)
    assert len({one[0][0, 0].item() for one in seen}) == 9


def test_strokes_on_top_are_a_fair_draw_and_hidden_ones_are_none(rng) -> None:
    """Where all strokes lie at one angle and overlap, each pixel shows one that reaches it."""
    marks = lay_strokes(torch.zeros(1, 1, 60, 80), rng, length_px=24, width_px=12, spacing_px=6, turn=0.0)
    shown = marks.owner >= 0
    assert shown.float().mean() > 0.95 and (marks.edge[shown] < 1).all()
    rows, columns = torch.meshgrid(torch.arange(60), torch.arange(80), indexing="ij")
    along = columns - marks.x[marks.owner.clamp_min(0)]
    inside = shown & (columns > 20) & (columns < 60) & (marks.along.abs() > 0.2)
    assert (torch.sign(along) == torch.sign(marks.along))[inside].float().mean() > 0.99
