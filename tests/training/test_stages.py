"""Protects runs of several stages: each is trained once, and how long they take is told before they begin."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from pstyle.training import stages
from pstyle.training.run_log import RunLog
from pstyle.training.stages import StagedRun, check_state_folder, estimate, hash_of


@dataclass(frozen=True)
class Config:
    steps: int


class Stages:
    """Two stages that count their steps in a weight; a step takes 1 s in the first, 4 s in the other."""

    def __init__(self, now: list[float]) -> None:
        self.now, self.trained = now, []

    def train(self, config: Config, state_path: Path, on_step, seconds: float) -> nn.Linear:
        network = nn.Linear(1, 1)
        nn.init.constant_(network.weight, config.steps)
        self.trained.append((state_path.name, config.steps))
        for step in range(1, config.steps + 1):
            self.now[0] += 60 if step == 1 else seconds  # the first step has what is done once
            on_step({"step": step, "loss": 1.0})
        return network

    def __call__(self, run: StagedRun) -> list[float]:
        found = []
        for name, steps, seconds in (("one", 100, 1.0), ("two", 10, 4.0)):

            def train(config: Config, seconds: float = seconds, **given: object) -> nn.Linear:
                return self.train(config, seconds=seconds, **given)

            network = run.stage(name, f"{name}.pt", Config(steps), train, save, load)
            found.append(network.weight.item())
        return found


def save(path: Path, network: nn.Linear, note: str) -> None:
    torch.save(network.state_dict(), path)


def load(path: Path) -> nn.Linear:
    network = nn.Linear(1, 1)
    network.load_state_dict(torch.load(path, weights_only=True))
    return network


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Stages:
    now = [0.0]
    monkeypatch.setattr(stages.time, "monotonic", lambda: now[0])
    return Stages(now)


def log_in(folder: Path) -> RunLog:
    return RunLog(folder / "numbers.json", {}, lambda *step: None)


def test_a_stage_is_trained_once_and_read_from_its_file(both: Stages, tmp_path: Path) -> None:
    assert both(StagedRun(tmp_path, log_in(tmp_path))) == [100, 10]
    assert both.trained == [("one_state.safetensors", 100), ("two_state.safetensors", 10)]
    (tmp_path / "two.pt").unlink()
    assert both(StagedRun(tmp_path, log_in(tmp_path))) == [100, 10]
    assert both.trained[2:] == [("two_state.safetensors", 10)]


def test_a_trial_tells_the_time_of_all_steps_and_leaves_nothing(both: Stages, tmp_path: Path) -> None:
    log = log_in(tmp_path)
    assert estimate(both, tmp_path, log) == {"one": 100, "two": 40}
    assert [steps for _, steps in both.trained] == [stages.TRIAL_STEPS] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["numbers.json"]
    with log.stage("one", 100, "{}") as on_step:
        on_step({"step": 25, "loss": 1.0})
    assert estimate(both, tmp_path, log_in(tmp_path)) == {"one": 75, "two": 40}
    assert len(both.trained) == 2  # measured the first time only


def test_a_folder_with_anything_else_is_refused(tmp_path: Path) -> None:
    check_state_folder(tmp_path / "a" / "b")
    check_state_folder(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / "mine.txt").write_text("")
    with pytest.raises(ValueError, match="holds files, but not the state of a run"):
        check_state_folder(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / "numbers.json").write_text("{}")
    check_state_folder(tmp_path / "a" / "b")


def test_the_hash_of_files_knows_their_order_and_where_one_ends(tmp_path: Path) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for path, data in ((one, b"ab"), (two, b"c"), (three, b"abc")):
        path.write_bytes(data)
    parts = b"".join(hashlib.sha256(data).digest() for data in (b"ab", b"c"))
    assert hash_of([one, two]) == hashlib.sha256(parts).hexdigest()
    assert len({hash_of(files) for files in ([one, two], [two, one], [three], [])}) == 4
