"""Protects what a person sees: bars that follow a loop and its stages, and lengths of time."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
import torch

from pstyle.cli.console import duration, stages_bar, steps_bar
from pstyle.core.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    streams = SimpleNamespace(stdout=io.StringIO(), stderr=Terminal())
    monkeypatch.setattr("pstyle.cli.console.sys", streams)
    return streams.stderr


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (99, "99 s"), (100, "2 min"), (5990, "100 min"), (6000, "1.7 h"), (86400, "24.0 h")],
)
def test_lengths_of_time(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_bar_follows_a_loop_that_begins_later(terminal: Terminal) -> None:
    with steps_bar("learning") as on_step:
        for step in (5, 6):
            on_step(Progress(step, 8, {"style": 0.125}, torch.zeros(1)))
        assert (on_step.bar.n, on_step.bar.total, on_step.bar.postfix) == (6, 8, "style=0.125")
    assert "learning" in terminal.getvalue()


def test_a_bar_starts_anew_with_each_stage(terminal: Terminal) -> None:
    with stages_bar() as on_step:
        on_step("tones", 3, {"step": 3, "loss": 1.0})
        on_step("repair", 9, {"step": 2, "loss": 0.5})
        assert (on_step.bar.n, on_step.bar.total, on_step.bar.desc) == (2, 9, "repair: ")
        on_step.estimate({"tones": 90, "repair": 7110})
    lines = [line.split() for line in terminal.getvalue().replace("\r", "\n").splitlines()]
    assert ["90", "s", "tones"] in lines and ["2.0", "h", "repair"] in lines
    assert ["2.0", "h", "in", "all,", "as", "measured", "on", "a", "few", "steps"] in lines


def test_another_process_than_the_first_is_silent(terminal: Terminal) -> None:
    with stages_bar(shown=False) as on_step:
        on_step("tones", 3, {"step": 3, "loss": 1.0})
        on_step.estimate({"tones": 90})
    assert terminal.getvalue() == ""
