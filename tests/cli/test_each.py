"""Protects the loop over pictures: one that cannot be read is told at the end and stops no other."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from pstyle.cli.each import write_each

FILES = [Path("a/x.png"), Path("b/x.png"), Path("y.png")]


def test_each_is_written_and_the_unreadable_are_counted(tmp_path: Path, capsys) -> None:
    def write(file: Path, target: Path, number: int) -> None:
        if number != 1:
            raise ValueError("no picture")
        target.write_text(str(file))

    arguments = Namespace(output=str(tmp_path / "out"), overwrite=False)
    with pytest.raises(ValueError, match=r"^x.png: no picture \(2 of 3 pictures were not drawn\)$"):
        write_each(FILES, arguments, "drawing", "drawn", write, ".jpg")
    assert capsys.readouterr().out == f"{tmp_path / 'out' / 'x_2.jpg'}\n"
    assert [path.read_text() for path in (tmp_path / "out").iterdir()] == [str(FILES[1])]


def test_nothing_begins_where_a_file_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "y.png").write_text("mine")
    arguments = Namespace(output=str(tmp_path), overwrite=False)
    with pytest.raises(ValueError, match="y.png' exists already"):
        write_each(FILES, arguments, "drawing", "drawn", lambda file, target, number: target.write_text(""))
    assert [path.name for path in tmp_path.iterdir()] == ["y.png"]
