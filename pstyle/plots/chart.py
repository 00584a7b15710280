"""A chart: curves over two axes with ticks and a grid, under a title and a legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .axis import MOST_TICKS, Axis
from .canvas import Box, Canvas, Point
from .fonts import shortened, text_width

COLORS = (
    *("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd"),
    *("#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf"),
)
INK, QUIET, GRID, FAINT = "#222222", "#555555", "#e2e2e2", "#f1f1f1"
TITLE_PX, LABEL_PX, TICK_PX = 17, 14, 13
LEGEND_ROW_PX, SWATCH_PX = 22, 20
MOST_DOTS = 40  # points of a curve, above which they are not marked


@dataclass(frozen=True)
class Curve:
    """A named series of points (x, y); values that are not finite leave gaps."""

    name: str
    points: Sequence[Point]

    def runs(self) -> list[list[Point]]:
        """The points in unbroken runs."""
        found: list[list[Point]] = [[]]
        for x, y in self.points:
            if math.isfinite(x) and math.isfinite(y):
                found[-1].append((x, y))
            elif found[-1]:
                found.append([])
        return [run for run in found if run]


@dataclass(frozen=True)
class Chart:
    """Curves and their labels; a dashed line marks the value `aim`."""

    title: str
    curves: Sequence[Curve]
    y: Axis
    x: Axis
    x_label: str = ""
    y_label: str = ""
    aim: float | None = None


def draw_chart(canvas: Canvas, chart: Chart, box: Box, left_px: float | None = None) -> None:
    """Draw a chart into a box of a canvas, with the y labels left of `left_px` if given."""
    left, top, right, bottom = box
    left += left_px or room_for_labels(chart)
    canvas.text(left, top + 4, shortened(chart.title, TITLE_PX, right - left), TITLE_PX, INK)
    top = draw_legend(canvas, chart.curves, (left, top + TITLE_PX + 12, right, bottom)) + 6
    inner = (left, top, right, bottom - (TICK_PX + 8) - (LABEL_PX + 8 if chart.x_label else 0))
    draw_axes(canvas, inner, chart.x, chart.y, chart.x_label, chart.y_label, box[0])
    if chart.aim is not None:
        y = at(inner, chart.x, chart.y, (chart.x.low, chart.aim))[1]
        canvas.dashed(left, right, y, "#666666", 1.2)
    for number, curve in enumerate(chart.curves):
        draw_curve(canvas, curve, COLORS[number % len(COLORS)], inner, chart.x, chart.y)


def room_for_labels(chart: Chart) -> float:
    """Width in pixels of the y axis with its labels."""
    widest = max((text_width(label, TICK_PX) for _, label in chart.y.ticks()), default=0.0)
    return widest + 10 + (LABEL_PX + 12 if chart.y_label else 0)


def draw_axes(
    canvas: Canvas, box: Box, x: Axis, y: Axis, x_label: str = "", y_label: str = "", label_left: float = 0.0
) -> None:
    """Grid, ticks and lines of two axes around a box; `label_left` is where the y label begins."""
    left, top, right, bottom = box
    for value in x.minor_ticks():
        place = left + x.place(value) * (right - left)
        canvas.line([(place, top), (place, bottom)], FAINT)
    for value in y.minor_ticks():
        place = bottom - y.place(value) * (bottom - top)
        canvas.line([(left, place), (right, place)], FAINT)
    for value, label in x.ticks(max(2, min(MOST_TICKS + 2, int((right - left) / 64)))):
        place = left + x.place(value) * (right - left)
        canvas.line([(place, top), (place, bottom)], GRID)
        canvas.line([(place, bottom), (place, bottom + 4)], QUIET)
        canvas.text(place, bottom + 7, label, TICK_PX, QUIET, "ma")
    for value, label in y.ticks(max(2, min(MOST_TICKS, int((bottom - top) / 22)))):
        place = bottom - y.place(value) * (bottom - top)
        canvas.line([(left, place), (right, place)], GRID)
        canvas.line([(left - 4, place), (left, place)], QUIET)
        canvas.text(left - 7, place, label, TICK_PX, QUIET, "rm")
    canvas.line([(left, top), (left, bottom), (right, bottom)], QUIET, 1.2)
    words = shortened(x_label, LABEL_PX, canvas.width_px)
    canvas.text((left + right) / 2, bottom + TICK_PX + 14, words, LABEL_PX, INK, "ma")
    words = shortened(y_label, LABEL_PX, canvas.height_px)
    canvas.text(label_left + LABEL_PX / 2 + 2, (top + bottom) / 2, words, LABEL_PX, INK, upward=True)


def draw_legend(canvas: Canvas, curves: Sequence[Curve], box: Box) -> float:
    """Names with their colors in rows from the top of a box; returns the bottom of the last row."""
    left, top, right, _ = box
    x, y = left, top
    for number, curve in enumerate(curves):
        name = shortened(curve.name, TICK_PX, right - left - SWATCH_PX - 8)
        width = SWATCH_PX + 7 + text_width(name, TICK_PX)
        if x > left and x + width > right:
            x, y = left, y + LEGEND_ROW_PX
        middle, color = y + LEGEND_ROW_PX / 2, COLORS[number % len(COLORS)]
        canvas.line([(x, middle), (x + SWATCH_PX, middle)], color, 3)
        canvas.text(x + SWATCH_PX + 7, middle, name, TICK_PX, INK, "lm")
        x += width + 18
    return y + LEGEND_ROW_PX


def draw_curve(canvas: Canvas, curve: Curve, color: str, box: Box, x: Axis, y: Axis) -> None:
    """Draw a curve into a box; few points get dots, since a single one would be invisible as a line."""
    for run in curve.runs():
        places = [at(box, x, y, point) for point in run]
        if len(places) > 1:
            canvas.line(places, color, 2)
        if len(places) == 1 or len(curve.points) < MOST_DOTS:
            for place in places:
                canvas.dot(*place, 3.2, color)


def at(box: Box, x: Axis, y: Axis, point: Point) -> Point:
    """The position of a point on the page."""
    left, top, right, bottom = box
    return left + x.place(point[0]) * (right - left), bottom - y.place(point[1]) * (bottom - top)
