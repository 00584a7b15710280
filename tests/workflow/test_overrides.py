"""Protects values from outside: they reach the right input, also in the drawing, or are refused together."""

from __future__ import annotations

import pytest

from pstyle.workflow import BadWorkflow, Runner
from tests.workflow.pack_on_disk import DRAWN, PICTURE, api, editor, texts


def test_overrides_by_id_class_and_title(runner: Runner) -> None:
    result = runner.run(
        editor(DRAWN),
        {"2.seed": "9", "the mix.share": "0.125", "1.flip": "no", "SaveImage.filename_prefix": "o"},
    )
    prompt = texts(result.saved[0])["prompt"]
    assert (prompt["2"]["inputs"]["seed"], prompt["3"]["inputs"]["share"]) == (9, 0.125)
    assert prompt["1"]["inputs"]["flip"] is False and result.saved[0].name == "o_00001_.png"
    stored = {node["id"]: node["widgets_values"] for node in texts(result.saved[0])["workflow"]["nodes"]}
    assert stored[2][:3] == [8, 9, "fixed"] and stored[3] == [0.125]


def test_an_override_takes_the_place_of_a_wire(runner: Runner) -> None:
    drawn = editor(
        {
            1: ("Add", [1, 2], {}),
            2: ("Add", [5, 6], {"a": (1, 0, "INT")}),
            3: ("Show", [], {"value": (2, 0, "INT")}),
        }
    )
    assert runner.run(drawn).outputs["2"] == [[9]]
    result = runner.run(drawn, {"2.a": 100})
    assert result.outputs["2"] == [[106]] and result.executed == ["2", "3"]
    assert drawn["nodes"][1]["inputs"][0]["link"] == 1  # the caller's workflow is left alone


def test_a_replaced_wire_is_gone_from_the_drawing(runner: Runner) -> None:
    nodes = DRAWN | {3: ("Mix", [0.5], {"first": (1, 0, "IMAGE"), "share": (2, 1, "FLOAT")})}
    drawn = editor(nodes)
    drawn["nodes"][1]["outputs"] = [{"name": "IMAGE", "links": None}, {"name": "FLOAT", "links": [2]}]
    carried = texts(runner.run(drawn, {"3.share": 0.25}).saved[0])["workflow"]
    assert [slot["link"] for slot in carried["nodes"][2]["inputs"]] == [1, None]
    assert [link[0] for link in carried["links"]] == [1, 3]
    assert carried["nodes"][1]["outputs"][1]["links"] == [] and carried["nodes"][2]["widgets_values"] == [
        0.25
    ]


def test_bad_overrides_are_named_together(runner: Runner) -> None:
    overrides = {"Color.seed": 1, "nobody.x": 1, "3.first": 1, "3.nothing": 1, "dotless": 1,
                 "3.share": "much", "1.level": 3, "4.filename_prefix": "../x"}  # fmt: skip
    with pytest.raises(BadWorkflow) as caught:
        runner.run(api(PICTURE), overrides)
    text = str(caught.value)
    for part in ("8 problems", "2 nodes are called 'Color'", "'nobody'", "'first'", "'nothing'", "NODE.INPUT",
                 "got 'much'", "FLOAT from 0.0 to 1.0", "'..'"):  # fmt: skip
        assert part in text, part
