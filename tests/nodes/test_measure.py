"""Protects the nodes that measure: scores are the library's own, averaged, and every loop can be plotted."""

from __future__ import annotations

import pytest
import torch

from pstyle.core.folders import Folders
from pstyle.evaluation.copying import copied_share
from pstyle.evaluation.metrics import score
from pstyle.evaluation.scoring import ScaleConfig, score_all
from pstyle.nets.vgg import VGG, load_loss_vgg, save_vgg
from tests.tiny_networks import tiny_vgg


def test_scores_are_the_librarys(nodes, image: torch.Tensor, style_set: list) -> None:
    painted = torch.cat([image[:1], 1 - image[1:]])  # the first is the style picture
    found = nodes.PStyleScore().score(painted, image, style_set)
    vgg, style = load_loss_vgg(), style_set[0][0]
    pairs = zip(*(batch.movedim(-1, 1).clone().split(1) for batch in (painted, image)), strict=True)
    rows = [score(*pair, [style], vgg) | {"copied": copied_share(pair[0], [style])} for pair in pairs]
    report, *values = found["result"]
    assert list(nodes.PStyleScore.RETURN_NAMES) == ["report", *rows[0]]
    assert values == pytest.approx([sum(row[name] for row in rows) / 2 for name in rows[0]], abs=1e-5)
    assert f"ssim: {values[4]:.4f}" in report.splitlines() and found["ui"]["text"] == [report]
    assert "judge: loss (shipped)" in report and "scale" not in report
    assert values[6] == 0.5  # copied: one of two
    assert all(type(value) is float for value in values)


def test_one_content_serves_all_and_counts_must_fit(nodes, image: torch.Tensor, style_set: list) -> None:
    same = nodes.PStyleScore().score(image[[0, 0]], image[:1], style_set)["result"]
    assert same[5] == pytest.approx(1.0, abs=1e-4) and same[4] == pytest.approx(0.0, abs=1e-4)
    with pytest.raises(ValueError, match="2 contents for 1 pictures"):
        nodes.PStyleScore().score(image[:1], image, style_set)


def test_pictures_are_placed_on_a_scale_when_asked(nodes, image: torch.Tensor, style_set: list) -> None:
    """Which optimizes pixels, and so must leave inference mode; the first picture is the style picture."""
    (report, *_) = nodes.PStyleScore().score(image[:1], image[1:], style_set, scale=True, scale_steps=2)[
        "result"
    ]
    told = dict(line.split(": ", 1) for line in report.splitlines())
    with torch.inference_mode(False):
        painted, content = (one.clone() for one in image.movedim(-1, 1).split(1))
        found = score_all(painted, content, [style_set[0][0]], load_loss_vgg(), ScaleConfig(True, 2)).scores
    for name in ("style_percent", "patch_swd_percent"):
        assert told[name] == f"{found[name]:.0f} %" and found[name] > 100
    assert told["scale"].startswith("0 % is the content picture itself")


def test_imagenets_network_judges_where_it_is(
    nodes, image: torch.Tensor, style_set: list, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    with torch.inference_mode(False):
        save_vgg(folders.style_models / "vgg19_imagenet.safetensors", tiny_vgg(0.125, seed=5), "random")
        wired = tiny_vgg(0.0625, seed=6)
    shipped = load_loss_vgg()

    def judged(vgg: VGG | None = None) -> tuple[str, float]:
        report, style, *_ = nodes.PStyleScore().score(1 - image[:1], image[:1], style_set, vgg)["result"]
        return next(line for line in report.splitlines() if line.startswith("judge")), style

    picture = image[:1].movedim(-1, 1).clone()
    own = score(1 - picture, picture, [style_set[0][0]], shipped)["style"]
    (line, value), (other_line, other) = judged(), judged(wired)
    assert line == "judge: vgg19_imagenet" and other_line == "judge: the wired VGG"
    assert len({round(found, 6) for found in (own, value, other)}) == 3


def test_losses_are_drawn_from_a_history_or_a_loss_map(nodes) -> None:
    draw = nodes.PStyleLossPlot().plot
    history = [{"step": step, "loss": 1 / step, "style": 0.5 / step} for step in range(1, 6)]
    (plot,) = draw(history, "losses")
    assert plot.shape == (1, 540, 960, 3) and 0 <= plot.min() < plot.max() <= 1
    (single,) = draw({"loss": [record["loss"] for record in history]}, "losses")
    (alone,) = draw([{"step": r["step"], "loss": r["loss"]} for r in history], "losses")
    assert torch.equal(single, alone) and not torch.equal(single, plot)


def test_flat_losses_and_a_single_one_can_be_drawn(nodes) -> None:
    """ComfyUI's own loss graph divides by their range and fails."""
    for losses in ([1.0, 1.0, 1.0], [0.5]):
        assert nodes.PStyleLossPlot().plot({"loss": losses}, "losses")[0].shape == (1, 540, 960, 3)


@pytest.mark.parametrize("losses", [[], {"loss": []}, {}])
def test_nothing_to_draw_is_said_in_a_sentence(nodes, losses: object) -> None:
    with pytest.raises(ValueError, match="history is empty"):
        nodes.PStyleLossPlot().plot(losses, "losses")


def test_a_discriminator_is_drawn_from_its_history(nodes) -> None:
    history = [{"step": step, "accuracy": 0.9 - step / 10, "loss": 1.0} for step in range(4)]
    (plot,) = nodes.PStyleLossPlot().plot(history, "discriminator")
    assert plot.shape[2] == 960
    with pytest.raises(ValueError, match="no accuracy"):
        nodes.PStyleLossPlot().plot([{"step": 1, "style": 1.0}], "discriminator")
