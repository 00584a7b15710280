"""Protects the calls of a node's functions: once per item of a list, with the hidden inputs it asks for."""

from __future__ import annotations

import pytest

from pstyle.workflow import NodeFailed, Runner
from tests.workflow.pack_on_disk import api, editor


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


def test_hidden_inputs(runner: Runner) -> None:
    plain = api({"9": ("Hidden", {}), "10": ("Show", {"value": ("9", 0)})})
    assert runner.run(plain).outputs["9"] == [["Hidden '9' None"]]
    drawn = editor({8: ("Hidden", [], {}), 10: ("Show", [], {"value": (8, 0, "STRING")})})
    assert runner.run(drawn).outputs["8"] == [["Hidden '8' ['workflow']"]]
