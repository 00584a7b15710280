"""A throw-away pack of dummy nodes, and workflows over them in both of ComfyUI's formats."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

from pstyle.workflow import BadWorkflow, Problem, Runner

DOOR = """
WEB_DIRECTORY = "./web"

if __package__:
    from .dummy import NODE_CLASS_MAPPINGS
"""

CONTROLLED = [8, 7, "randomize", "red", 0.25, True]  # the seed's control entry sits behind the seed
# The same workflow in both formats.
PICTURE = {
    "1": ("Color", {"width": 8, "seed": 7, "tint": "red", "level": 0.25, "flip": True}),
    "2": ("Color", {"width": 8, "seed": 8, "tint": "gray"}),
    "3": ("Mix", {"first": ("1", 0), "second": ("2", 0), "share": 0.5}),
    "4": ("SaveImage", {"images": ("3", 0), "filename_prefix": "sub/mix"}),
}
DRAWN = {
    1: ("Color", CONTROLLED, {}),
    2: ("Color", [8, 8, "fixed", "gray", 0.5, False], {}),
    3: ("Mix", [0.5], {"first": (1, 0, "IMAGE"), "second": (2, 0, "IMAGE")}, "the mix"),
    4: ("SaveImage", ["sub/mix"], {"images": (3, 0, "IMAGE")}),
}


def make_pack(root: Path) -> Path:
    """Write the pack, with its own copies of the library's `folders` and `device` as a real pack has."""
    here = Path(__file__).resolve().parent
    (root / "pstyle" / "core").mkdir(parents=True)
    for name in ("__init__.py", "core/__init__.py"):
        (root / "pstyle" / name).write_text("")
    for name in ("core/folders.py", "core/device.py"):
        (root / "pstyle" / name).write_text((here.parents[1] / "pstyle" / name).read_text())
    (root / "__init__.py").write_text(DOOR)
    (root / "dummy.py").write_text((here / "nodes_on_disk.py").read_text())
    return root


def dummy_of(runner: Runner) -> ModuleType:
    """The module with the dummy nodes: CALLS records what ran, CHANGE["value"] is what IS_CHANGED gives."""
    return sys.modules[f"{runner.pack.module.__name__}.dummy"]


def ran(runner: Runner, class_type: str) -> int:
    """How many times nodes of this class ran since the runner was opened."""
    return sum(name == class_type for name, _ in dummy_of(runner).CALLS)


def open_runner(pack: Path, folder: Path) -> Runner:
    """A runner on folders below `folder`, with nothing recorded yet."""
    (folder / "in").mkdir()
    runner = Runner(pack, folder / "in", folder / "out", folder / "models")
    dummy_of(runner).CALLS.clear()
    dummy_of(runner).CHANGE["value"] = 0
    return runner


def problems(runner: Runner, workflow: Any) -> list[Problem]:
    """What the runner says against a workflow; its message must hold all of it."""
    with pytest.raises(BadWorkflow) as caught:
        runner.run(workflow)
    assert all(str(problem) in str(caught.value) for problem in caught.value.problems[:50])
    return caught.value.problems


def tree(folder: Path) -> set[str]:
    """Every path below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def texts(path: Path) -> dict[str, Any]:
    """What a PNG carries, by the names of its text chunks."""
    with Image.open(path) as picture:
        return {key: json.loads(text) for key, text in picture.text.items()}


def api(nodes: dict[str, tuple]) -> dict[str, Any]:
    """API format from {id: (class, {input: value or (node, output)})}."""
    return {
        key: {
            "class_type": class_type,
            "inputs": {k: list(v) if isinstance(v, tuple) else v for k, v in inputs.items()},
        }
        for key, (class_type, inputs) in nodes.items()
    }


def editor(nodes: dict[int, tuple], modes: dict[int, int] | None = None) -> dict[str, Any]:
    """Editor format from {id: (class, widgets_values, {input: (node, output, type)}, title?)}."""
    links: list[list[Any]] = []
    stored = []
    for key, (class_type, widgets, wires, *title) in nodes.items():
        inputs = []
        for name, wire in wires.items():
            if wire is not None:
                links.append([len(links) + 1, wire[0], wire[1], key, len(inputs), wire[2]])
            link = None if wire is None else len(links)
            inputs.append({"name": name, "type": wire[2] if wire else "IMAGE", "link": link})
        node = {"id": key, "type": class_type, "mode": (modes or {}).get(key, 0), "inputs": inputs,
                "outputs": [], "widgets_values": widgets}  # fmt: skip
        stored.append(node | ({"title": title[0]} if title else {}))
    return {"last_node_id": max(nodes), "nodes": stored, "links": links, "version": 0.4}
