"""Protects the choice of a device: what the command line asks for is where nodes and base training run."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pstyle_pack.nodes import host

from pstyle import cli
from pstyle.core.device import current_device, use_device
from pstyle.core.process_group import ProcessGroup
from tests.workflow.pack_on_disk import PICTURE, api, make_pack, open_runner


def test_the_innermost_device_counts_and_only_inside() -> None:
    assert current_device() == "auto"
    with use_device("cpu"), use_device("cuda"):
        assert current_device() == "cuda"
    assert current_device() == "auto"


def test_nodes_compute_where_they_are_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    assert host.model_management is None, "this test runs without ComfyUI"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert host.compute_device().type == "cuda"
    with use_device("cpu"):
        assert host.compute_device().type == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with use_device("cuda"), pytest.raises(ValueError, match="no CUDA device"):
        host.compute_device()


def test_a_pack_with_its_own_library_is_told(tmp_path: Path) -> None:
    runner, told = open_runner(make_pack(tmp_path / "pack"), tmp_path), []
    runner.device = "cpu"
    own = f"{runner.pack.module.__name__}.pstyle.core.device"

    def note(progress: object) -> None:
        told.append((current_device(), sys.modules[own].current_device()))

    runner.run(api(PICTURE), on_progress=note)
    assert set(told) == {("cpu", "cpu")}
    assert current_device() == sys.modules[own].current_device() == "auto"


def test_run_takes_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[Any, ...]] = []

    def runner(*arguments: Any) -> SimpleNamespace:
        given.append(arguments)
        return SimpleNamespace(run=lambda *rest: SimpleNamespace(saved=[]))

    monkeypatch.setattr("pstyle.cli.run.Runner", runner)
    assert cli.main(["run", "flow.json", "--device", "cpu"]) == 0
    assert cli.main(["run", "flow.json"]) == 0
    assert [arguments[-1] for arguments in given] == ["cpu", "auto"]


def test_train_base_takes_a_device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    worlds: list[ProcessGroup] = []
    monkeypatch.setattr(
        "pstyle.cli.train_base.make_weights", lambda *given, **more: worlds.append(given[-1]) or []
    )
    monkeypatch.setattr(
        "pstyle.cli.train_base.choose_device", lambda name: torch.device({"cpu": "meta"}[name])
    )
    (tmp_path / "a.png").write_bytes(b"never opened")
    folders = [f"--{kind}={tmp_path}" for kind in ("photos", "paintings", "output", "state")]
    assert cli.main(["train-base", "--teacher=a", *folders, "--device", "cpu"]) == 0
    assert worlds == [ProcessGroup(0, 1, torch.device("meta"))]
