"""Protects CONTRIBUTING.md: who follows its six steps has a node that passes, and a missing step is told."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("nodes", "tests", "locales", "web")  # the others are only read
STEP = re.compile(r"^\*\*(\d)\. .+?`([\w./]+\.\w+)`.*?^```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
IMPORT = r"^from \..+\n(?:    .+\n|\)\n)*"  # of one line, or of several in parentheses
CHECKS = [f"tests/nodes/test_{name}.py" for name in ("schema", "locales", "help", "contract")]
NEW_CHECK = "tests/nodes/test_mirror.py"


def steps() -> dict[int, tuple[str, str]]:
    """File and block of each step."""
    found = STEP.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    return {int(number): (file, block) for number, file, block in found}


def follow(pack: Path, number: int) -> None:
    """Do to a copy of the pack what a step says."""
    name, block = steps()[number]
    file = pack / name
    if name == "nodes/__init__.py":
        imported, listed = block.strip("\n").split("\n\n")
        before, imports, after = re.split(f"((?:{IMPORT})+)", file.read_text(), flags=re.MULTILINE)
        placed = "".join(sorted([*re.findall(IMPORT, imports, re.MULTILINE), f"{imported}\n"]))
        file.write_text(f"{before}{placed}{after}".replace("\n]\n", f"\n{listed}\n]\n", 1))
    elif name == "locales/zh.json":
        file.write_text(file.read_text("utf-8").replace("{\n", f"{{\n{block}", 1), "utf-8")
    else:
        assert not file.exists()
        file.parent.mkdir(exist_ok=True)
        file.write_text(block, "utf-8")


def run(pack: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", "-m", *arguments]
    settings = {"cwd": pack, "env": {**os.environ, "OMP_NUM_THREADS": "1"}, "timeout": 300}
    return subprocess.run(command, capture_output=True, text=True, **settings)


def check(pack: Path, *files: str) -> subprocess.CompletedProcess[str]:
    """Run tests of a copy, but those of other nodes."""
    return run(pack, "pytest", "-q", "-p", "no:cacheprovider", "-k", "not PStyle or PStyleMirror", *files)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A copy of the pack whose nodes, words and pages may be changed."""
    folder = tmp_path / "pack"
    folder.mkdir()
    for entry in ROOT.iterdir():
        if entry.name in COPIED:
            shutil.copytree(entry, folder / entry.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif not entry.name.startswith("."):
            (folder / entry.name).symlink_to(entry)
    return folder


def test_the_page_has_six_steps() -> None:
    files = [file for file, _ in steps().values()]
    assert [*steps()] == [1, 2, 3, 4, 5, 6]
    assert files[1:3] == ["nodes/__init__.py", "locales/zh.json"] and files[5] == NEW_CHECK


def test_who_follows_all_steps_passes(pack: Path) -> None:
    for number in steps():
        follow(pack, number)
    for command in (["tests.locales"], ["tests.locales", "--stamp", "PStyleMirror"], ["tests.contract"]):
        assert run(pack, *command).stderr == ""
    done = check(pack, *CHECKS, NEW_CHECK)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "PStyleMirror" in (pack / "tests" / "contract.json").read_text()
    written = [file for file, _ in steps().values() if file.endswith(".py")]
    for command in ("check", "format --check"):
        linted = run(pack, "ruff", *command.split(), "--no-cache", *written)
        assert linted.returncode == 0, linted.stdout


@pytest.mark.slow
def test_each_missing_step_is_told(pack: Path) -> None:
    """Written and listed, but neither translated, explained nor frozen."""
    follow(pack, 1)
    follow(pack, 2)
    done = check(pack, *CHECKS)
    for told in ("locales/zh.json", "write a help page web/docs/PStyleMirror.md", "python -m tests.contract"):
        assert told in done.stdout
    failed = {line.split("::")[0] for line in done.stdout.splitlines() if line.startswith("FAILED")}
    assert failed == {f"FAILED {file}" for file in CHECKS[1:]}
