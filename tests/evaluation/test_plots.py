"""Protects the plots: what is drawn shows the numbers given, and drawing leaves matplotlib as it found it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pstyle.evaluation import plots

ROOT = Path(__file__).parents[2]
BLUE, ORANGE = (31 / 255, 119 / 255, 180 / 255), (255 / 255, 127 / 255, 14 / 255)  # matplotlib's first two


def near(image: torch.Tensor, color: tuple[float, float, float]) -> torch.Tensor:
    """Pixels (H, W) of about that color."""
    return (image[0] - torch.tensor(color).view(3, 1, 1)).abs().amax(0) < 0.03


def history(**series) -> list[dict[str, float]]:
    count = len(next(iter(series.values())))
    return [
        {"step": step, "seconds": 9.0, **{name: values[step] for name, values in series.items()}}
        for step in range(count)
    ]


def check_picture(image: torch.Tensor, height: int, width: int) -> None:
    assert image.shape == (1, 3, height, width) and image.dtype == torch.float32
    assert 0 <= image.min() < image.max() <= 1


def test_a_falling_loss_falls_in_the_plot():
    falling = [10.0 * 0.97**step for step in range(100)]
    image = plots.loss_plot(history(style=falling), width_px=600, height_px=400)
    check_picture(image, 400, 600)
    rows, columns = near(image, BLUE).nonzero(as_tuple=True)
    # On a log axis this is a straight line; the legend's sample in the upper right corner is left out.
    line = columns < 400
    points = torch.stack((columns[line], rows[line])).float()
    assert torch.corrcoef(points)[0, 1] > 0.999
    assert rows[line].max() - rows[line].min() > 150


def test_a_loss_that_touches_zero_gets_a_linear_axis():
    ends_at_zero = [100.0 - step for step in range(101)]
    rows, columns = near(plots.loss_plot(history(a=ends_at_zero)), BLUE).nonzero(as_tuple=True)
    line = columns < 600
    assert torch.corrcoef(torch.stack((columns[line], rows[line])).float())[0, 1] > 0.999


def test_only_named_series_are_drawn():
    records = history(style=[3.0, 2.0, 1.0], content=[1.0, 1.5, 2.0])
    assert near(plots.loss_plot(records), ORANGE).sum() > 100
    assert near(plots.loss_plot(records, ["style"]), ORANGE).sum() == 0


def test_series_recorded_now_and_then_and_values_not_finite_are_drawn_with_gaps():
    records = history(style=[3.0, float("nan"), float("inf"), 2.0, 1.0])
    records[2]["held_out"] = 2.5
    check_picture(plots.loss_plot(records), 540, 960)


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
        plots.loss_plot(records, series)


def test_a_plot_too_small_to_read_is_refused():
    with pytest.raises(ValueError, match="at least 200 px a side; got 960x199"):
        plots.loss_plot([{"step": 1, "loss": 1.0}], height_px=199)


def test_discriminator_panels_show_their_series():
    records = history(
        held_out_accuracy=[0.9, 0.7, 0.5], logit_gap=[2.0, 1.0, 0.0], generator_loss=[1.0, 0.5, 0.4]
    )
    image = plots.discriminator_plot(records, height_px=900)
    check_picture(image, 900, 960)
    for top in (0, 300, 600):
        assert near(image[:, :, top : top + 300], BLUE).sum() > 300
    four = plots.discriminator_plot([record | {"duality": 0.3} for record in records], height_px=1200)
    assert all(near(four[:, :, top : top + 300], BLUE).sum() > 300 for top in (0, 300, 600, 900))
    alone = plots.discriminator_plot([{"step": 0, "accuracy": 0.5}, {"step": 9, "accuracy": 0.6}])
    assert near(alone, BLUE).sum() > 300
    with pytest.raises(ValueError, match="no accuracy, gap, duality or loss in this history; it has style"):
        plots.discriminator_plot(history(style=[1.0]))


def test_contact_sheet_holds_every_picture_in_its_cell():
    red, green = torch.zeros(1, 3, 40, 80), torch.zeros(1, 3, 300, 100)
    red[:, 0], green[:, 1] = 1, 1
    sheet = plots.contact_sheet([[red, None], [green, red]], cell_px=64)
    gap = 4
    check_picture(sheet, gap + 2 * (64 + gap), gap + 2 * (64 + gap))
    assert near(sheet, (1, 0, 0)).sum() == 2 * 64 * 32  # the whole width of the cell, at its proportions
    assert near(sheet, (0, 1, 0)).sum() == 64 * 21
    assert near(sheet[:, :, :, gap + 64 :][:, :, : 64 + gap], (1, 1, 1)).all()  # the empty cell
    assert near(sheet[:, :, 64 + 2 * gap :, : 64 + gap], (1, 0, 0)).sum() == 0


def test_captions_stand_under_their_pictures_and_stay_in_their_cells():
    picture = torch.zeros(1, 3, 64, 64)
    labels = [["short", "a caption far too long for a cell of sixty-four pixels"]]
    plain, labeled = plots.contact_sheet([[picture, picture]], cell_px=64), None
    labeled = plots.contact_sheet([[picture, picture]], labels, cell_px=64)
    assert labeled.shape[2] > plain.shape[2] and labeled.shape[3] == plain.shape[3]
    caption = labeled[0, :, 4 + 64 :].mean(0)
    ink = (caption < 0.5).any(0)
    assert ink[4 : 4 + 64].any() and ink[8 + 64 : 8 + 128].any()
    assert not ink[:4].any() and not ink[4 + 64 : 8 + 64].any() and not ink[8 + 128 :].any()


@pytest.mark.parametrize(
    ("rows", "labels", "cell_px", "words"),
    [
        ([], None, 64, "at least one picture"),
        ([[None]], None, 64, "at least one picture"),
        ([[torch.zeros(1, 3, 8, 8)]], None, 16, "at least 32 px"),
        ([[torch.zeros(1, 3, 8, 8)]], [["a", "b"]], 64, "one caption for each cell"),
        ([[torch.zeros(2, 3, 8, 8)]], None, 64, r"got \(2, 3, 8, 8\)"),
    ],
)
def test_a_sheet_that_cannot_be_made_is_refused(rows, labels, cell_px, words):
    with pytest.raises(ValueError, match=words):
        plots.contact_sheet(rows, labels, cell_px)


def test_heat_map_is_bright_where_features_are_strong():
    features = torch.zeros(2, 6, 10, 20)
    features[0, :, 2, 3], features[1, :, 7, 15] = 5, 0.01  # each picture is scaled to itself
    small = plots.heat_map(features)
    check_picture(small[:1], 10, 20)
    brightness = small.mean(1).flatten(1).argmax(1)
    assert brightness.tolist() == [2 * 20 + 3, 7 * 20 + 15]
    large = plots.heat_map(features, 100, 200)
    check_picture(large[:1], 100, 200)
    row, column = divmod(large[0].mean(0).argmax().item(), 200)
    assert abs(row - 25) <= 5 and abs(column - 35) <= 5
    with pytest.raises(ValueError, match=r"got \(6, 10, 20\)"):
        plots.heat_map(features[0])


def test_a_heat_map_of_nothing_is_dark():
    assert plots.heat_map(torch.zeros(1, 2, 4, 4)).max() < 0.05


def test_gram_picture_shows_which_maps_go_together():
    together = torch.tensor([[4.0, 4.0, 0.0], [4.0, 4.0, 0.0], [0.0, 0.0, 1.0]])
    image = plots.gram_picture(together[None], size_px=300)
    check_picture(image, 300, 300)
    bright = near(image[:, :, :, :200], (0.987, 0.991, 0.750)).sum().item()  # the top of the color map
    dark = near(image[:, :, :, :200], (0.001, 0.000, 0.014)).sum().item()
    assert bright / (bright + dark) == pytest.approx(5 / 9, abs=0.08)
    for bad in (torch.zeros(2, 3), torch.zeros(2, 3, 3), torch.zeros(0, 0)):
        with pytest.raises(ValueError, match="a Gram matrix is"):
            plots.gram_picture(bad)


def test_importing_and_drawing_touch_no_global_state_of_matplotlib():
    code = (
        "import sys, pstyle.evaluation.plots as plots\n"
        "assert 'matplotlib' not in sys.modules\n"
        "plots.loss_plot([{'step': 0, 'loss': 1.0}, {'step': 1, 'loss': 0.5}])\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_is_nearly_on_a_line_lies_on_it() -> None:
    """Two things have no second component but rounding, which must not fill the plane."""
    color = torch.tensor([200, 30, 160], dtype=torch.uint8).view(3, 1, 1)

    def drawn(second: float) -> torch.Tensor:
        places = [torch.tensor([0.0, 0.0]), torch.tensor([1.0, second])]
        return plots.place_map([(place, color.expand(3, 24, 24)) for place in places], {}, [], 300)

    def height(picture: torch.Tensor) -> torch.Tensor:
        """Deviation of the rows that show a thumbnail."""
        return ((picture[0] - color / 255).abs().amax(0) < 0.01).nonzero()[:, 0].float().std()

    assert height(drawn(1e-7)) == pytest.approx(height(drawn(0.0)).item(), abs=1)
    assert height(drawn(0.8)) > 2 * height(drawn(0.0))
