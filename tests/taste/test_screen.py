"""Protects the screen: letters on the grid, and every word that may be said."""

from __future__ import annotations

import pytest
import torch

from pstyle.style.answers import History, Question
from pstyle.taste.screen import apply_answer, grid_of, shown_picture
from tests.conftest import random_picture


@pytest.fixture
def history():
    found = History(torch.eye(2), "x")
    found.ask(Question(torch.tensor([[0.0, 1.0], [1.0, 0.0], [-1.0, 0.0]])))
    return found


@pytest.mark.parametrize(
    ("words", "best", "worst"),
    [("A", 0, None), (" b ", 1, None), ("C worst A", 2, 0), ("c WORST b", 2, 1), ("Same", None, None)],
)
def test_what_is_said_is_taken(history, words, best, worst):
    apply_answer(history, words)
    assert (history.answers[0].best, history.answers[0].worst) == (best, worst)


def test_undo_takes_one_back(history):
    apply_answer(history, "A")
    apply_answer(history, "undo")
    assert history.answers == [] and len(history.pending.points) == 3


@pytest.mark.parametrize("words", ["D", "AB", "", "1", "worst A", "A worst", "A worst A", "yes\x1b[31m"])
def test_anything_else_is_told_and_answers_nothing(history, words):
    if words == "A worst":  # a worst that is not named is none
        apply_answer(history, words)
        assert history.answers[0].worst is None
        return
    with pytest.raises(ValueError, match="is not an answer: choose A, B, C|names no best|must differ"):
        apply_answer(history, words)
    assert history.answers == [] and history.pending is not None


def test_a_letter_before_any_question_is_told():
    with pytest.raises(ValueError, match="choose no letter yet"):
        apply_answer(History(torch.eye(2), "x"), "A")


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_grid_shows_every_candidate(count):
    shades = torch.linspace(0.2, 0.8, count)[:, None]
    grid = grid_of(Question(shades), lambda points: points.view(-1, 1, 1, 1).expand(-1, 3, 16, 16))
    for shade in shades.flatten().tolist():
        assert ((grid - shade).abs().amax(1) < 0.01).float().mean() > 0.15  # a large part is this shade
    assert grid.shape[2] > grid.shape[3] / 2 if count > 2 else grid.shape[2] < 600


def test_pictures_are_shown_reduced_with_sides_that_fit(rng):
    assert shown_picture(random_picture(rng, 101, 203), 64).shape == (1, 3, 64, 128)
