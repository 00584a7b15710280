"""Protects the reader of the page's own format: nodes that do not run, widgets in their places, old files."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from pstyle.workflow import BadWorkflow, Runner
from pstyle.workflow.editor import place_widgets
from pstyle.workflow.schema import read_schema
from tests.workflow.pack_on_disk import CONTROLLED, DRAWN, PICTURE, api, editor, problems, texts


def test_virtual_muted_and_bypassed_nodes(runner: Runner) -> None:
    drawn = editor(
        {
            1: ("Color", CONTROLLED, {}),
            2: ("Color", [8, 8, "fixed", "gray", 0.5, False], {}),
            3: (
                "Mix",
                [0.5],
                {"first": (1, 0, "IMAGE"), "second": (2, 0, "IMAGE")},
            ),  # bypassed: passes `first`
            4: ("Reroute", None, {"": (3, 0, "*")}),
            5: ("Reroute", None, {"": (4, 0, "*")}),
            6: ("PrimitiveNode", [0.125, "fixed"], {}),
            7: (
                "Mix",
                [0.9],
                {"first": (5, 0, "IMAGE"), "second": (8, 0, "IMAGE"), "share": (6, 0, "FLOAT")},
            ),
            8: ("Color", [8, 9, "fixed", "gray"], {}),  # muted: `second` of 7 is left unconnected
            9: ("Note", ["hello"], {}),
            10: ("MarkdownNote", ["# hello"], {}),
            11: ("SaveImage", ["x"], {"images": (7, 0, "IMAGE")}),
            12: ("NeverInstalled", ["x"], {"images": (7, 0, "IMAGE")}),  # muted, so nobody minds
        },
        modes={3: 4, 8: 2, 12: 2},
    )
    result = runner.run(drawn)
    assert sorted(result.executed) == ["1", "11", "7"]
    assert torch.equal(result.outputs["7"][0][0], result.outputs["1"][0][0])
    assert texts(result.saved[0])["prompt"]["7"]["inputs"] == {"share": 0.125, "first": ["1", 0]}


def test_links_as_objects_and_widgets_by_name(runner: Runner) -> None:
    drawn = editor(DRAWN)
    drawn["links"] = [
        dict(zip(("id", "origin_id", "origin_slot", "target_id", "target_slot", "type"), link, strict=True))
        for link in drawn["links"]
    ]
    drawn["nodes"][0]["widgets_values"] = {"tint": "red", "seed": 7, "width": 8, "flip": True, "level": 0.25}
    assert torch.equal(runner.run(drawn).outputs["3"][0][0], runner.run(api(PICTURE)).outputs["3"][0][0])


def test_an_old_file_without_the_newest_widgets_gets_their_defaults(runner: Runner) -> None:
    old = editor(
        {1: ("Color", [8, 8, "fixed", "gray"], {}), 4: ("SaveImage", ["x"], {"images": (1, 0, "IMAGE")})}
    )
    result = runner.run(old)
    assert texts(result.saved[0])["prompt"]["1"]["inputs"] == {
        "width": 8, "seed": 8, "tint": "gray", "level": 0.5, "flip": False,
    }  # fmt: skip


def test_the_upload_buttons_entry_is_passed_over(runner: Runner) -> None:
    Image.new("RGBA", (6, 5), (255, 0, 0, 51)).save(runner.folders.input / "a.png")
    drawn = editor(
        {1: ("LoadImageMask", ["a.png", "alpha", "image"], {}), 2: ("Show", [], {"value": (1, 0, "MASK")})}
    )
    mask = runner.run(drawn).outputs["1"][0][0]
    assert mask.shape == (1, 5, 6) and torch.allclose(mask, torch.tensor(0.8))


@pytest.mark.parametrize(("stored", "result"), [(["b", "image", 7], "b7"), (["b", 7], "b7"), (["b"], "b1")])
def test_widgets_behind_an_upload_button(runner: Runner, stored: list, result: str) -> None:
    drawn = editor({1: ("Upload", stored, {}), 2: ("Show", [], {"value": (1, 0, "STRING")})})
    assert runner.run(drawn).outputs["1"] == [[result]]


@pytest.mark.parametrize(
    ("name", "kind", "options", "stored", "value"),
    [
        ("seed", "INT", {}, [1, "fixed", 9], 9),
        ("seed", "INT", {}, [1, 9], 9),  # made by a program that knows no controls
        ("noise_seed", "INT", {}, [1, "increment", 9], 9),
        ("seed", "INT", {"control_after_generate": False}, [1, "fixed"], "fixed"),
        ("step", "INT", {"control_after_generate": True}, [1, "decrement", 9], 9),
        ("step", "INT", {}, [1, 9], 9),
        ("seed", "INT", {"forceInput": True}, [9], 9),
        ("seed", "FLOAT", {}, [1.5, 9], 9),
        ("pick", ["a", "b"], {"control_after_generate": True}, ["a", "randomize", "", 9], 9),
        ("pick", "COMBO", {"options": ["a"]}, ["a", 9], 9),
        ("wire", "IMAGE", {}, [9], 9),
    ],
)
def test_where_the_next_widget_stands(
    name: str, kind: object, options: dict, stored: list, value: object
) -> None:
    class Sample:
        RETURN_TYPES = ()

        @classmethod
        def INPUT_TYPES(cls) -> dict:  # noqa: N802
            return {"required": {name: (kind, options)}, "optional": {"next": ("INT", {})}}

    assert place_widgets(read_schema(Sample), stored)[0]["next"] == value


def test_widgets_that_a_file_lacks_take_what_a_fresh_one_shows() -> None:
    kinds = {"a": ("INT",), "b": ("FLOAT", {}), "c": ("STRING", {}), "d": ("BOOLEAN", {}), "e": (["x", "y"],)}
    kinds |= {"f": ([],), "g": ("COMBO", {"options": ["z"]}), "h": ("INT", {"default": 7}), "i": ("IMAGE",)}

    class Sample:
        RETURN_TYPES = ()

        @classmethod
        def INPUT_TYPES(cls) -> dict:  # noqa: N802
            return {"required": kinds}

    values, places = place_widgets(read_schema(Sample), [])
    assert values == {"a": 0, "b": 0.0, "c": "", "d": False, "e": "x", "g": "z", "h": 7} and places == {}


def test_a_wire_from_a_muted_node_takes_the_widgets_value_with_it(runner: Runner) -> None:
    """So does the page; an input whose wire leads nowhere keeps its value."""
    nodes = {1: ("Color", CONTROLLED, {}), 2: ("Color", CONTROLLED, {}), 3: ("Note", [], {})}
    nodes[4] = ("Mix", [0.5], {"first": (1, 0, "IMAGE"), "share": (2, 1, "FLOAT")})
    nodes[5] = ("Show", [], {"value": (4, 0, "IMAGE")})
    found = problems(runner, editor(nodes, modes={2: 2}))
    assert [(p.kind, p.node, p.input) for p in found] == [("required_input_missing", "4", "share")]
    nodes[4][2]["share"] = (3, 0, "FLOAT")
    assert runner.run(editor(nodes)).executed == ["1", "4", "5"]


def test_subgraphs_are_refused_with_a_way_out(runner: Runner) -> None:
    drawn = editor(
        {1: ("0b1a-uuid", [], {}), 2: ("workflow>mine", [], {}), 3: ("Show", [], {"value": (1, 0, "*")})}
    )
    drawn["definitions"] = {"subgraphs": [{"id": "0b1a-uuid", "nodes": []}]}
    with pytest.raises(BadWorkflow, match="unpack it in the editor") as caught:
        runner.run(drawn)
    assert [p.node for p in caught.value.problems if p.kind == "subgraph"] == ["1", "2"]
