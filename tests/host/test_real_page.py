"""Protects what people see: in a browser, ComfyUI's page draws, queues, explains and translates this pack."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from pstyle.nets.generator import LEVELS, load_generator
from pstyle.style.provenance import Provenance
from pstyle.style.style import save_style
from pstyle.style.styled_generator import StyledGenerator
from tests.conftest import ROOT
from tests.examples import EXAMPLES, NAMES, QUICK
from tests.host.comfy import Comfy

DRIVER = Path(__file__).with_name("page.mjs")
LIVE = {  # long enough to be looked at
    "PStyleLearn": {"steps": 8, "size_px": 128, "crop_px": 64, "batch": 1},
    "PStyleSaveStyle": {"overwrite": True},
}
AGAIN = {"PStyleSaveDamage": {"overwrite": True}}  # it was queued over HTTP before
QUEUED = [
    "learn_and_paint",
    "load_and_paint",
    "paint_360",
    "paint_stereo",
    "paint_video",
    "restore_old_photo",
    "learn_damage",
]
SLIDERS = ("PStylePaint", "PStylePaint360", "PStylePaintStereo", "PStylePaintVideo", "PStyleRestore")
ELEMENTS = (1, 35)  # pages with "Nodes 2.0"; what they tried before shows no widgets of packs
PROBED = "/en.md)"  # the page asks for help in English before it takes the page for all languages
CHINESE = json.loads((ROOT / "locales" / "zh" / "nodeDefs.json").read_text())


@pytest.fixture(scope="module")
def seen(checkout: Path, comfy: Comfy, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a browser saw on a tour of the page; its pictures go to the folder that COMFYUI_SHOTS names."""
    browser, node = shutil.which("chromium"), shutil.which("node")
    if not browser or not node or not (checkout / "node_modules" / "playwright-core").is_dir():
        pytest.skip("needs chromium, node, and playwright-core in the checkout of ComfyUI")
    keep_a_style(comfy.models / "my_style.safetensors")
    job = {
        "url": comfy.url,
        "modules": str(checkout),
        "chromium": browser,
        "workflows": {name: str(EXAMPLES / f"{name}.json") for name in NAMES},
        "quick": QUICK | {"learn_and_paint": LIVE, "learn_damage": QUICK["learn_damage"] | AGAIN},
        "run": QUEUED,
        "help": "PStyleLearn",
        "shots": os.environ.get("COMFYUI_SHOTS"),
    }
    folder = tmp_path_factory.mktemp("page")
    (folder / "job.json").write_text(json.dumps(job | {"seen": str(folder / "seen.json")}))
    done = subprocess.run([node, DRIVER, folder / "job.json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads((folder / "seen.json").read_text())


def keep_a_style(path: Path) -> None:
    """The style that the workflows load, which newer pages miss as soon as a workflow is opened."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    generator = load_generator()
    latent = torch.zeros(LEVELS, generator.config.latent)
    save_style(path, StyledGenerator(generator, latent).style(Provenance()))


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_is_drawn(name: str, seen: dict[str, Any]) -> None:
    found = seen["workflows"][name]
    assert found["missing"] == [] and found["dialogs"] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_page_queues_what_the_headless_file_says(name: str, seen: dict[str, Any]) -> None:
    file = json.loads((EXAMPLES / "api" / f"{name}.json").read_text())
    prompt = seen["workflows"][name]["prompt"]
    assert {key: (node["class_type"], node["inputs"]) for key, node in prompt.items()} == {
        key: (node["class_type"], node["inputs"]) for key, node in file.items()
    }


def test_no_error_is_ours(seen: dict[str, Any]) -> None:
    ours = [error for error in seen["errors"] if "pstyle" in error.lower()]
    assert [error for error in ours if not error.endswith(PROBED)] == []


@pytest.mark.parametrize("name", QUEUED)
def test_it_runs_from_the_page_and_shows_its_pictures(name: str, seen: dict[str, Any]) -> None:
    run = seen["runs"][name]
    assert run["end"][0] == "execution_success"
    assert run["pictures"] and all(width > 0 for all_of in run["pictures"].values() for _, width in all_of)


def test_before_and_after_stand_on_every_node_that_paints(seen: dict[str, Any]) -> None:
    found = [item for name in QUEUED for item in seen["runs"][name]["sliders"].items()]
    assert {node for node, _ in found} == set(SLIDERS)
    assert all(before == after > 0 for _, (before, after) in found)


@pytest.mark.parametrize("name", QUEUED)
def test_what_a_run_shows_covers_no_other_node(name: str, seen: dict[str, Any]) -> None:
    assert seen["runs"][name]["covered"] is None


def test_texts_and_sliders_are_seen_where_nodes_are_elements_of_the_page(seen: dict[str, Any]) -> None:
    found = seen["elements"]
    if tuple(map(int, seen["version"].split(".")[:2])) < ELEMENTS:
        pytest.skip("this page draws nodes on its canvas alone")
    assert found["end"][0] == "execution_success"
    assert set(found["sizes"]) == {"PStylePaint360", "PStyleSave360", "PStyleSeamScore"}
    assert all(width > 100 and height > 15 for width, height in found["sizes"].values())


def test_a_learning_shows_previews(seen: dict[str, Any]) -> None:
    run = seen["runs"]["learn_and_paint"]
    assert run["live"] == "PStyleLearn" and all(size > 500 for size in run["previews"])


def test_what_was_learned_of_scans_is_shown(seen: dict[str, Any]) -> None:
    assert "grain" in seen["runs"]["learn_damage"]["texts"]["PStyleLearnDamage"]


def test_scores_are_shown_on_their_node_and_not_saved(seen: dict[str, Any]) -> None:
    run = seen["runs"]["paint_360"]
    assert "seam" in run["texts"]["PStyleSeamScore"] and run["texts"]["PStyleSave360"].endswith(".jpg")
    saved = json.loads((EXAMPLES / "paint_360.json").read_text())
    assert {key: len(values) for key, values in run["values"].items()} == {
        str(node["id"]): len(node.get("widgets_values", [])) for node in saved["nodes"]
    }


def test_a_help_page_opens_with_its_pictures(seen: dict[str, Any]) -> None:
    assert "Learn Style" in seen["help"]["text"] and "crop_px" in seen["help"]["text"]
    assert seen["help"]["pictures"] and all(width > 0 for width in seen["help"]["pictures"])


def test_templates_have_thumbnails(seen: dict[str, Any]) -> None:
    assert set(seen["templates"]) == set(NAMES)
    assert min(seen["templates"].values()) >= 200


def test_a_chinese_page_is_chinese(seen: dict[str, Any]) -> None:
    for node in seen["chinese"]:
        known = CHINESE.get(node["type"])
        if known:
            assert node["title"] == known["display_name"]
            labels = {entry["name"] for entry in known["inputs"].values()}
            assert {label for _, label in node["widgets"]} <= labels
