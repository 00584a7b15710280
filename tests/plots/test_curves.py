"""Protects curves: what is drawn shows the numbers given."""

from __future__ import annotations

import math

import pytest
import torch

from pstyle.plots.curves import discriminator_plot, loss_plot
from tests.plots.looks import check_picture, near

BLUE, ORANGE = (31 / 255, 119 / 255, 180 / 255), (255 / 255, 127 / 255, 14 / 255)  # of the first two curves
LEGEND_BOTTOM_PX = 64


def history(**series) -> list[dict[str, float]]:
    count = len(next(iter(series.values())))
    return [
        {"step": step, "seconds": 9.0, **{name: values[step] for name, values in series.items()}}
        for step in range(count)
    ]


def test_a_falling_loss_falls_in_the_plot():
    falling = [10.0 * 0.97**step for step in range(100)]
    image = loss_plot(history(style=falling), width_px=600, height_px=400)
    check_picture(image, 400, 600)
    rows, columns = near(image, BLUE).nonzero(as_tuple=True)
    # On a log axis this is a straight line.
    line = rows > LEGEND_BOTTOM_PX
    points = torch.stack((columns[line], rows[line])).float()
    assert torch.corrcoef(points)[0, 1] > 0.999
    assert rows[line].max() - rows[line].min() > 150


def test_a_loss_that_touches_zero_gets_a_linear_axis():
    ends_at_zero = [100.0 - step for step in range(101)]
    rows, columns = near(loss_plot(history(a=ends_at_zero)), BLUE).nonzero(as_tuple=True)
    line = rows > LEGEND_BOTTOM_PX
    assert torch.corrcoef(torch.stack((columns[line], rows[line])).float())[0, 1] > 0.999


def test_only_named_series_are_drawn():
    records = history(style=[3.0, 2.0, 1.0], content=[1.0, 1.5, 2.0])
    assert near(loss_plot(records), ORANGE).sum() > 100
    assert near(loss_plot(records, ["style"]), ORANGE).sum() == 0


def test_series_recorded_now_and_then_and_values_not_finite_are_drawn_with_gaps():
    records = history(style=[3.0, float("nan"), float("inf"), 2.0, 1.0])
    records[2]["held_out"] = 2.5
    check_picture(loss_plot(records), 540, 960)


@pytest.mark.parametrize(
    ("records", "series", "words"),
    [
        ([], None, "empty"),
        ([{"loss": 1.0}], None, '"step"'),
        ([{"step": 1, "note": "text"}], None, "this history has none"),
        ([{"step": 1, "loss": 1.0}], ["los"], "no series los to plot; this history has loss"),
        ([{"step": 1, "loss": 1.0}], [], "no series named to plot"),
    ],
)
def test_a_history_that_cannot_be_drawn_is_refused(records, series, words):
    with pytest.raises(ValueError, match=words):
        loss_plot(records, series)


def test_a_plot_too_small_to_read_is_refused():
    with pytest.raises(ValueError, match="at least 200 px a side; got 960x199"):
        loss_plot([{"step": 1, "loss": 1.0}], height_px=199)


def test_discriminator_panels_show_their_series():
    records = history(
        held_out_accuracy=[0.9, 0.7, 0.5], logit_gap=[2.0, 1.0, 0.0], generator_loss=[1.0, 0.5, 0.4]
    )
    image = discriminator_plot(records, height_px=900)
    check_picture(image, 900, 960)
    for top in (0, 300, 600):
        assert near(image[:, :, top : top + 300], BLUE).sum() > 300
    four = discriminator_plot([record | {"duality": 0.3} for record in records], height_px=1200)
    assert all(near(four[:, :, top : top + 300], BLUE).sum() > 300 for top in (0, 300, 600, 900))
    alone = discriminator_plot([{"step": 0, "accuracy": 0.5}, {"step": 9, "accuracy": 0.6}])
    assert near(alone, BLUE).sum() > 300
    with pytest.raises(ValueError, match="no accuracy, gap, duality or loss in this history; it has style"):
        discriminator_plot(history(style=[1.0]))


@pytest.mark.parametrize(
    "values",
    [[0.7], [5.0] * 9, [1e299, -1e299], [5e-324, 1e299], [0.0, 5e-324], [math.nan], [1.0, 1.0 + 1e-15]],
)
def test_values_of_any_size_are_drawn(values):
    check_picture(loss_plot(history(loss=values)), 540, 960)


def test_a_lone_value_is_seen():
    records = history(style=[1.0] * 50)
    records[25]["held_out"] = 1.1
    assert near(loss_plot(records)[:, :, 80:480], ORANGE).sum() > 20


def test_many_curves_with_long_names_leave_room_for_the_curves():
    names = [f"a loss with a long name {number}" for number in range(12)]
    records = history(**{name: [2.0, 1.0] for name in names})
    image = loss_plot(records)
    check_picture(image, 540, 960)
    assert near(image[:, :, 150:], BLUE).sum() + near(image[:, :, 150:], ORANGE).sum() > 100
