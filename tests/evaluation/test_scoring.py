"""Protects what is told of a painted picture: the scale's two ends, what is averaged, what is said."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pstyle.evaluation import scoring
from pstyle.evaluation.copying import copied_share
from pstyle.evaluation.lpips import Absent
from pstyle.evaluation.metrics import score
from pstyle.evaluation.scoring import ScaleConfig, Scored, mean_of, place, score_all, score_lines
from pstyle.losses.perceptual import perceptual_with
from pstyle.nets.vgg import VGG, load_loss_vgg, load_vgg
from pstyle.training.optimize import OptimizeConfig, optimize
from tests.conftest import random_picture
from tests.tiny_networks import ship, write_networks

SCALE = ScaleConfig(scale=True, scale_steps=6)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write_networks(folder)
    return folder


@pytest.fixture(autouse=True)
def shipped(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ship(weights, monkeypatch)


@pytest.fixture
def vgg(shipped: None) -> VGG:
    return load_loss_vgg()


@pytest.fixture
def content(rng: torch.Generator) -> torch.Tensor:
    return random_picture(rng, 64, 72)


@pytest.fixture
def style(rng: torch.Generator) -> torch.Tensor:
    return 1 - 0.5 * random_picture(rng, 80, 66)


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise Absent("pip install lpips")

    monkeypatch.setattr(scoring, "load_lpips", fail)


def test_scores_are_those_of_the_parts(content, style, vgg, absent) -> None:
    found = score_all(1 - content, content, [style], vgg)
    assert found.scores == score(1 - content, content, [style], vgg) | {"copied": 0.0}
    assert found.absent["lpips"] == "pip install lpips"
    assert score_all(style, content, [style], vgg).scores["copied"] == copied_share(style, [style]) == 1


def test_lpips_is_told_where_it_is(content, style, vgg, monkeypatch) -> None:
    asked = []

    def distance(output: torch.Tensor, other: torch.Tensor) -> float:
        asked.append((output.shape, other.shape))
        return 0.25

    monkeypatch.setattr(scoring, "load_lpips", lambda: distance)
    found = score_all(style, content, [style], vgg)
    assert found.scores["lpips"] == 0.25 and "lpips" not in found.absent
    assert asked == [(content.shape, content.shape)]  # as ever, at the size of the content


def test_the_ends_of_the_scale(content, style, vgg, absent) -> None:
    settings = OptimizeConfig(steps=SCALE.scale_steps, size_px=64)
    best = optimize(content, [style], perceptual_with(load_vgg(), vgg), settings)
    for output, percent in ((content, 0), (best, 100)):
        found = score_all(output, content, [style], vgg, SCALE).scores
        assert found["style_percent"] == pytest.approx(percent, abs=0.1)
        assert found["patch_swd_percent"] == pytest.approx(percent, abs=0.1)
    assert score_all(style, content, [style], vgg, SCALE).scores["style_percent"] > 105
    assert score_all(content * 0.3, content, [style], vgg, SCALE).scores["style_percent"] < -5


def test_every_step_is_told_and_may_stop_the_optimization(content, style, vgg, absent) -> None:
    steps = []

    def follow(progress) -> None:
        steps.append(progress.step)
        if progress.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_all(content, content, [style], vgg, SCALE, follow)
    assert steps == [1, 2, 3]


def test_a_place_is_a_share_of_the_way() -> None:
    assert [place(value, 4.0, 2.0) for value in (4.0, 3.5, 2.0, 1.0, 5.0)] == [0, 25, 100, 150, -50]
    assert place(1.0, 2.0, 2.0) == 0


def test_means_leave_out_what_one_lacks() -> None:
    found = mean_of([Scored({"a": 1.0, "lpips": 2.0}), Scored({"a": 2.0}, {"lpips": "too small"})])
    assert found == Scored({"a": 1.5}, {"lpips": "too small"})


def test_lines_tell_scores_absences_the_judge_and_the_scale() -> None:
    found = Scored({"style": 0.12345, "style_percent": 88.6}, {"lpips": "pip install lpips"})
    assert score_lines(found, "loss")[:4] == [
        "style: 0.1235",
        "style_percent: 89 %",
        "lpips: absent (pip install lpips)",
        "judge: loss",
    ]
    assert score_lines(found, "loss")[4].startswith("scale: 0 % is the content picture itself, 100 %")
    assert len(score_lines(Scored({"style": 1.0}), "loss")) == 2
