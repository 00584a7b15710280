"""Protects what is kept between runs: only nodes that changed run again, and equal ones run once."""

from __future__ import annotations

import copy

import pytest
import torch
from PIL import Image

from pstyle.workflow import Runner
from tests.workflow.pack_on_disk import PICTURE, api, dummy_of, ran


def test_only_what_changed_runs_again(runner: Runner) -> None:
    nodes = api(PICTURE)
    assert sorted(runner.run(nodes).executed) == ["1", "2", "3", "4"]
    again = runner.run(copy.deepcopy(nodes))
    assert again.executed == [] and sorted(again.cached) == ["1", "2", "3", "4"] and again.saved == []
    assert again.ui["4"]["images"][0]["filename"] == "mix_00001_.png"  # what it showed is kept as well
    changed = runner.run(nodes, {"2.level": 0.75})
    assert changed.executed == ["2", "3", "4"] and changed.cached == ["1"]
    assert changed.saved[0].name == "mix_00002_.png"
    renamed = {{"1": "a", "2": "b", "3": "c", "4": "d"}[key]: node for key, node in api(PICTURE).items()}
    renamed["c"]["inputs"] |= {"first": ["a", 0], "second": ["b", 0]}
    renamed["d"]["inputs"] |= {"images": ["c", 0]}
    assert runner.run(renamed).cached == ["a"]  # ids do not matter; 2 was last seen with another level
    runner.run(api({"1": ("World", {}), "2": ("Show", {"value": ("1", 0)})}))
    assert len(runner.memory.results) == 2  # one workflow at most is held


def test_equal_nodes_run_once_unless_they_know_their_id(runner: Runner) -> None:
    twins = {str(key): ("Add", {"a": 1, "b": 1}) for key in (1, 2)}
    shows = {str(key + 2): ("Show", {"value": (str(key), 0)}) for key in (1, 2)}
    result = runner.run(api({**twins, **shows}))
    assert ran(runner, "Add") == 1 and sorted(result.executed) == ["1", "3", "4"]


def test_equal_rows_of_nodes_run_once(runner: Runner) -> None:
    firsts = {str(key): ("Add", {"a": 1, "b": 1}) for key in (1, 2)}
    seconds = {str(key + 2): ("Add", {"a": (str(key), 0), "b": 1}) for key in (1, 2)}
    shows = {str(key + 4): ("Show", {"value": (str(key + 2), 0)}) for key in (1, 2)}
    result = runner.run(api({**firsts, **seconds, **shows}))
    assert ran(runner, "Add") == 2 and result.ui["5"] == result.ui["6"] == {"text": ["3"]}


@pytest.mark.parametrize(
    ("value", "runs"), [("same", 1), (b"same", 1), (float("nan"), 2), (object(), 2), (OSError("gone"), 2)]
)
def test_is_changed(runner: Runner, value: object, runs: int) -> None:
    nodes = api({"1": ("World", {}), "2": ("Show", {"value": ("1", 0)})})
    dummy_of(runner).CHANGE["value"] = value
    runner.run(nodes)
    runner.run(nodes)
    assert ran(runner, "World") == runs == ran(runner, "Show")
    dummy_of(runner).CHANGE["value"] = "other"
    runner.run(nodes)
    assert ran(runner, "World") == runs + 1


def test_a_changed_picture_file_is_read_again(runner: Runner) -> None:
    nodes = api({"1": ("LoadImage", {"image": "a.png"}), "2": ("Show", {"value": ("1", 0)})})
    for level, executed in ((10, ["1", "2"]), (10, []), (20, ["1", "2"])):
        Image.new("RGB", (3, 2), (level, 0, 0)).save(runner.folders.input / "a.png")
        result = runner.run(nodes)
        assert result.executed == executed
        assert result.outputs["1"][0][0][0, 0, 0, 0] == torch.tensor(level / 255)
