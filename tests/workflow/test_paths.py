"""Protects the user's disk: whatever a workflow asks for, no file outside the folders is touched."""

from __future__ import annotations

import json
import os
import random
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pstyle.workflow import BadWorkflow, NodeFailed, Runner
from pstyle.workflow.paths import confined, save_place
from tests.workflow.pack_on_disk import api, editor, problems, tree


@pytest.fixture
def runner(runner: Runner, tmp_path: Path) -> Runner:
    """With two pictures among the inputs."""
    (tmp_path / "in" / "album").mkdir()
    for name in ("a.png", "album/b.png"):
        Image.new("RGB", (4, 3), (1, 2, 3)).save(tmp_path / "in" / name)
    return runner


# --- names of files

HOSTILE = [
    "", ".", "..", "/", "/etc/passwd", "../x", "a/../../x", "sub/..", "..\\x",
    "\\\\host\\share", "C:/x", "C:x", "a\0b", "a\nb",
    "\x1b[31m", "link/x", "deep/link/x", "x" * 300, "\ud800", "a/" * 3000 + "x",
]  # fmt: skip
FRIENDLY = [
    "a",
    "ComfyUI",
    "sub/a",
    "sub/deeper/a",
    "a b",
    "a.b",
    "..a",
    "a..",
    "sub//a",
    "./a",
    "sub/",
    "ä/日本",
    "%x%",
    "link2/a",
]


def links_out(folder: Path, outside: Path) -> None:
    """Links in the folder: two that lead out, one that stays."""
    outside.mkdir(exist_ok=True)
    (folder / "deep").mkdir(parents=True, exist_ok=True)
    (folder / "inside").mkdir()
    for link, target in (("link", outside), ("deep/link", outside), ("link2", folder / "inside")):
        (folder / link).symlink_to(target)


@pytest.mark.parametrize("prefix", HOSTILE)
def test_hostile_prefixes_write_nothing(
    runner: Runner, tmp_path: Path, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    links_out(tmp_path / "out", tmp_path / "outside")
    nodes = {"1": ("LoadImage", {"image": "a.png"}),
             "2": ("SaveImage", {"images": ("1", 0), "filename_prefix": prefix})}  # fmt: skip
    before = tree(tmp_path)
    found = problems(runner, api(nodes))
    assert [(p.kind, p.node, p.input) for p in found] == [
        ("custom_validation_failed", "2", "filename_prefix")
    ]
    nodes["2"][1]["filename_prefix"] = ("3", 0)  # by wire it comes past the checks
    nodes["3"] = ("Hidden", {})
    monkeypatch.setattr(runner.pack.classes["Hidden"], "run", lambda self, **_: (prefix,))
    with pytest.raises(NodeFailed, match="filename_prefix|refused as a name"):
        runner.run(api(nodes))
    assert tree(tmp_path) == before


@pytest.mark.parametrize("prefix", FRIENDLY)
def test_friendly_prefixes_stay_inside_and_never_overwrite(
    runner: Runner, tmp_path: Path, prefix: str
) -> None:
    links_out(tmp_path / "out", tmp_path / "outside")
    before = tree(tmp_path)
    for shade in (10, 20):
        Image.new("RGB", (4, 3), (shade, 0, 0)).save(tmp_path / "in" / "a.png")
        nodes = {"1": ("LoadImage", {"image": "a.png"}),
                 "2": ("SaveImage", {"images": ("1", 0), "filename_prefix": prefix})}  # fmt: skip
        saved = runner.run(api(nodes)).saved
        assert saved[0].name.endswith(f"_{shade // 10:05}_.png")
        with Image.open(saved[0]) as picture:
            assert picture.getpixel((0, 0)) == (shade, 0, 0)
    new = {name for name in tree(tmp_path) - before if (tmp_path / name).is_file()}
    assert len(new) == 2 and all(name.startswith("out/") for name in new)


@pytest.mark.parametrize("name", [*HOSTILE, "missing.png", "album", "../in/a.png", "pipe", "a.png [temp]"])
def test_hostile_input_names_are_refused(runner: Runner, tmp_path: Path, name: str) -> None:
    links_out(tmp_path / "in", tmp_path / "outside")
    os.mkfifo(tmp_path / "in" / "pipe")
    Image.new("RGB", (4, 3)).save(tmp_path / "outside" / "x", "PNG")
    for loader in ("LoadImage", "LoadImageMask"):
        inputs = {"image": name} | ({"channel": "red"} if loader == "LoadImageMask" else {})
        found = problems(runner, api({"1": (loader, inputs), "2": ("Show", {"value": ("1", 0)})}))
        assert [(p.kind, p.input) for p in found] == [("custom_validation_failed", "image")]
    with (
        pytest.raises(ValueError, match="refused as a name|there is no file"),
        runner.pack.use(runner.folders),
    ):
        runner.pack.classes["LoadImage"]().load_image(name)


@pytest.mark.parametrize(
    "name", ["a.png", "album/b.png", "./a.png", "a.png [input]", "a.png[input]", "x.png [output]"]
)
def test_friendly_input_names(runner: Runner, tmp_path: Path, name: str) -> None:
    (tmp_path / "out").mkdir()
    Image.new("RGB", (4, 3), (1, 2, 3)).save(tmp_path / "out" / "x.png")
    result = runner.run(api({"1": ("LoadImage", {"image": name}), "2": ("Show", {"value": ("1", 0)})}))
    assert result.outputs["1"][0][0].shape == (1, 3, 4, 3)


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet=st.one_of(st.sampled_from("./\\ab:%\0"), st.characters()), max_size=12))
def test_any_name_is_inside_or_refused(name: str) -> None:
    folder = Path(__file__).parent
    try:
        paths = [confined(folder, name), save_place(folder, name)[0]]
    except ValueError:
        return
    assert all(path.is_relative_to(folder.resolve()) for path in paths)


