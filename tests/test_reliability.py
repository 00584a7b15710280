"""Protects the page of promises: every one names tests, and every test it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "reliability.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| [A-Z]\d", line)]
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
COUNTS = {"W": 6, "R": 9, "P": 3, "I": 11, "T": 12, "H": 6, "J": 5}


@cache
def names_in(file: str) -> set[str]:
    """The names of the tests in a file below `tests/`."""
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[:5] == "test_"}


def test_no_promise_is_missing() -> None:
    found = [row.split("|")[1].strip() for row in ROWS]
    assert found == [f"{kind}{number}" for kind, most in COUNTS.items() for number in range(1, most + 1)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_a_promise_names_tests_that_exist(row: str) -> None:
    _, _, fault, promise, tests, _, _ = row.split("|")
    named = NAMED.findall(tests)
    assert fault.strip() and promise.strip() and named
    assert [name for file, name in named if name not in names_in(file)] == []


def test_every_part_of_the_page_is_checked() -> None:
    assert len(NAMED.findall(PAGE)) == sum(len(NAMED.findall(row)) for row in ROWS)
    assert "@" not in PAGE  # no figure is left to be filled in
