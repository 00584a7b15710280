"""Protects what only the source can show: nothing in it runs a stranger's code, and imports go one way."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): path.read_text(encoding="utf-8")
    for package in ("pstyle", "nodes")
    for path in sorted((ROOT / package).rglob("*.py"))
}

FORBIDDEN = re.compile(
    r"(eval|exec|compile|__import__|builtins|runpy|ctypes"
    r"|torch\.(load|package|serialization|jit\.load)|numpy\.load"
    r"|pickle|_pickle|cPickle|cloudpickle|jsonpickle|dill|joblib|shelve|marshal"
    r"|subprocess|multiprocessing|pty|os\.(system|popen|startfile|fork\w*|exec\w+|posix_spawn\w*|spawn\w+)"
    r"|socket|socketserver|asyncio|requests|httpx|aiohttp|ftplib|smtplib|telnetlib|webbrowser)(\..*)?"
)
NETWORK = re.compile(r"(urllib|http|ssl|torch\.hub|torch\.utils\.model_zoo)(\..*)?")
NETWORK_HOME = "pstyle.nets.pretrained"  # fetches the ImageNet VGG-19, when asked to

HOST = {"comfy", "comfy_api", "comfy_execution", "comfy_extras", "folder_paths", "latent_preview", "server"}
HOST_HOME = "nodes.host"

LIBRARIES = {"torch", "safetensors", "numpy", "PIL"}
MORE_LIBRARIES = {
    "pstyle.cli.console": {"tqdm"},
    "pstyle.restoration.damage.spots": {"scipy"},
    "pstyle.video.container": {"av"},
    "pstyle.painting.streaming": {"pyvips"},
    "pstyle.batch.cluster": {"ray"},
    "pstyle.nets.pretrained": {"torchvision"},
}

# Which wings of the library a wing may import from, beside itself; docs/architecture.md says the same.
WINGS = {
    "core": "",
    "plots": "",
    "image": "core",
    "nets": "core image",
    "losses": "core image nets",
    "style": "core nets",
    "samples": "core image",
    "painting": "core image losses nets style",
    "video": "core image nets painting style",
    "vr": "core image nets painting style",
    "taste": "core image nets plots samples style",
    "training": "core image losses nets painting samples style taste",
    "evaluation": "core image losses nets painting plots samples style taste training",
    "finetuning": "core evaluation image losses nets painting style training",
    "restoration": "core image losses nets painting samples style training",
    "batch": "core image nets painting style",
    "workflow": "core image",
    "cli": "*",
    "__main__": "*",
}
MAY_IMPORT: dict[str, set[str]] = {wing: set(others.split()) for wing, others in WINGS.items()}
TOP = ("workflow", "cli", "__main__")  # which nodes may not import


parsed = cache(ast.parse)


def imports(module: str, source: str) -> Iterator[str]:
    """Full name of everything a module imports, anywhere in it; relative ones as ".pstyle.vgg.VGG"."""
    parents = module.split(".")[:-1]
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = [node.module] if node.module else []
            if node.level:
                start = ["", *(parents[: len(parents) + 1 - node.level]), *start]
            yield from (".".join([*start, alias.name]) for alias in node.names)


def uses(source: str) -> Iterator[str]:
    """Full name of everything used that was imported or is built in, and every text in a module."""
    tree, meaning = parsed(source), {name: name for name in dir(builtins)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots = {alias.asname or alias.name.split(".")[0]: alias for alias in node.names}
            meaning |= {name: alias.name if alias.asname else name for name, alias in roots.items()}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            meaning |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if isinstance(node, ast.Name) and node.id in meaning:
            yield ".".join([meaning[node.id], *parts])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value  # as handed to getattr or import_module


def forbidden(module: str, source: str) -> set[str]:
    """What a module imports or uses that could run, send or fetch something."""
    names = {*imports(module, source), *uses(source)}
    patterns = [FORBIDDEN] if module == NETWORK_HOME else [FORBIDDEN, NETWORK]
    return {name for name in names if any(pattern.fullmatch(name) for pattern in patterns)}


def misplaced(module: str, source: str) -> set[str]:
    """Imports that go up in the house, or out of it by another door than its own."""
    return {name for name in imports(module, source) if not is_in_place(module, name)}


def is_in_place(module: str, name: str) -> bool:
    package, own = module.split(".")[:2]
    root, *rest = name.split(".")
    if root:  # not ours; ours are imported relatively, since ComfyUI knows the pack by its path
        libraries = LIBRARIES | MORE_LIBRARIES.get(module, set())
        return root in libraries or root in sys.stdlib_module_names or root in HOST and module == HOST_HOME
    if package == "nodes":
        return rest[0] == "nodes" or rest[0] == "pstyle" and rest[1] not in TOP
    return rest[0] == "pstyle" and (own == rest[1] or may_import(own, rest[1]))


def may_import(wing: str, other: str) -> bool:
    allowed = MAY_IMPORT.get(wing, set())
    return other == "__version__" or "*" in allowed or other in allowed


def test_the_sources_are_there() -> None:
    wings = {module.split(".")[1] for module in SOURCES if module.count(".") > 1}
    assert wings - {"__init__"} <= MAY_IMPORT.keys() and HOST_HOME in SOURCES


def test_no_source_can_run_send_or_fetch_anything() -> None:
    assert {module: found for module, source in SOURCES.items() if (found := forbidden(module, source))} == {}


def test_imports_go_down_the_house() -> None:
    assert {module: found for module, source in SOURCES.items() if (found := misplaced(module, source))} == {}


def dependencies(sources: dict[str, str]) -> dict[str, set[str]]:
    """For each module of the library those it imports."""
    graph: dict[str, set[str]] = {}
    for module, source in sources.items():
        found = {name.removeprefix(".") for name in imports(module, source) if name.startswith(".pstyle.")}
        modules = {name if name in sources else name.rpartition(".")[0] for name in found}
        graph[module] = (modules & sources.keys()) - {module}
    return graph


def test_no_two_modules_of_the_library_need_each_other() -> None:
    library = {module: source for module, source in SOURCES.items() if module.startswith("pstyle.")}
    graph = dependencies(library)
    order = list(TopologicalSorter(graph).static_order())
    print(f"sources={len(SOURCES)} modules={len(order)} circles=0")  # noqa: T201
    assert order.index("pstyle.core.config") < order.index("pstyle.training.learning")


def test_a_circle_is_seen() -> None:
    circle = {"pstyle.a": "from .b.c import x", "pstyle.b.c": "def f():\n    from ..a import y"}
    with pytest.raises(CycleError):
        list(TopologicalSorter(dependencies(circle)).static_order())


@pytest.mark.parametrize(
    "source",
    [
        "import torch\ntorch.load(path)",
        "import torch as t\nx = t.load",
        "from torch import load as read",
        "import torch\ntorch.hub.load_state_dict_from_url(url)",
        "getattr(torch, 'pickle')",
        "__import__('os')",
        "import pickle",
        "def f():\n    from pickle import loads",
        "import_module('pickle')",
        "exec(text)",
        "x = eval",
        "import os\nos.system('ls')",
        "from os import execv",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "import subprocess as s",
        "import urllib.request",
        "from http.client import HTTPSConnection",
        "from socket import socket",
        "import torch.utils.model_zoo",
    ],
)
def test_forbidden_sources_are_seen(source: str) -> None:
    assert forbidden("pstyle.image.reading", source)


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "import re\nre.compile('x')",
        "import safetensors.torch\nsafetensors.torch.load(data)",
        "from . import checkpoint\ncheckpoint.load(path)",
        "'never eval or pickle anything'",
        "for socket in sockets:\n    socket.name",
    ],
)
def test_innocent_sources_pass(source: str) -> None:
    assert not forbidden("pstyle.image.reading", source)


def test_a_fetched_archive_is_opened_as_checked_plain_tensors() -> None:
    wanted = {"weights_only": True, "check_hash": True}
    for node in ast.walk(ast.parse(SOURCES.get(NETWORK_HOME, ""))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("load_state_dict_from_url"):
            given = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
            assert wanted.items() <= given.items()


def test_only_one_module_may_use_the_network() -> None:
    assert not forbidden(NETWORK_HOME, "import urllib.request")
    assert forbidden(NETWORK_HOME, "import urllib.request, socket, pickle") == {"socket", "pickle"}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("pstyle.training.learning", "import comfy"),
        ("pstyle.training.learning", "import folder_paths"),
        ("pstyle.training.learning", "import nodes"),
        ("pstyle.training.learning", "from ...nodes import host"),
        ("pstyle.training.learning", "from ...nodes.wires import STYLE"),
        ("pstyle.training.learning", "from pstyle.image.reading import open_image"),
        ("pstyle.training.learning", "from ..cli import flags"),
        ("pstyle.training.learning", "import matplotlib"),
        ("pstyle.nets.vgg", "import torchvision"),
        ("pstyle.core.config", "from ..image import reading"),
        ("pstyle.image.reading", "from ..nets.vgg import VGG"),
        ("pstyle.nets.vgg", "def f():\n    from ..training.learning import learn"),
        ("pstyle.nets.generator", "from ..style.style import Style"),
        ("pstyle.workflow.run", "from ..cli import main"),
        ("nodes.learn", "import comfy.utils"),
        ("nodes.learn", "from folder_paths import get_folder_paths"),
        ("nodes.learn", "import pstyle"),
        ("nodes.learn", "from ..pstyle.cli import main"),
        ("nodes.learn", "from nodes import LoadImage"),
    ],
)
def test_misplaced_imports_are_seen(module: str, source: str) -> None:
    assert misplaced(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "pstyle.image.reading",
            "from ..core.files import BadFile\nfrom . import colors\nfrom PIL import Image\nimport math",
        ),
        (
            "pstyle.training.learning",
            "from .. import __version__\nfrom .optimize import optimize\nfrom ..style.style import Style",
        ),
        (
            "pstyle.samples.artist",
            "from ..core.config import setting\nfrom .pixel_fields import blur\nfrom . import strokes",
        ),
        (
            "pstyle.cli.console",
            "from ..workflow import run\nfrom ..style.style import Style\nimport tqdm",
        ),
        (
            "nodes.learn",
            "from ..pstyle.style.style import Style\nfrom . import host\nfrom .wires import STYLE",
        ),
        ("nodes.host", "import folder_paths\nfrom comfy.utils import ProgressBar"),
    ],
)
def test_imports_in_place_pass(module: str, source: str) -> None:
    assert not misplaced(module, source)
