"""Protects a run: nodes are called, kept, interrupted and reported as ComfyUI does, at any size."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch

from pstyle.core.folders import current_folders
from pstyle.workflow import BadWorkflow, NodeFailed, Runner
from tests.workflow.pack_on_disk import PICTURE, api, editor, ran

# --- how nodes are called


def test_nodes_run_in_inference_mode_and_know_the_folders(runner: Runner, tmp_path: Path) -> None:
    before = current_folders()
    result = runner.run(api({"1": ("World", {}), "2": ("Show", {"value": ("1", 0)})}))
    mode, tensor, folders = (items[0] for items in result.outputs["1"])
    assert mode is True and tensor is True
    paths = (tmp_path / "in", tmp_path / "out", tmp_path / "out" / "temp", tmp_path / "models")
    assert folders == "|".join(map(str, paths))
    assert not torch.is_inference_mode_enabled() and current_folders() == before


def test_lazy_inputs_run_only_when_asked_for(runner: Runner) -> None:
    nodes = {
        "1": ("Add", {"a": 1, "b": 0}),
        "2": ("Add", {"a": 2, "b": 0}),
        "3": ("Pick", {"second": False, "one": ("1", 0), "two": ("2", 0)}),
        "4": ("Show", {"value": ("3", 0)}),
    }
    first = runner.run(api(nodes))
    assert first.outputs["3"] == [[1]] and first.executed == ["1", "3", "4"] and "2" not in first.outputs
    second = runner.run(api(nodes), {"3.second": "true"})
    assert second.outputs["3"] == [[2]] and second.executed == ["2", "3", "4"] and second.cached == ["1"]


def test_the_packs_own_node_does_not_replace_a_core_node(runner: Runner) -> None:
    assert runner.pack.classes["SaveImage"].__module__ == "pstyle.workflow.core_nodes"


# --- failures and interrupts


def test_a_failing_node_is_named_and_earlier_results_are_kept(runner: Runner) -> None:
    nodes = api({"1": ("Add", {"a": 1, "b": 2}), "7": ("Raise", {"what": "error", "after": ("1", 0)}),
                 "8": ("Show", {"value": ("7", 0)})})  # fmt: skip
    nodes["7"]["_meta"] = {"title": "my node"}
    with pytest.raises(
        NodeFailed, match=r"node '7' 'my node' \(Raise\) failed: LookupError: nothing there"
    ) as caught:
        runner.run(nodes)
    error = caught.value
    assert (error.node, error.title, error.class_type) == ("7", "my node", "Raise")
    assert isinstance(error.__cause__, LookupError)
    with pytest.raises(NodeFailed):
        runner.run(nodes)
    assert ran(runner, "Add") == 1


@pytest.mark.parametrize(
    ("what", "message"),
    [("short", "tuple of 0, not a tuple of 1"), ("none", "NoneType"), ("expand", "expand")],
)
def test_a_node_that_returns_something_else(runner: Runner, what: str, message: str) -> None:
    with pytest.raises(NodeFailed, match=message):
        runner.run(api({"1": ("Add", {"a": 1, "b": 2}), "2": ("Raise", {"what": what, "after": ("1", 0)}),
                        "3": ("Show", {"value": ("2", 0)})}))  # fmt: skip


def test_interrupts_come_through_untouched(runner: Runner) -> None:
    nodes = api({"1": ("Add", {"a": 1, "b": 2}), "2": ("Raise", {"what": "interrupt", "after": ("1", 0)}),
                 "3": ("Show", {"value": ("2", 0)})})  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        runner.run(nodes)
    assert not torch.is_inference_mode_enabled()

    class Stop(Exception):  # noqa: N818
        pass

    def stop(progress: object) -> None:
        raise Stop

    with pytest.raises(Stop):
        runner.run(api(PICTURE), on_progress=stop)
    assert runner.run(api(PICTURE)).saved


def test_progress_counts_to_the_end(runner: Runner) -> None:
    seen = []
    runner.run(api(PICTURE), on_progress=seen.append)
    assert [(p.state, p.finished, p.total) for p in seen if p.class_type == "SaveImage"] == [
        ("running", 3, 4), ("done", 4, 4)]  # fmt: skip
    seen.clear()
    runner.run(api(PICTURE), {"4.filename_prefix": "other"}, seen.append)
    assert [(p.node, p.state, p.total) for p in seen] == [("4", "running", 1), ("4", "done", 1)]


# --- size: no step of the runner is recursive, or slower than linear

COUNTS = [20_000, pytest.param(100_000, marks=pytest.mark.slow)]


@pytest.mark.parametrize("count", COUNTS)
def test_a_very_long_chain_runs(runner: Runner, count: int) -> None:
    nodes = {str(i): ("Add", {"a": (str(i - 1), 0) if i else 0, "b": 1}) for i in range(count)}
    nodes["end"] = ("Spread", {"count": (str(count - 1), 0)})
    nodes["show"] = ("Show", {"value": ("end", 1)})
    start = time.process_time()
    result = runner.run(api(nodes))
    assert (
        time.process_time() - start < count / 3000
    )  # a third of a millisecond each, five times what it takes
    assert result.ui["show"] == {"text": [str(count)]} and ran(runner, "Add") == count


@pytest.mark.parametrize("count", COUNTS)
def test_a_very_long_circle_is_refused(runner: Runner, count: int) -> None:
    nodes = {str(i): ("Add", {"a": (str((i - 1) % count), 0), "b": 1}) for i in range(count)}
    nodes["end"] = ("Show", {"value": ("5", 0)})
    start = time.process_time()
    with pytest.raises(BadWorkflow, match=f"in a circle: got nodes '0', '1', .* and {count - 12} more"):
        runner.run(api(nodes))
    assert time.process_time() - start < count / 3000


@pytest.mark.parametrize("count", [20_000, 90_000])  # more would not fit into 16 MiB
def test_a_very_long_row_of_reroutes(runner: Runner, count: int) -> None:
    nodes = {i: ("Reroute", None, {"": (i - 1, 0, "INT")}) for i in range(2, count)}
    nodes |= {1: ("Add", [3, 4], {}), count: ("Show", [], {"value": (count - 1, 0, "INT")})}
    nodes |= {count + i: ("Show", [], {"value": (count // i, 0, "INT")}) for i in range(2, 100)}
    start = time.process_time()
    assert runner.run(editor(nodes)).ui[str(count)] == {"text": ["7"]}
    assert time.process_time() - start < count / 3000