# --- workflows broken at random

SEEDS = (None, True, -1, 0, 3, 2**70, 0.5, float("nan"), float("inf"), "", "7", "../../x", "\0",
         [], ["1", 0], ["1"], {}, {"__value__": [1, 2]}, [["1", 0]], "Color", "Reroute", 2, 4,
         "nodes")  # fmt: skip


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """The paths of everything inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [] if not path else [path]
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


def mutate(document: Any, chance: random.Random) -> None:
    path, seed = chance.choice(places(document)), deepcopy(chance.choice(SEEDS))
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    what = chance.randrange(4)
    if what == 0:
        del parent[path[-1]]
    elif what == 1 and isinstance(parent, list):
        parent.insert(path[-1], seed)
    elif what == 2 and isinstance(parent, dict):
        parent[chance.choice(("1", "image", "inputs", "zz", "mode", "link"))] = seed
    else:
        parent[path[-1]] = seed


@pytest.mark.parametrize("count", [500, pytest.param(5000, marks=pytest.mark.slow)])
def test_mutated_workflows_run_or_are_refused_by_name(runner: Runner, tmp_path: Path, count: int) -> None:
    chance = random.Random(0)
    drawn = editor({
        1: ("LoadImage", ["a.png", "image"], {}),
        2: ("ImageScale", ["area", 6, 4, "disabled"], {"image": (1, 0, "IMAGE")}),
        3: ("Reroute", None, {"": (2, 0, "*")}),
        4: ("Mix", [0.5], {"first": (3, 0, "IMAGE"), "second": (7, 0, "IMAGE")}),
        5: ("SaveImage", ["sub/x"], {"images": (4, 0, "IMAGE")}),
        6: ("PreviewImage", [], {"images": (3, 0, "IMAGE")}),
        7: ("Color", [6, 3, "fixed", "red", 0.5, True], {"flip": None}),
    })  # fmt: skip
    runner.run(drawn)
    prompt = json.loads(Image.open(tmp_path / "out/sub/x_00001_.png").text["prompt"])
    ran = refused = 0
    for number in range(count):
        document = json.loads(json.dumps((drawn, prompt)[number % 2]))
        for _ in range(chance.randint(1, 3)):
            mutate(document, chance)
        try:
            result = runner.run(document)
        except BadWorkflow as error:
            refused += 1
            assert error.problems and all(p.message for p in error.problems)
        except NodeFailed as error:
            refused += 1
            assert error.__cause__ is not None and error.node in str(error)
        else:
            ran += 1
            assert result.executed or result.cached
            assert all(path.is_relative_to(tmp_path / "out") for path in result.saved)
    print(f"workflows={count} ran={ran} refused={refused} other=0")  # noqa: T201
    assert ran > count // 10 and refused > 3 * count // 10
    outside = {name for name in tree(tmp_path) if not name.startswith("out/")}
    assert outside == {"in", "in/a.png", "in/album", "in/album/b.png", "out"}


def test_a_mutated_file_never_breaks_the_reader(runner: Runner, tmp_path: Path) -> None:
    chance = random.Random(1)
    original = json.dumps(api({"1": ("Add", {"a": 1, "b": 2}), "2": ("Show", {"value": ("1", 0)})})).encode()
    file = tmp_path / "x.json"
    for _ in range(300):
        data = bytearray(original)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        file.write_bytes(data)
        try:
            assert runner.run(file).outputs
        except BadWorkflow as error:
            assert error.problems
