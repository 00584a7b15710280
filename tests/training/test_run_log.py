"""Protects the log of a run: times and losses add up over kills, and another run's file is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from pstyle.training import run_log
from pstyle.training.run_log import RunLog


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that pass between two looks at the clock."""
    now = [0.0]

    def monotonic() -> float:
        now[0] += 2.0
        return now[0]

    monkeypatch.setattr(run_log.time, "monotonic", monotonic)
    return now


def log_of(path: Path, run: dict[str, str] | None = None, writes: bool = True) -> RunLog:
    return RunLog(path / "numbers.json", run or {"settings": "a"}, lambda *step: None, writes)


def stage_in(path: Path) -> dict:
    return json.loads((path / "numbers.json").read_text())["stages"]["one"]


def test_losses_are_averaged_over_about_fifty_steps(tmp_path: Path) -> None:
    with log_of(tmp_path).stage("one", 300, "{}") as on_step:
        for step in range(1, 201):
            on_step({"step": step, "loss": 1.0 if step == 1 else 0.0, "other": math.nan})
    assert stage_in(tmp_path)["losses"] == {"step": 200, "loss": pytest.approx((49 / 50) ** 199)}


def test_a_stage_that_is_killed_goes_on_with_its_times(tmp_path: Path, clock: list[float]) -> None:
    with pytest.raises(KeyboardInterrupt), log_of(tmp_path).stage("one", 8, "{}") as on_step:
        for step in (1, 2):
            on_step({"step": step, "loss": 4.0})
        raise KeyboardInterrupt
    assert stage_in(tmp_path)["seconds"] == 4
    log = log_of(tmp_path)
    assert log.share_done("one") == 0.25 and log.share_done("two") == 0
    with log.stage("one", 8, "{}") as on_step:
        on_step({"step": 3, "loss": 4.0})
    assert stage_in(tmp_path)["seconds"] == 6 and stage_in(tmp_path)["losses"] == {"step": 3, "loss": 4.0}


def test_steps_are_passed_on(tmp_path: Path) -> None:
    seen = []
    log = RunLog(tmp_path / "numbers.json", {}, lambda *step: seen.append(step))
    with log.stage("one", 8, "{}") as on_step:
        on_step({"step": 1, "loss": math.nan})
    assert [(name, steps, record["step"]) for name, steps, record in seen] == [("one", 8, 1)]


def test_another_run_is_refused_by_what_differs(tmp_path: Path) -> None:
    log_of(tmp_path, {"settings": "a", "files": "b", "seed": "c"})
    before = (tmp_path / "numbers.json").read_bytes()
    with pytest.raises(ValueError, match="a run with other files, settings: give the same"):
        log_of(tmp_path, {"settings": "x", "files": "y", "seed": "c"})
    assert (tmp_path / "numbers.json").read_bytes() == before


def test_only_one_process_writes(tmp_path: Path) -> None:
    with log_of(tmp_path, writes=False).stage("one", 1, "{}") as on_step:
        on_step({"step": 1, "loss": 1.0})
    assert list(tmp_path.iterdir()) == []
