"""Protects the map of the code: docs/architecture.md names every file, and no other, with its imports."""

from __future__ import annotations

import re
from pathlib import Path

from tests.test_static import MAY_IMPORT

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
TREE = PAGE.partition("## The tree")[2].partition("```\n")[2].partition("```")[0]


def drawn_files() -> list[str]:
    """The files of the drawn tree, by their paths: two spaces of indentation are a folder."""
    found: list[str] = []
    folders: list[str] = []
    for line in TREE.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        if folder := re.match(r"\s*(\w+)/", line):
            folders = [*folders[:depth], folder[1]]
        elif line[2 * depth :][:1].isalnum() and ".py" in line:
            names = re.match(r"\s*((?:\w+\.py(?:, )?)+)", line)
            found += ["/".join([*folders[:depth], name]) for name in re.findall(r"\w+\.py", names[1])]
    return found


def test_the_tree_is_the_tree() -> None:
    files = [
        path.relative_to(ROOT).as_posix()
        for folder in ("pstyle", "nodes")
        for path in (ROOT / folder).rglob("*.py")
        if not path.name.startswith("__")
    ]
    assert sorted(drawn_files()) == sorted(files)


def test_a_missing_file_would_be_seen() -> None:
    assert "pstyle/restoration/damage/marks.py" in drawn_files() and "pstyle/cli/taste.py" in drawn_files()


def test_the_table_of_wings_says_what_the_static_test_enforces() -> None:
    rows = re.findall(r"^\| `(\w+)/` \| [^|]+ \| ([^|]+) \|$", PAGE, re.M)
    listed = {wing: set() if may == "nothing" else set(may.split(", ")) for wing, may in rows}
    assert listed.pop("cli") == {"every wing"}
    assert listed == {wing: others for wing, others in MAY_IMPORT.items() if "*" not in others}


def test_a_wing_may_import_only_wings_above_it_in_the_table() -> None:
    order = re.findall(r"^\| `(\w+)/` \|", PAGE, re.M)
    for wing, others in MAY_IMPORT.items():
        if wing in order and "*" not in others:
            assert all(order.index(other) < order.index(wing) for other in others), wing


def test_every_question_is_answered_by_a_file() -> None:
    answers = re.findall(r"^\| [^|]+\? \| `([^`]+)` \|$", PAGE, re.M)
    assert len(answers) >= 10
    assert [answer for answer in answers if not (ROOT / answer).is_file()] == []
