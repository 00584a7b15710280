"""Protects the headless runner: one workflow gives the same pictures in both of ComfyUI's formats."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from PIL import Image

from pstyle.workflow import Runner
from tests.workflow.pack_on_disk import DRAWN, PICTURE, api, editor, texts


def test_both_formats_give_the_same_picture_and_files(runner: Runner, tmp_path: Path) -> None:
    first = runner.run(api(PICTURE))
    file = tmp_path / "drawn.json"
    file.write_text(json.dumps(editor(DRAWN)))
    second = Runner(runner.pack.root, tmp_path / "in", tmp_path / "out").run(file)
    assert torch.equal(first.outputs["3"][0][0], second.outputs["3"][0][0])
    names = [result.saved[0].relative_to(tmp_path / "out").as_posix() for result in (first, second)]
    assert names == ["sub/mix_00001_.png", "sub/mix_00002_.png"]
    assert first.saved[0].read_bytes() != second.saved[0].read_bytes()  # only the second carries the drawing
    with Image.open(first.saved[0]) as one, Image.open(second.saved[0]) as two:
        assert one.tobytes() == two.tobytes()
    assert first.ui["4"] == {"images": [{"filename": "mix_00001_.png", "subfolder": "sub", "type": "output"}]}


def test_saved_pixels_are_the_tensor_with_fractions_cut_off(runner: Runner) -> None:
    result = runner.run(api(PICTURE))
    with Image.open(result.saved[0]) as picture:
        expected = bytes(int(255 * value) for value in result.outputs["3"][0][0].flatten().double().tolist())
        assert picture.mode == "RGB" and picture.tobytes() == expected


def test_pngs_carry_a_workflow_that_runs_again(runner: Runner) -> None:
    drawn = runner.run(editor(DRAWN), {"Mix.share": 0.75})
    carried = texts(drawn.saved[0])
    assert set(carried) == {"prompt", "workflow"}
    assert carried["prompt"]["3"] == {
        "inputs": {"first": ["1", 0], "second": ["2", 0], "share": 0.75},
        "class_type": "Mix",
        "_meta": {"title": "the mix"},
    }
    for text in carried.values():
        again = Runner(runner.pack.root, runner.folders.input, runner.folders.output).run(text)
        assert torch.equal(again.outputs["3"][0][0], drawn.outputs["3"][0][0])
    assert set(texts(runner.run(api(PICTURE)).saved[0])) == {"prompt"}
