"""Protects charts: every point, tick and name lies where its numbers say."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from pstyle.plots.axis import Axis
from pstyle.plots.canvas import Canvas
from pstyle.plots.chart import COLORS, Chart, Curve, at, draw_chart, draw_curve, draw_legend, room_for_labels
from tests.plots.looks import near

BOX = (40.0, 30.0, 340.0, 230.0)
LINEAR, LOG = Axis(0.0, 10.0), Axis(0.01, 100.0, log=True)


def rgb(color: str) -> tuple[float, float, float]:
    return tuple(int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))


def middle(found: torch.Tensor) -> tuple[float, float]:
    """The mean column and row, in pixels from the corner of the page, of pixels (H, W) that are true."""
    rows, columns = found.nonzero(as_tuple=True)
    return columns.float().mean().item() + 0.5, rows.float().mean().item() + 0.5


@pytest.mark.parametrize(
    ("values", "runs"),
    [
        ([1, 2, 3], [3]),
        ([1, math.nan, 3, 4], [1, 2]),
        ([math.inf, 1, math.nan, math.nan, -math.inf, 2], [1, 1]),
        ([math.nan], []),
        ([], []),
    ],
)
def test_curves_break_where_values_are_not_finite(values, runs):
    found = Curve("loss", list(enumerate(values))).runs()
    assert [len(run) for run in found] == runs
    assert [point for run in found for point in run] == [
        point for point in enumerate(values) if math.isfinite(point[1])
    ]


@pytest.mark.parametrize(
    ("point", "place"),
    [((0, 0.01), (40, 230)), ((10, 100), (340, 30)), ((5, 1), (190, 130)), ((2.5, 10), (115, 80))],
)
def test_a_point_is_drawn_where_the_axes_have_it(point, place):
    assert at(BOX, LINEAR, LOG, point) == pytest.approx(place)
    canvas = Canvas(400, 300)
    draw_curve(canvas, Curve("loss", [point]), COLORS[0], BOX, LINEAR, LOG)
    seen = near(canvas.picture(), rgb(COLORS[0]))
    assert middle(seen) == pytest.approx(place, abs=0.6)
    assert 20 < seen.sum() < 40  # a dot of 3.2 px has 32


def test_a_long_curve_is_a_line_through_its_points_and_a_short_one_is_dotted():
    points = [(10 * step / 99, 10 * (step / 99) ** 2) for step in range(100)]
    columns = np.arange(60, 320, 10)
    expected = 230 - 200 * ((columns - 40) / 300) ** 2
    thickness = []
    for shown in (points, points[::5]):
        canvas = Canvas(400, 300)
        draw_curve(canvas, Curve("loss", shown), COLORS[0], BOX, LINEAR, LINEAR)
        seen = canvas.picture()[0, 0] < 0.6
        rows = [middle(seen[:, column : column + 1])[1] for column in columns]
        assert rows == pytest.approx(expected.tolist(), abs=2.5)
        thickness.append(seen.sum().item())
    assert thickness[1] > 1.2 * thickness[0]


@pytest.mark.parametrize("count", [1, 4, 7])
def test_a_legend_shows_every_curve_in_order_in_rows_within_its_box(count):
    canvas = Canvas(400, 300)
    bottom = draw_legend(canvas, [Curve(f"curve number {number}", []) for number in range(count)], BOX)
    image = canvas.picture()
    swatches = [near(image, rgb(color)) for color in COLORS[:count]]
    assert all(40 <= seen.sum() <= 70 for seen in swatches)  # 20x3 px each
    places = [middle(seen)[::-1] for seen in swatches]
    assert places == sorted(places) and BOX[1] < places[0][0] < places[-1][0] + 10 < bottom + 1
    assert len({round(row) for row, _ in places}) == -(-count // 2)  # two names to a row
    left, top, right, _ = map(int, BOX)
    image[0, :, top : round(bottom), left : right + 1] = 1
    assert (image == 1).all()


def test_a_long_name_is_cut_and_stays_in_the_box():
    canvas = Canvas(400, 300)
    draw_legend(canvas, [Curve("a name that goes on " * 9, [])], BOX)
    image = canvas.picture()
    assert (image[0, :, :, int(BOX[2]) + 1 :] == 1).all() and (image[0, :, 30:60] < 0.5).any()


def test_labels_of_the_y_axis_fit_into_the_room_that_is_left_for_them():
    for y in (Axis(0.0, 1.0), Axis(0.0, 2e6), Axis(-0.00002, 0.00001)):
        chart = Chart("title", [], y, LINEAR)
        room = room_for_labels(chart)
        assert room_for_labels(Chart("title", [], y, LINEAR, y_label="loss")) > room
        canvas = Canvas(500, 300)
        draw_chart(canvas, chart, (100, 10, 480, 280))
        dark = canvas.picture()[0, 0] < 0.9
        first = dark.any(0).nonzero()[0].item()
        assert 98 <= first <= 100 + room  # neither beyond the box nor far from it


def test_an_aim_is_a_dashed_line_at_its_value():
    """Of a chart without curves a row of the grid, at the place of the value, is dark in parts."""
    plain, aimed = (
        draw(Chart("title", [Curve("a", [])], Axis(0.0, 1.0), LINEAR, aim=aim)) for aim in (None, 0.37)
    )
    rows, columns = ((plain - aimed).abs().amax(0) > 0.2).nonzero(as_tuple=True)
    assert rows.max() - rows.min() <= 2 and columns.max() - columns.min() > 250
    assert 0.3 < len({*columns.tolist()}) / (columns.max() - columns.min()).item() < 0.8
    on_grid = draw(Chart("title", [Curve("a", [(0, 0.37), (10, 0.37)])], Axis(0.0, 1.0), LINEAR))
    seen = near(on_grid[None], rgb(COLORS[0]))
    seen[:60] = False  # the legend
    assert middle(seen)[1] == pytest.approx(rows.float().mean().item() + 0.5, abs=1)


def draw(chart: Chart) -> torch.Tensor:
    canvas = Canvas(400, 300)
    draw_chart(canvas, chart, (10.0, 10.0, 390.0, 290.0))
    return canvas.picture()[0]
