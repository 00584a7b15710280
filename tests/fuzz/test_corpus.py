"""Protects what a fuzzer has found, and the targets it searches with: every kept file does what it must."""

from __future__ import annotations

from pathlib import Path

import pytest

from pstyle.style import style
from pstyle.workflow import core_nodes
from tests.fuzz.targets import CORPUS, TARGETS

ACCEPTED = {  # the seeds that a search starts from; all other files are refused
    "style": {"plain.safetensors"},
    "texts": {"full.json", "plain.json"},
    "workflow": {"drawn.json", "editor.json", "lists.json", "picture.json"},
}


@pytest.mark.parametrize("name", TARGETS)
def test_every_kept_file_does_what_it_must(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(style, "outline", style.outline)  # a target changes both, here until the test ends
    monkeypatch.setattr(core_nodes, "MAX_PIXELS", core_nodes.MAX_PIXELS)
    target = TARGETS[name](tmp_path)
    files = sorted((CORPUS / name).iterdir())
    accepted = {file.name for file in files if target(file.read_bytes())}
    print(f"target={name} files={len(files)} accepted={len(accepted)}")  # noqa: T201
    assert accepted == ACCEPTED[name]
    assert not target(b"") and not target(b"\xff" * 64)
    assert sum(file.stat().st_size for file in files) < 64_000


def test_a_target_sees_what_it_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style, "outline", style.outline)
    target, data = TARGETS["style"](tmp_path), (CORPUS / "style" / "plain.safetensors").read_bytes()
    monkeypatch.setattr(style, "load_style", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        target(data)
