"""Plots of losses, and of a discriminator's metrics, over the steps of a loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from .axis import LOGGED, Axis
from .canvas import Canvas
from .chart import INK, LABEL_PX, Chart, Curve, draw_chart, room_for_labels

Record = Mapping[str, float]
NOT_SERIES = ("step", "seconds")
EDGE_PX = 16  # white around a plot
# (title, part of the series' names, value at equilibrium) of each panel of the discriminator plot
DISCRIMINATOR_PANELS = (
    ("Accuracy (0.5: cannot tell painted from real)", "accuracy", 0.5),
    ("Logit gap real - painted, in standard deviations", "gap", 0.0),
    ("Duality gap (0 at an equilibrium)", "duality", 0.0),
    ("Losses", "loss", None),
)


def loss_plot(
    history: Sequence[Record],
    series: Sequence[str] | None = None,
    title: str = "Losses while learning",
    width_px: int = 960,
    height_px: int = 540,
) -> Tensor:
    """Curves of a loop's records over their "step": all series, or those named; log scale if all are > 0.

    Raises ValueError for an empty history, a record without "step", an unknown series or a side under 200 px.
    """
    curves = _curves(history, _series(history) if series is None else series)
    canvas = Canvas(width_px, height_px)
    values = _values(curves)
    axis = Axis.around(values, log=all(LOGGED[0] < value < LOGGED[1] for value in values))
    chart = Chart(title, curves, axis, _steps(history), "Step", "Loss")
    draw_chart(canvas, chart, (EDGE_PX, EDGE_PX - 6, width_px - EDGE_PX, height_px - EDGE_PX + 4))
    return canvas.picture()


def discriminator_plot(history: Sequence[Record], width_px: int = 960, height_px: int = 900) -> Tensor:
    """Accuracy, gaps and losses of an adversarial loop over its steps; dashed: their value at equilibrium.

    A series belongs to the panel whose word its name holds ("accuracy", "gap", "duality", "loss"); a panel
    without one is left out. Raises ValueError as loss_plot does, and where no panel has a series.
    """
    names = _series(history)
    charts = []
    for title, word, aim in DISCRIMINATOR_PANELS:
        if shown := [name for name in names if word in name]:
            curves = _curves(history, shown)
            values = _values(curves) if aim is None else [*_values(curves), aim]
            axis = Axis(-0.03, 1.03) if aim == 0.5 else Axis.around(values)
            charts.append(Chart(title, curves, axis, _steps(history), aim=aim))
    if not charts:
        raise ValueError(
            f"no accuracy, gap, duality or loss in this history; it has {', '.join(names) or 'no series'}"
        )
    canvas = Canvas(width_px, height_px)
    left_px = max(map(room_for_labels, charts))
    right, bottom = width_px - EDGE_PX, height_px - EDGE_PX + 4
    height = (bottom - LABEL_PX - EDGE_PX) / len(charts)
    for number, chart in enumerate(charts):
        top = EDGE_PX - 6 + number * height
        draw_chart(canvas, chart, (EDGE_PX, top, right, top + height - 6), left_px)
    canvas.text((EDGE_PX + left_px + right) / 2, bottom, "Step", LABEL_PX, INK, "ms")
    return canvas.picture()


def _series(history: Sequence[Record]) -> list[str]:
    """Names of all series, in order of their first appearance."""
    if not history:
        raise ValueError("the history is empty: nothing to plot; run at least one step")
    if not all("step" in record for record in history):
        raise ValueError('every record of a history needs a "step"')
    names = dict.fromkeys(name for record in history for name in record if name not in NOT_SERIES)
    return [name for name in names if any(_is_number(record.get(name)) for record in history)]


def _curves(history: Sequence[Record], names: Sequence[str]) -> list[Curve]:
    known = _series(history)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        has = ", ".join(known) or "none"
        raise ValueError(f"no series {', '.join(unknown) or 'named'} to plot; this history has {has}")
    return [
        Curve(
            name.replace("_", " "),
            [(record["step"], record[name]) for record in history if _is_number(record.get(name))],
        )
        for name in names
    ]


def _values(curves: Sequence[Curve]) -> list[float]:
    return [y for curve in curves for run in curve.runs() for _, y in run]


def _steps(history: Sequence[Record]) -> Axis:
    return Axis.around((record["step"] for record in history), whole=True, margin=0.02)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
