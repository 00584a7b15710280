"""Protects whoever runs another person's workflow: every fault in it is named, and all at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pstyle.workflow import BadWorkflow, Runner
from pstyle.workflow.validate import fits
from tests.workflow.pack_on_disk import api, dummy_of, editor, problems


@pytest.fixture
def runner(runner: Runner, tmp_path: Path) -> Runner:
    """With two pictures among the inputs."""
    (tmp_path / "in" / "album").mkdir()
    for name in ("a.png", "album/b.png"):
        Image.new("RGB", (4, 3), (1, 2, 3)).save(tmp_path / "in" / name)
    return runner


# --- what is wrong, all at once

BAD_NODES = {
    "gone": ("Colour", {}),
    "burning": ("Broken", {}),
    "low": ("Color", {"width": 0, "seed": -1, "tint": "blue", "level": -0.5}),
    "high": ("Color", {"width": 65, "seed": 2**64, "tint": "red", "level": 1.5}),
    "odd": ("Color", {"width": "wide", "seed": None, "tint": None, "level": float("nan"), "flip": [1, 2, 3]}),
    "bare": ("Mix", {"share": float("inf")}),
    "wires": ("Mix", {"first": ("low", 1), "second": ("nowhere", 0), "share": ("high", 0)}),
    "slots": ("Mix", {"first": ("low", 2), "second": ("low", -1), "share": 0.5}),
    "plain": ("Mix", {"first": "a picture", "second": None, "share": 0.5, "third": ("low", 0)}),
    "uneven": ("Even", {"number": 7}),
    "forms": ("Add", {"a": ["low"], "b": ["low", "0"]}),
    "left": ("Add", {"a": ("right", 0), "b": 1}),
    "right": ("Add", {"a": ("left", 0), "b": 1}),
    "tail": ("Add", {"a": ("right", 0), "b": 1}),
}
EXPECTED = [
    ("unknown_node", "gone", None, None, "perhaps Color"),
    ("broken_node", "burning", None, None, None),
    ("value_smaller_than_min", "low", "width", "0", "INT from 1 to 64"),
    ("value_smaller_than_min", "low", "seed", "-1", f"INT from 0 to {2**64 - 1}"),
    ("value_not_in_list", "low", "tint", "'blue'", "one of 'gray', 'red'"),
    ("value_smaller_than_min", "low", "level", "-0.5", "FLOAT from 0.0 to 1.0"),
    ("value_bigger_than_max", "high", "width", "65", "INT from 1 to 64"),
    ("value_bigger_than_max", "high", "seed", str(2**64), f"INT from 0 to {2**64 - 1}"),
    ("value_bigger_than_max", "high", "level", "1.5", "FLOAT from 0.0 to 1.0"),
    ("invalid_input_type", "odd", "width", "'wide'", "INT from 1 to 64"),
    ("invalid_input_type", "odd", "seed", "None", f"INT from 0 to {2**64 - 1}"),
    ("value_not_in_list", "odd", "tint", "None", "one of 'gray', 'red'"),
    ("not_finite", "odd", "level", "nan", "FLOAT from 0.0 to 1.0"),
    ("bad_linked_input", "odd", "flip", "[1, 2, 3]", None),
    ("required_input_missing", "bare", "first", None, "a wire of type IMAGE"),
    ("not_finite", "bare", "share", "inf", "FLOAT from 0.0 to 1.0"),
    ("return_type_mismatch", "wires", "first", "'FLOAT'", "a wire of type IMAGE"),
    ("dangling_link", "wires", "second", None, None),
    ("return_type_mismatch", "wires", "share", "'IMAGE'", "FLOAT from 0.0 to 1.0"),
    ("dangling_link", "slots", "first", "['low', 2]", "outputs 0 to 1"),
    ("dangling_link", "slots", "second", "['low', -1]", "outputs 0 to 1"),
    ("needs_a_wire", "plain", "first", "'a picture'", "a wire of type IMAGE"),
    ("unknown_input", "plain", "third", None, "one of 'first', 'share', 'second'"),
    ("custom_validation_failed", "uneven", "number", None, None),
    ("bad_linked_input", "forms", "a", "['low']", None),
    ("bad_linked_input", "forms", "b", "['low', '0']", None),
    ("cycle", None, None, "nodes 'left', 'right'", None),
]


def test_every_fault_is_named_at_once(runner: Runner) -> None:
    shows = {f"show {key}": ("Show", {"value": (key, 0)}) for key in BAD_NODES}
    found = problems(runner, api({**BAD_NODES, **shows}))
    facts = [(p.kind, p.node, p.input, p.got, p.allowed) for p in found]
    assert sorted(map(str, facts)) == sorted(map(str, EXPECTED))
    assert not (runner.folders.output).exists()
    by_node = {p.node: str(p) for p in found}
    assert by_node["uneven"] == "node 'uneven' (Even), input 'number': 7 is odd"
    assert by_node["burning"] == "node 'burning' (Broken): its INPUT_TYPES failed: OSError: disk on fire"
    assert by_node["high"] == (
        "node 'high' (Color), input 'level': it is too large: got 1.5; allowed: FLOAT from 0.0 to 1.0"
    )


def test_nothing_runs_when_one_of_two_outputs_is_bad(runner: Runner) -> None:
    good = {"1": ("Add", {"a": 1, "b": 2}), "2": ("Show", {"value": ("1", 0)})}
    assert runner.run(api(good)).executed == ["1", "2"]
    runner.memory.results.clear()
    assert len(problems(runner, api({**good, "3": ("Show", {})}))) == 1
    assert runner.memory.results == {}


def test_nodes_that_no_output_needs_are_not_checked(runner: Runner) -> None:
    good = {"1": ("Add", {"a": 1, "b": 2}), "2": ("Show", {"value": ("1", 0)}), "3": ("Color", {"width": -5})}
    assert runner.run(api(good)).executed == ["1", "2"]
    assert [p.kind for p in problems(runner, api({"3": good["3"]}))] == ["prompt_no_outputs"]


def test_values_are_converted_as_comfyui_does(runner: Runner) -> None:
    nodes = {"1": ("Add", {"a": "5", "b": 2.9}), "2": ("Show", {"value": ("1", 0)})}
    assert runner.run(api(nodes)).outputs["1"] == [[7]]
    nodes["1"] = ("Add", {"a": {"__value__": 4}, "b": True, "leftover": "randomize"})
    assert runner.run(api(nodes)).outputs["1"] == [[5]]


def test_the_ends_of_a_range_belong_to_it(runner: Runner) -> None:
    low = {"width": 1, "seed": 0, "tint": "red", "level": 0.0}
    high = {"width": 64, "seed": 2**64 - 1, "tint": "red", "level": 1.0}
    nodes = {"1": ("Mix", {"first": ("2", 0), "share": 0}), "2": ("Color", low), "3": ("Color", high)}
    nodes |= {"4": ("Show", {"value": ("1", 0)}), "5": ("Show", {"value": ("3", 1)})}
    assert sorted(runner.run(api(nodes)).executed) == ["1", "2", "3", "4", "5"]


def test_a_check_of_the_nodes_own_takes_the_place_of_the_range(runner: Runner) -> None:
    nodes = {"1": ("Even", {"number": 12}), "2": ("Show", {"value": ("1", 0)})}  # its maximum is 10
    assert runner.run(api(nodes)).outputs["1"] == [[12]]
    nodes["1"] = ("Even", {"number": ("3", 0)})  # by wire it is None to the check
    nodes["3"] = ("Add", {"a": 1, "b": 2})
    assert runner.run(api(nodes)).outputs["1"] == [[3]]
    assert [call for call in dummy_of(runner).CALLS if call[0] == "Even sees"][-1] == ("Even sees", None)


class Anything(str):
    """The usual any-type of node packs: it is unequal to nothing."""

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


@pytest.mark.parametrize(
    ("given", "wanted", "ok"),
    [
        ("IMAGE", "IMAGE", True), ("IMAGE", "MASK", False), ("INT", "INT,FLOAT", True),
        ("A, B", "B ,C", True), ("A,B", "C", False), (Anything("*"), "MASK", True),
        ("MASK", Anything("*"), True),
        ("*", "MASK", False),
        (["a"], ["a"], True), (["a"], "STRING", False), ("STRING", ["a"], False),
    ],
)  # fmt: skip
def test_which_wires_fit(given: Any, wanted: Any, ok: bool) -> None:
    assert fits(given, wanted) is ok


def test_a_long_list_of_problems_is_shortened_in_the_message_only(runner: Runner) -> None:
    nodes = api({str(i): ("Color\n\x1b[31m" * 50, {}) for i in range(3000)})
    with pytest.raises(BadWorkflow, match="3000 problems") as caught:
        runner.run(nodes)
    text = str(caught.value)
    assert len(caught.value.problems) == 3000 and "and 2950 more" in text and len(text) < 20_000
    assert all(character.isprintable() for line in text.split("\n") for character in line)


# --- files that are no workflow


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "not_json"), ("{", "not_json"), ("[1]", "not_a_workflow"), ("{}", "not_a_workflow"),
        ("null", "not_a_workflow"),
        ("[" * 100_000, "too_deep"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "too_deep"),
        ('"\\ud800"', "not_a_workflow"),
        ('{"1": {"class_type": "Add", "inputs": {"a": 1' + "0" * 5000 + "}}}", "not_json"),
        ("\xff\xfe", "not_json"),
        ('{"1": 5}', "invalid_prompt"), ('{"1": {"class_type": 5}}', "invalid_prompt"),
        ('{"1": {"class_type": "Add", "inputs": []}}', "invalid_prompt"), ('{"nodes": {}}', "invalid_prompt"),
        ('{"nodes": [5, {"id": 1}, {"id": [1], "type": "Add"}]}', "invalid_prompt"),
        ('{"nodes": [{"id": 1, "type": "Add"}, {"id": "1", "type": "Add"}]}', "duplicate_id"),
        ('{"nodes": [{"id": 1, "type": "Add", "widgets_values": "x"}]}', "invalid_prompt"),
        ('{"nodes": [{"id": 1, "type": "Add", "inputs": [{"name": "a", "link": 9}]}]}', "dangling_link"),
        ('{"nodes": [{"id": 1, "type": "Add", "inputs": [{"name": "a", "link": [9]}]}], "links": 5}',
         "dangling_link"),
        ('{"nodes": [{"id": 1, "type": "Add", "inputs": [{"name": "a", "link": 9}]}], '
         '"links": [[9, 4, 0, 1, 0]]}',
         "dangling_link"),
    ],
)  # fmt: skip
def test_files_that_are_no_workflow(runner: Runner, tmp_path: Path, text: str, kind: str) -> None:
    file = tmp_path / "workflow.json"
    file.write_text(text, encoding="latin-1")
    assert kind in [p.kind for p in problems(runner, file)]


def test_a_circle_of_reroutes_is_named(runner: Runner) -> None:
    drawn = editor({1: ("Reroute", None, {"": (2, 0, "*")}), 2: ("Reroute", None, {"": (1, 0, "*")}),
                    3: ("Show", [], {"value": (1, 0, "*")})})  # fmt: skip
    assert "cycle" in [p.kind for p in problems(runner, drawn)]


def test_files_that_are_missing_huge_or_special(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "huge.json").write_bytes(b" " * (16 * 1024 * 1024 + 1))
    os.mkfifo(tmp_path / "pipe")
    for name in ("huge.json", "pipe", "missing.json", "in", "nul\0name"):
        assert [p.kind for p in problems(runner, tmp_path / name)] == ["unreadable"]
    assert [p.kind for p in problems(runner, {"1": {"x": "y" * 17_000_000}})] == ["too_large"]
    assert [p.kind for p in problems(runner, {"1": {"x": runner}})] == ["not_json"]
