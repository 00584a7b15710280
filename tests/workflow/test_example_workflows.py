"""Protects the example workflows: each runs from start to end in both formats, as a page would save it."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from pstyle.style.answers import read_history
from pstyle.style.style import load_style, save_style
from pstyle.workflow import Runner
from pstyle.workflow.editor import parse_editor
from pstyle.workflow.schema import Catalog
from tests.conftest import ROOT
from tests.examples import EXAMPLES, FRAMES, NAMES, SIZE, SPHERE, overrides, write_pictures
from tests.tiny_networks import random_style, ship, write_networks

WRITTEN = {  # nodes that save or show pictures, and how many each gives
    "learn_and_paint": 2, "load_and_paint": 2, "taste_test": 3, "finetune": 4, "blend": 1, "features": 6,
    "paint_video": FRAMES, "paint_360": 1, "paint_stereo": 1, "restore_old_photo": 2,
    "learn_damage": 2,
}  # fmt: skip
TITLE_PX = 30  # of a node, on the page


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny random networks in place of the shipped ones."""
    folder = tmp_path_factory.mktemp("weights")
    write_networks(folder)
    return folder


@pytest.fixture
def runner(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """A runner with tiny networks and pictures of the names that the workflows ask for."""
    (tmp_path / "input").mkdir()
    write_pictures(tmp_path / "input")
    found = Runner(ROOT, tmp_path / "input", tmp_path / "output", tmp_path / "models")
    for part in (
        "nets.generator",
        "nets.vgg",
        "restoration.repair.restorer",
    ):  # in the pack's own copy
        module: ModuleType = sys.modules[f"{found.pack.module.__name__}.pstyle.{part}"]
        monkeypatch.setattr(module, "weights_folder", lambda: weights)
    return found


@pytest.fixture
def ready(runner: Runner, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """The runner, with the style in its model folder that learn_and_paint would save."""
    ship(weights, monkeypatch)
    runner.folders.style_models.mkdir(parents=True)
    save_style(runner.folders.style_models / "my_style.safetensors", random_style())
    return runner


@pytest.mark.parametrize("folder", [EXAMPLES, EXAMPLES / "api"], ids=["page", "api"])
@pytest.mark.parametrize("name", NAMES)
def test_it_runs(name: str, folder: Path, request: pytest.FixtureRequest) -> None:
    learns = name in ("learn_and_paint", "blend", "features")
    runner = request.getfixturevalue("runner" if learns else "ready")
    result = runner.run(folder / f"{name}.json", overrides(name))
    pictures = [Image.open(path) for path in result.saved]
    assert len(pictures) == WRITTEN[name]
    assert all("prompt" in picture.text for picture in pictures)
    painted = [path for path in result.saved if path.parent == runner.folders.output / "pstyle"]
    count = {"features": 0, "paint_video": FRAMES}.get(name, 1)
    assert [path.name for path in painted] == [f"{name}_{n:05}_.png" for n in range(1, count + 1)]
    assert all(Image.open(path).size == (SPHERE if name == "paint_360" else SIZE) for path in painted)
    styles = sorted(path.name for path in runner.folders.style_models.glob("*"))
    expected = {name: ["my_style"] for name in NAMES if name not in ("blend", "features")}
    expected |= {"finetune": ["my_style", "my_style_tuned"], "taste_test": ["my_style", "my_style_chosen"]}
    expected |= {"learn_damage": ["my_damage", "my_style"]}
    assert [style for style in styles if style != "my_taste.taste"] == [
        f"{style}.safetensors" for style in expected.get(name, [])
    ]


def test_taste_is_learned_round_by_round(ready: Runner) -> None:
    path = EXAMPLES / "api" / "taste_test.json"
    for choice in ("-", "A", "B", "same"):
        ready.run(path, overrides("taste_test") | {"PStyleTasteTest.choice": choice})
    kept = read_history(ready.folders.style_models / "my_taste.taste")
    assert [answer.best for answer in kept.answers] == [0, 1, None]
    assert (
        "chosen by 3 answers"
        in load_style(ready.folders.style_models / "my_style_chosen.safetensors").provenance.note
    )


def test_a_second_run_learns_nothing_anew(runner: Runner) -> None:
    path, values = EXAMPLES / "learn_and_paint.json", overrides("learn_and_paint")
    runner.run(path, values)
    again = runner.run(path, values | {"PStylePaint.strength": 0.5})
    assert [node for node in again.executed if node in ("3", "4")] == []
    assert again.saved[-1].name == "learn_and_paint_00002_.png"


def test_every_example_is_tested_in_both_formats() -> None:
    for folder in (EXAMPLES, EXAMPLES / "api"):
        assert {path.stem for path in folder.glob("*.json")} == set(NAMES)


@pytest.fixture
def catalog(runner: Runner) -> Catalog:
    return Catalog(runner.pack.classes)


@pytest.mark.parametrize("name", NAMES)
def test_both_formats_say_the_same(name: str, catalog: Catalog) -> None:
    graph = parse_editor(json.loads((EXAMPLES / f"{name}.json").read_text()), catalog)
    api = json.loads((EXAMPLES / "api" / f"{name}.json").read_text())
    drawn = {key: (node["class_type"], node["inputs"]) for key, node in graph.prompt().items()}
    assert drawn == {key: (node["class_type"], node["inputs"]) for key, node in api.items()}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_a_page_would_save(name: str, catalog: Catalog) -> None:
    """Slots in the classes' order, a value for each widget, wires that both of their ends know."""
    document = json.loads((EXAMPLES / f"{name}.json").read_text())
    nodes = {node["id"]: node for node in document["nodes"]}
    assert document["version"] == 0.4 and document["last_node_id"] == max(nodes)
    assert sorted(node["order"] for node in nodes.values()) == list(range(len(nodes)))
    assert document["last_link_id"] == len(document["links"])
    for link, source, slot, target, place, kind in document["links"]:
        output, entry = nodes[source]["outputs"][slot], nodes[target]["inputs"][place]
        assert link in output["links"] and entry["link"] == link
        assert output["type"] == kind and kind in entry["type"].split(",")
        assert nodes[source]["order"] < nodes[target]["order"]
        assert nodes[source]["pos"][0] <= nodes[target]["pos"][0], "wires run from left to right"
    notes = [node for node in nodes.values() if node["type"] == "MarkdownNote"]
    assert len(notes) == 1 and document["groups"]
    for node in nodes.values():
        schema = catalog.get(node["type"])
        if schema is None:
            assert node in notes
            continue
        entries = sorted(schema.inputs.values(), key=lambda entry: entry.is_widget)
        slots = [slot["name"] for slot in node["inputs"] if slot["name"] != "upload"]
        assert slots == [entry.name for entry in entries]
        widgets = sum(entry.is_widget for entry in entries) + schema.has_upload
        assert len(node["widgets_values"]) == widgets
        assert [output["type"] for output in node["outputs"]] == list(schema.outputs)


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_read(name: str) -> None:
    """No node covers another, no group another; every node but the note stands within one group."""
    document = json.loads((EXAMPLES / f"{name}.json").read_text())
    nodes = [(node["type"], *box(node["pos"], node["size"], TITLE_PX)) for node in document["nodes"]]
    groups = [("group", *box(group["bounding"][:2], group["bounding"][2:])) for group in document["groups"]]
    for boxes in (nodes, groups):
        assert not [pair for pair in itertools.combinations(boxes, 2) if cover(*pair)]
    for node in nodes:
        assert sum(within(node, group) for group in groups) == (node[0] != "MarkdownNote")


def box(pos: list[float], size: list[float], above: int = 0) -> tuple[float, float, float, float]:
    """Left, top, right and bottom; what is drawn above a node's position is its title."""
    return pos[0], pos[1] - above, pos[0] + size[0], pos[1] + size[1]


def cover(one: tuple, other: tuple) -> bool:
    (_, left, top, right, bottom), (_, left_2, top_2, right_2, bottom_2) = one, other
    return left < right_2 and left_2 < right and top < bottom_2 and top_2 < bottom


def within(one: tuple, other: tuple) -> bool:
    (_, left, top, right, bottom), (_, left_2, top_2, right_2, bottom_2) = one, other
    return left_2 <= left and right <= right_2 and top_2 <= top and bottom <= bottom_2


@pytest.mark.parametrize("name", NAMES)
def test_the_template_browser_has_a_picture_of_it(name: str) -> None:
    file = EXAMPLES / f"{name}.jpg"  # ComfyUI shows no .png there
    with Image.open(file) as picture:
        assert picture.format == "JPEG" and min(picture.size) >= 200 and file.stat().st_size < 200_000
