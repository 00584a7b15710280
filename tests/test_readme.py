"""Protects the front pages: the Chinese one has the same parts, commands and figures, and links lead on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ENGLISH, CHINESE = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md"))
pages = pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["en", "zh"])
BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)]+)\)")
COMMAND = re.compile(r"`([^`\n]*(?:\n[^`\n]+)?)`")
FIGURE = re.compile(r"(?<![\w.])\d+\.\d+|(?<![\w.])\d+(?= (?:ms|s|KB|MB|MiB|px|%)(?![A-Za-z]))")


def figures(text: str) -> list[list[str]]:
    """The figures of each row of a table, in order."""
    rows = [line for line in BLOCK.sub("", text).splitlines() if line.startswith("|")]
    return [FIGURE.findall(line) for line in rows]


def commands(text: str) -> set[str]:
    """What is set as code in a line, such as a command, a file or an input."""
    return {" ".join(found.split()) for found in COMMAND.findall(BLOCK.sub("", text))}


def shape(text: str) -> list[str]:
    """Headings by their depth and tables by their columns, in order."""
    lines = BLOCK.sub("", text).splitlines()
    return [line.split(" ")[0] if line[0] == "#" else line for line in lines if re.match(r"#+ |\|---", line)]


def test_both_have_the_same_parts() -> None:
    assert shape(CHINESE) == shape(ENGLISH)
    assert [*map(str.strip, BLOCK.findall(CHINESE))] == [*map(str.strip, BLOCK.findall(ENGLISH))]
    assert CHINESE.count("\n* ") == ENGLISH.count("\n* ")


def test_both_tell_the_same_figures() -> None:
    assert figures(CHINESE) == figures(ENGLISH)
    prose = [sorted(FIGURE.findall(BLOCK.sub("", text))) for text in (CHINESE, ENGLISH)]
    assert prose[0] == prose[1]


def test_both_name_the_same_commands_and_files() -> None:
    assert commands(CHINESE) == commands(ENGLISH)


def test_both_link_to_the_same() -> None:
    own = {"README.md", "README.zh.md"}
    assert {*LINK.findall(CHINESE)} - own == {*LINK.findall(ENGLISH)} - own


@pages
def test_links_lead_somewhere(text: str) -> None:
    local = [link for link in LINK.findall(text) if not link.startswith("http")]
    assert [link for link in local if not (ROOT / link.split("#")[0]).exists()] == []
