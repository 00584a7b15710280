"""Protects the page: our extensions send, fetch and run nothing, and touch no node but ours."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pstyle_pack.nodes.preview import KEY

FOLDER = Path(__file__).resolve().parents[1] / "web"
SCRIPTS = sorted(FOLDER.rglob("*.js"))
ALLOWED = {"../../../scripts/app.js", "../../../scripts/api.js"}
RUNS = (r"\beval\b", r"\bFunction\s*\(", r"\bimport\s*\(", "innerHTML", "outerHTML", "insertAdjacent")
SENDS = (r"\bfetch", "XMLHttpRequest", "WebSocket", "EventSource", "sendBeacon", r"https?:", r"['\"]//")
REACHES = (
    "localStorage",
    "cookie",
    r"\bwindow\.",
    "globalThis",
    "LGraphCanvas",
    "LiteGraph",
    r"document\.write",
)


def told(source: str) -> list[str]:
    """What a script does that none of ours may."""
    code = re.sub(r"^\s*//.*|\s// .*", "", source, flags=re.MULTILINE)
    found = [pattern for pattern in (*RUNS, *SENDS, *REACHES) if re.search(pattern, code)]
    imported = re.findall(r"^import .* from '(.+)'", code, re.MULTILINE)
    found += [name for name in imported if name not in ALLOWED]
    if code.count("app.registerExtension(") != 1 or "startsWith('PStyle')" not in code:
        found.append("not one extension of our own nodes")
    return found


def test_the_scripts_are_there() -> None:
    assert "before_after.js" in [path.name for path in SCRIPTS]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_small_and_keeps_to_itself(path: Path) -> None:
    source = path.read_text()
    assert told(source) == [] and len(source.splitlines()) < 150


@pytest.mark.parametrize(
    "line",
    [
        *("fetch('/x')", "eval(text)", "window.app = 1", "box.innerHTML = text", "app.registerExtension({})"),
        *(
            "import x from 'https://a.b/c.js'",
            "import { x } from './more.js'",
            "LGraphCanvas.prototype.draw = f",
        ),
    ],
)
def test_what_it_may_not_do_is_seen(line: str) -> None:
    source = (FOLDER / "js" / "before_after.js").read_text()
    assert told(source) == [] != told(f"{source}\n{line}\n")


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_an_ecmascript_module(path: Path, tmp_path: Path) -> None:
    module = tmp_path / f"{path.stem}.mjs"
    module.write_text(path.read_text())
    done = subprocess.run(["node", "--check", module], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_page_and_node_use_one_name() -> None:
    assert f"'{KEY}'" in (FOLDER / "js" / "before_after.js").read_text()
