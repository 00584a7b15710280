"""Protects the door of the headless runner: a folder that is no pack is refused and leaves nothing behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pstyle.workflow import Runner
from pstyle.workflow.pack import Pack
from tests.workflow.pack_on_disk import make_pack

GOOD = "NODE_CLASS_MAPPINGS = {}"


def test_what_is_no_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a node pack: it has no __init__.py"):
        Runner(tmp_path, tmp_path, tmp_path)
    for number, text in enumerate(("", "NODE_CLASS_MAPPINGS = None", "NODE_CLASS_MAPPINGS = [1]")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "__init__.py").write_text(text)
        with pytest.raises(ValueError, match="has no NODE_CLASS_MAPPINGS in its __init__.py"):
            Pack(folder)


def test_a_pack_that_fails_is_named_and_may_be_mended(tmp_path: Path) -> None:
    before = set(sys.modules)
    (tmp_path / "part.py").write_text("")
    (tmp_path / "__init__.py").write_text("from . import part\n1 / 0")
    with pytest.raises(ImportError, match="cannot be imported: ZeroDivisionError: division by zero"):
        Pack(tmp_path)
    assert not [name for name in set(sys.modules) - before if str(tmp_path.name) in name]
    (tmp_path / "__init__.py").write_text(
        f"from . import part\n{GOOD}\nmended = 'yes, and longer than before'"
    )
    assert Pack(tmp_path).module.mended


def test_a_pack_is_loaded_once_and_core_nodes_win(tmp_path: Path) -> None:
    root = make_pack(tmp_path / "pack")
    first, second = Pack(root), Pack(str(root))
    assert first.module is second.module and first.classes["Add"] is second.classes["Add"]
    assert first.classes["SaveImage"] is not first.module.NODE_CLASS_MAPPINGS["SaveImage"]
