"""Protects the verdicts of a fine-tuning: each threshold by hand, and notes that survive a kill."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from pstyle.finetuning.model_selection import ModelSelection, collapsed, ending, gain
from pstyle.training.training_state import TrainingState

START = {"step": 0, "patch_swd": 0.04, "ssim": 0.6, "contrast": 0.2, "two_sample_accuracy": 0.8}
FAIR = {
    "held_out_accuracy": 0.55, "train_accuracy": 0.6, "logit_gap": 0.2, "overfitting": 0.1, "duality": 0.05,
    "patch_swd": 0.039, "ssim": 0.6, "contrast": 0.2, "two_sample_accuracy": 0.5,
}  # fmt: skip
FIRST = FAIR | {"duality": 1.0}


def selection_of(state: TrainingState | None = None) -> ModelSelection:
    return ModelSelection(dict(START), state or new_state())


def new_state() -> TrainingState:
    layer = nn.Linear(1, 1)
    return TrainingState(
        {"layer": layer}, {"adam": torch.optim.Adam(layer.parameters())}, torch.Generator(), "{}"
    )


def noted(selection: ModelSelection, *changes: dict[str, float]) -> list[str]:
    advice = []
    for change in changes:
        selection.state.step += 10
        advice.append(selection.note(FAIR | change))
    return advice


def test_three_fair_checks_with_a_small_duality_gap_are_an_equilibrium():
    assert ending([FIRST, FAIR]) is None
    assert ending([FIRST, FAIR, FAIR]) == ending([FIRST, FAIR, FAIR, FAIR]) == "approximate equilibrium"


@pytest.mark.parametrize(
    "spoiled",
    [
        {"held_out_accuracy": 0.63}, {"held_out_accuracy": 0.44}, {"logit_gap": 0.36}, {"logit_gap": -0.36},
        {"held_out_accuracy": math.nan}, {"logit_gap": math.nan},
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", [1, 2, 3])
def test_one_unfair_check_is_none(spoiled, place):
    checks = [FIRST, FAIR, FAIR, FAIR]
    checks[place] = FAIR | spoiled
    assert ending(checks) is None


def test_a_duality_gap_must_be_small_or_still():
    wide = [FIRST] + [FAIR | {"duality": value} for value in (0.50, 0.52, 0.53)]
    assert ending(wide) == "approximate equilibrium"
    assert ending([FIRST] + [FAIR | {"duality": value} for value in (0.50, 0.52, 0.56)]) is None
    assert ending([FIRST] + [FAIR | {"duality": value} for value in (0.50, 0.30, 0.09)]) == ending(wide)


def test_a_style_that_still_gets_nearer_goes_on():
    falling = [FIRST] + [FAIR | {"patch_swd": value} for value in (0.040, 0.0395, 0.0391)]
    assert ending(falling) is None
    assert ending([FIRST] + [FAIR | {"patch_swd": value} for value in (0.040, 0.0395, 0.0393)]) is not None


def test_a_memorizing_discriminator_ends_it_at_once():
    memorized = FAIR | {"overfitting": 0.71, "held_out_accuracy": 0.55, "train_accuracy": 0.9}
    assert ending([memorized]) == "stopped: the discriminator memorized its pictures"
    for name, value in (("overfitting", 0.7), ("held_out_accuracy", 0.56), ("train_accuracy", 0.89)):
        assert ending([memorized | {name: value}]) is None


def test_a_discriminator_far_ahead_or_behind_ends_it():
    assert "discriminator won" in ending([FAIR | {"held_out_accuracy": 0.96}] * 3)
    assert "discriminator lost" in ending([FAIR | {"held_out_accuracy": 0.39}] * 3)
    assert ending([FAIR | {"held_out_accuracy": 0.96}] * 2) is None
    assert ending([]) is None


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        ({"ssim": 0.551}, False), ({"ssim": 0.549}, True), ({"contrast": 0.121}, False),
        ({"contrast": 0.119}, True), ({"ssim": math.nan}, True), ({"patch_swd": math.nan}, True),
        ({"logit_gap": math.inf}, True), ({"patch_swd": 9.0}, False),
    ],
)  # fmt: skip
def test_what_counts_as_a_collapse(change, lost):
    assert collapsed(FAIR | change, START) is lost


def test_the_best_check_is_the_nearest_that_keeps_content():
    selection = selection_of()
    changes = [{"patch_swd": value} for value in (0.041, 0.038, 0.039, 0.036)]
    advice = noted(selection, *changes, {"patch_swd": 0.03, "ssim": 0.579})
    assert advice == ["go on", "keep", "go on", "keep", "go on"]
    assert selection.best["step"] == 40 and selection.best["patch_swd"] == 0.036
    told = (0.9, 0.8)
    assert selection.accepts(*told) and selection.outcome(told).startswith(
        "fine-tuned style of step 40 accepted"
    )
    assert "0.0400 -> 0.0360" in selection.outcome(told) and "90% -> 80%" in selection.outcome(told)


def test_the_best_check_is_the_one_that_gains_most_where_it_gains_least():
    selection = selection_of()
    swd_told = [(0.03, 0.8), (0.036, 0.75), (0.03, 0.79), (0.034, 0.7), (0.02, 0.76), (0.041, 0.5)]
    advice = noted(selection, *({"patch_swd": swd, "two_sample_accuracy": told} for swd, told in swd_told))
    assert advice == ["go on", "keep", "go on", "keep", "go on", "go on"]
    assert gain(FAIR | {"patch_swd": 0.0388, "two_sample_accuracy": 0.74}, START) == pytest.approx(1.0)
    assert gain(FAIR | {"patch_swd": 0.036, "two_sample_accuracy": 0.845}, START) == pytest.approx(-1.5)


def test_a_win_below_three_percent_changes_nothing():
    selection = selection_of()
    assert noted(selection, {"patch_swd": 0.0389}) == ["keep"]
    assert (
        not selection.won() and not selection.accepts(0.9, 0.5) and "gained too little" in selection.outcome()
    )
    assert noted(selection, {"patch_swd": 0.0387}) == ["keep"] and selection.won()


@pytest.mark.parametrize(
    ("told", "accepted"),
    [
        ((0.9, 0.87), True),
        ((0.9, 0.88), False),
        ((0.9, 0.95), False),
        ((0.45, 0.5), True),
        ((0.51, 0.5), False),
    ],
)
def test_a_classifier_trained_afresh_must_tell_fewer_right(told, accepted):
    selection = selection_of()
    noted(selection, {"patch_swd": 0.03})
    assert selection.won() and selection.accepts(*told) is accepted
    assert ("accepted" in selection.outcome(told)) is accepted
    assert accepted or "as easy to recognize as painted as before" in selection.outcome(told)


def test_no_check_won():
    selection = selection_of()
    assert selection.best is selection.start and not selection.won() and "no check won" in selection.outcome()
    assert noted(selection, {"patch_swd": 0.05}) == ["go on"] and not selection.won()


def test_three_rollbacks_end_it():
    selection = selection_of()
    assert noted(selection, {"ssim": 0.1}, {"contrast": 0.0}) == ["roll back"] * 2
    assert selection.ending() is None and selection.rollbacks == 2
    assert noted(selection, {"patch_swd": math.nan}) == ["roll back"]
    assert selection.ending() == "stopped: content or contrast collapsed 3 times"


def test_notes_survive_a_kill(tmp_path):
    selection = selection_of()
    noted(selection, {"patch_swd": 0.038}, {"ssim": 0.1}, {"duality": math.nan})
    selection.state.save(tmp_path / "state.safetensors")
    other = selection_of()
    other.state.resume(tmp_path / "state.safetensors")
    assert other.best == selection.best and other.rollbacks == selection.rollbacks == 2
    assert other.checks == selection.checks and [check["step"] for check in other.checks] == [10, 20]
