"""Protects a run: nodes are called, kept, interrupted and reported as ComfyUI does, at any size."""

from __future__ import annotations

import copy
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

from pstyle.core.folders import current_folders
from pstyle.workflow import BadWorkflow, NodeFailed, Runner
from tests.workflow.pack_on_disk import PICTURE, api, dummy_of, editor, make_pack, open_runner, ran


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pack(tmp_path_factory.mktemp("custom nodes.x") / "pack-1.0")


@pytest.fixture
def runner(pack: Path, tmp_path: Path) -> Runner:
    return open_runner(pack, tmp_path)


# --- how nodes are called


def test_nodes_run_in_inference_mode_and_know_the_folders(runner: Runner, tmp_path: Path) -> None:
    before = current_folders()
    result = runner.run(api({"1": ("World", {}), "2": ("Show", {"value": ("1", 0)})}))
    mode, tensor, folders = (items[0] for items in result.outputs["1"])
    assert mode is True and tensor is True
    paths = (tmp_path / "in", tmp_path / "out", tmp_path / "out" / "temp", tmp_path / "models")
    assert folders == "|".join(map(str, paths))
    assert not torch.is_inference_mode_enabled() and current_folders() == before


def test_lists_fan_out_and_come_together(runner: Runner) -> None:
    result = runner.run(
        api(
            {
                "1": ("Spread", {"count": 4}),
                "2": ("Add", {"a": ("1", 0), "b": 10}),  # once per item
                "3": ("Add", {"a": ("2", 0), "b": ("1", 1)}),  # the shorter list repeats its last item
                "4": ("Total", {"values": ("3", 0), "scale": 2}),  # once, with the list
                "5": ("Show", {"value": ("4", 0)}),
                "6": ("Show", {"value": ("2", 0)}),
            }
        )
    )
    assert result.outputs["1"] == [[0, 1, 2, 3], [4]]
    assert result.outputs["2"] == [[10, 11, 12, 13]]
    assert result.outputs["4"] == [[2 * (14 + 15 + 16 + 17)]]
    assert result.ui["6"] == {"text": ["10", "11", "12", "13"]}
    with pytest.raises(NodeFailed, match="input 'a' got an empty list"):
        runner.run(api({"1": ("Spread", {"count": 0}), "2": ("Add", {"a": ("1", 0), "b": 1}),
                        "3": ("Show", {"value": ("2", 0)})}))  # fmt: skip


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


def test_hidden_inputs(runner: Runner) -> None:
    plain = api({"9": ("Hidden", {}), "10": ("Show", {"value": ("9", 0)})})
    assert runner.run(plain).outputs["9"] == [["Hidden '9' None"]]
    drawn = editor({8: ("Hidden", [], {}), 10: ("Show", [], {"value": (8, 0, "STRING")})})
    assert runner.run(drawn).outputs["8"] == [["Hidden '8' ['workflow']"]]


def test_the_packs_own_node_does_not_replace_a_core_node(runner: Runner) -> None:
    assert runner.pack.classes["SaveImage"].__module__ == "pstyle.workflow.core_nodes"


# --- what is kept between runs


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
