"""Protects what the pack is in a real ComfyUI: its workflows run there and give what they give without it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pstyle_pack.nodes import NODE_CLASS_MAPPINGS

from pstyle.style.style import load_style
from tests.conftest import ROOT
from tests.examples import EXAMPLES, NAMES, QUICK, overrides, write_pictures
from tests.host.comfy import Comfy, Refused, Run

HEADLESS = Path(__file__).with_name("headless.py")
PREVIEW_PX = 256
JPEG = b"\xff\xd8"  # how such a file begins
LONG = {"steps": 500, "size_px": 128, "crop_px": 64, "batch": 1}  # a learning that nobody waits for
CANCELED_AT = 3


def prompt_of(name: str, *changes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A workflow in API format with values changed, by class or title."""
    prompt = json.loads((EXAMPLES / "api" / f"{name}.json").read_text())
    for node in prompt.values():
        for values in changes:
            node["inputs"] |= values.get(node["class_type"], {}) | values.get(node["_meta"]["title"], {})
    return prompt


@pytest.fixture(scope="module")
def runs(comfy: Comfy) -> dict[str, Run]:
    """Every example workflow, run over HTTP in the order in which they need each other's styles."""
    return {name: comfy.run(prompt_of(name, QUICK[name])) for name in NAMES}


