"""Protects the door: ComfyUI finds the nodes in a folder of any name, and tests see one copy of pstyle."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pstyle

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ("__init__.py", "nodes", "pstyle", "web", "locales", "weights")
OPTIONAL = ("torchvision", "av", "pyvips", "ray", "scipy", "skimage", "lpips")
MAPPINGS = ("NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS")

# What ComfyUI's load_custom_node does, told apart into the host's share (torch and friends) and ours.
HOST = """
import importlib.util, json, os, sys, time
import numpy, PIL.Image, safetensors.torch, torch, tqdm
path, *absent = sys.argv[1:]
sys.modules.update(dict.fromkeys(absent))  # each import of those fails
name = path.replace(".", "_x_")
spec = importlib.util.spec_from_file_location(name, os.path.join(path, "__init__.py"))
module = importlib.util.module_from_spec(spec)
sys.modules[name] = module
start, before = time.perf_counter(), set(sys.modules)
with torch.inference_mode():
    spec.loader.exec_module(module)
    assert getattr(module, "NODE_CLASS_MAPPINGS", None) is not None
    assert not hasattr(module, "comfy_entrypoint")
seconds = time.perf_counter() - start
new = set(sys.modules) - before
json.dump({
    "seconds": seconds, "name": name, "web": module.WEB_DIRECTORY,
    "ids": sorted(module.NODE_CLASS_MAPPINGS), "titles": sorted(module.NODE_DISPLAY_NAME_MAPPINGS),
    "ours": sorted(m for m in new if m.startswith(name)),
    "others": sorted(m for m in new if not m.startswith(name)),
}, sys.stdout)
"""


def open_door(pack: Path, absent: tuple[str, ...]) -> dict:
    command = [sys.executable, "-c", HOST, str(pack), *absent]
    settings = {"cwd": pack.parent, "env": {**os.environ, "OMP_NUM_THREADS": "1"}, "timeout": 60}
    done = subprocess.run(command, capture_output=True, text=True, **settings)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module", params=["ComfyUI-pstyle v0.1", "nodes"])
def door(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """A copy of the pack, opened in a folder with a hyphen, a space and a dot, and in one that clashes, there
    by a Python that has only what the host itself needs.
    """
    folder = tmp_path_factory.mktemp("custom nodes-x.y") / request.param
    folder.mkdir()
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.is_file():
            shutil.copy(source, folder / name)
    return open_door(folder, OPTIONAL if request.param == "nodes" else ())


def test_the_host_finds_the_nodes_in_any_folder(door: dict, record_property) -> None:
    record_property("import_seconds", door["seconds"])  # for --junit-xml: a busy machine fails no test
    assert door["ids"] == door["titles"] == sorted(importlib.import_module("pstyle_pack").NODE_CLASS_MAPPINGS)
    assert door["web"] == "./web"
    assert f"{door['name']}.nodes" in door["ours"]


def test_the_door_pulls_in_nothing_heavy_and_nothing_by_its_bare_name(door: dict) -> None:
    others = {module.split(".")[0] for module in door["others"]}
    assert not others & {"torchvision", "scipy", "skimage", "comfy", "pytest"}
    assert not others & {"pstyle", "nodes"}  # ComfyUI has a `nodes` of its own


def test_pytest_made_no_copy_of_the_nodes_or_the_library() -> None:
    """pytest imports the checkout's root as a package, named after the folder; that must load nothing."""
    copies = {f"{ROOT.name}.nodes", f"{ROOT.name}.pstyle"}
    assert not copies & set(sys.modules)


def test_the_door_names_nothing_else() -> None:
    door = importlib.import_module("pstyle_pack")
    assert sorted(door.__all__) == sorted((*MAPPINGS, "WEB_DIRECTORY"))
    with pytest.raises(AttributeError, match="comfy_entrypoint"):
        _ = door.comfy_entrypoint


def test_nodes_and_tests_share_one_library() -> None:
    shared = importlib.import_module("pstyle_pack.pstyle")
    assert shared is pstyle
    assert importlib.import_module("pstyle_pack.pstyle.core.shipped_weights") is importlib.import_module(
        "pstyle.core.shipped_weights"
    )
    assert pstyle.__spec__.name == "pstyle"