@pytest.fixture(scope="module")
def alone(comfy: Comfy, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The same without ComfyUI: the folder, and the files of each workflow by node id."""
    base = tmp_path_factory.mktemp("headless")
    (base / "input").mkdir()
    write_pictures(base / "input")
    jobs = [[str(EXAMPLES / "api" / f"{name}.json"), overrides(name)] for name in NAMES]
    (base / "job.json").write_text(json.dumps({"base": str(base), "runs": jobs}))
    done = subprocess.run([comfy.python, HEADLESS, base / "job.json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return base, dict(zip(NAMES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_runs_and_paints_what_it_paints_alone(
    name: str, comfy: Comfy, runs: dict[str, Run], alone: tuple[Path, dict[str, Any]]
) -> None:
    run, files = runs[name], alone[1][name]
    assert run.end == "execution_success", run.details
    shown = {node for node, ui in run.outputs.items() if "images" in ui}
    assert shown == set(files) and shown
    for node, paths in files.items():
        pictures = comfy.pictures(run, node)
        assert len(pictures) == len(paths) > 0
        for picture, path in zip(pictures, paths, strict=True):
            assert np.array_equal(np.asarray(picture), np.asarray(Image.open(path)))
            assert "prompt" in picture.text


def test_styles_are_those_it_learns_alone(
    comfy: Comfy, runs: dict[str, Run], alone: tuple[Path, dict[str, Any]]
) -> None:
    names = ("my_style", "my_style_chosen", "my_style_tuned")
    for file in (f"{name}.safetensors" for name in names):
        assert (comfy.models / file).read_bytes() == (alone[0] / "models" / "pstyle" / file).read_bytes()


def test_previews_arrive_while_a_style_is_learned(runs: dict[str, Run]) -> None:
    for name in ("learn_and_paint", "finetune"):
        previews = runs[name].of("preview")
        assert previews and all(picture.format == "JPEG" for picture in previews)
        assert all(0 < max(picture.size) <= PREVIEW_PX for picture in previews)
        assert {data["max"] for data in runs[name].of("progress")} >= {2}  # steps


def test_a_second_run_learns_nothing_anew(comfy: Comfy, runs: dict[str, Run]) -> None:
    comfy.run(prompt_of("learn_and_paint", QUICK["learn_and_paint"]))
    again = comfy.run(
        prompt_of("learn_and_paint", QUICK["learn_and_paint"], {"PStylePaint": {"strength": 0.5}})
    )
    (kept,) = [data["nodes"] for data in again.of("execution_cached")]
    nodes = prompt_of("learn_and_paint").items()
    assert {key for key, node in nodes if node["class_type"] == "PStyleLearn"} <= set(kept)


@pytest.fixture(scope="module")
def canceled(comfy: Comfy) -> Run:
    """A learning that was canceled after a few steps."""

    def on_event(event: str, data: Any) -> None:
        if event == "progress" and data["max"] == LONG["steps"] and data["value"] == CANCELED_AT:
            comfy.ask("/interrupt", {})

    prompt = prompt_of("learn_and_paint", {"PStyleLearn": LONG})
    return comfy.run(prompt, on_event)


def test_cancel_stops_a_learning_within_a_step(canceled: Run) -> None:
    assert canceled.end == "execution_interrupted"
    steps = [data["value"] for data in canceled.of("progress") if data["max"] == LONG["steps"]]
    assert max(steps) <= CANCELED_AT + 1


def test_a_canceled_learning_leaves_a_style_to_paint_with(comfy: Comfy, canceled: Run) -> None:
    name = "interrupted.safetensors"
    assert CANCELED_AT <= load_style(comfy.models / name).provenance.steps <= CANCELED_AT + 2
    run = comfy.run(prompt_of("load_and_paint", {"PStyleLoadStyle": {"name": name}}))
    assert run.end == "execution_success" and comfy.pictures(run, last_of(run))


def last_of(run: Run) -> str:
    """The last node that showed pictures."""
    return [node for node, shown in run.outputs.items() if "images" in shown][-1]


def test_a_node_that_fails_says_what_to_do(comfy: Comfy, runs: dict[str, Run]) -> None:
    Image.new("RGB", (40, 30)).save(comfy.base / "input" / "small.png")
    run = comfy.run(prompt_of("learn_and_paint", {"LoadImage": {"image": "small.png"}}))
    assert run.end == "execution_error" and run.details["node_type"] == "PStyleLearn"
    message = run.details["exception_message"]
    assert "64" in message and "30" in message and "Traceback" not in message


def test_a_damaged_style_says_what_to_do(comfy: Comfy, runs: dict[str, Run]) -> None:
    whole = (comfy.models / "my_style.safetensors").read_bytes()
    (comfy.models / "damaged.safetensors").write_bytes(whole[:-100])
    run = comfy.run(prompt_of("load_and_paint", {"PStyleLoadStyle": {"name": "damaged.safetensors"}}))
    assert run.end == "execution_error" and "damaged.safetensors" in run.details["exception_message"]


def test_a_style_that_is_not_there_is_refused(comfy: Comfy, runs: dict[str, Run]) -> None:
    with pytest.raises(Refused, match="value_not_in_list") as refused:
        comfy.run(prompt_of("load_and_paint", {"PStyleLoadStyle": {"name": "nobody.safetensors"}}))
    assert "my_style.safetensors" in str(refused.value)


def test_a_value_that_no_widget_allows_is_refused(comfy: Comfy, runs: dict[str, Run]) -> None:
    with pytest.raises(Refused, match="value_bigger_than_max"):
        comfy.run(prompt_of("load_and_paint", {"PStylePaint": {"strength": 99.0}}))


def test_help_pages_translations_and_templates_are_served(comfy: Comfy) -> None:
    for node in NODE_CLASS_MAPPINGS:
        for page in (f"{node}.md", f"{node}/zh.md"):
            served = comfy.read(f"/extensions/pstyle/docs/{page}")
            assert served == (ROOT / "web" / "docs" / page).read_bytes()
    assert set(comfy.ask("/i18n")["zh"]["nodeDefs"]) >= set(NODE_CLASS_MAPPINGS)
    assert set(comfy.ask("/workflow_templates")["pstyle"]) == set(NAMES)
    for name in NAMES:
        served = comfy.read(f"/api/workflow_templates/pstyle/{name}.json")
        assert served == (EXAMPLES / f"{name}.json").read_bytes()
        assert comfy.read(f"/api/workflow_templates/pstyle/{name}.jpg")[:2] == JPEG


def test_every_node_is_offered(comfy: Comfy) -> None:
    found = {name: node for name, node in comfy.ask("/object_info").items() if name.startswith("PStyle")}
    assert set(found) == set(NODE_CLASS_MAPPINGS)
    assert all(node["python_module"] == "custom_nodes.pstyle" for node in found.values())
