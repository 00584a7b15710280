"""Protects the pages: links lead on, commands and imports exist, the Chinese README is up to date."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from importlib import import_module
from pathlib import Path

import pytest
import torch

from pstyle import cli, open_image, save_image, save_style
from tests.tiny_networks import random_style, ship, write_networks

ROOT = Path(__file__).resolve().parents[1]
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh.md"
PAGES = [ENGLISH, CHINESE, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
STAMP = re.compile(r"^<!-- made for README\.md (\w{16}) -->$", re.MULTILINE)
COMMAND = re.compile(r"^(?:torchrun .+ -m )?pstyle ([a-z][a-z0-9-]+)(.*)$", re.MULTILINE)
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
languages = pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=["en", "zh"])


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return BLOCK.sub("", read(page))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    plain = [re.sub(r"[^\w\s-]", "", title).strip().lower() for _, title in HEADING.findall(prose(page))]
    return {title.replace(" ", "-") for title in plain}


def shape(page: Path) -> list[str]:
    """Depths of headings, columns of tables and bullets, in order."""
    return re.findall(r"^(#+|\*|\|[-|]+)(?= |$)", prose(page), re.MULTILINE)


def commands(page: Path) -> list[tuple[str, str]]:
    """Commands of `pstyle` that a page shows in blocks, each with the rest of its line."""
    blocks = [body for language, body in BLOCK.findall(read(page)) if language == ""]
    return [found for body in blocks for found in COMMAND.findall(body)]


def test_the_chinese_page_was_made_for_the_present_english_one() -> None:
    digest = hashlib.sha256(ENGLISH.read_bytes()).hexdigest()[:16]
    fault = f"README.md has changed: update the translation in README.zh.md, then its last line to {digest}"
    assert STAMP.findall(read(CHINESE)) == [digest], fault


def test_both_languages_have_the_same_parts() -> None:
    assert shape(CHINESE) == shape(ENGLISH)
    assert BLOCK.findall(read(CHINESE)) == BLOCK.findall(read(ENGLISH))


def test_both_languages_have_the_same_links() -> None:
    own = {"README.md", "README.zh.md"}
    assert {*LINK.findall(read(CHINESE))} - own == {*LINK.findall(read(ENGLISH))} - own


@pages
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if not link.startswith("http"):
            name, _, anchor = link.partition("#")
            target = (page.parent / name) if name else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@pages
def test_commands_exist_with_their_flags(page: Path, capsys: pytest.CaptureFixture) -> None:
    for command, rest in commands(page):
        assert command in cli.COMMANDS, command
        assert cli.main([command, "--help"]) == 0
        offered = {*re.findall(r"--[a-z][a-z0-9-]*", capsys.readouterr().out)}
        assert {*re.findall(r"--[a-z][a-z0-9-]*", rest.split("#")[0])} <= offered, (command, rest)


@pages
def test_scripts_and_targets_exist(page: Path) -> None:
    text = read(page)
    scripts = re.findall(r"python (benchmarks/\w+\.py)", text)
    assert [name for name in scripts if not (ROOT / name).exists()] == []
    targets = re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)
    assert {*targets} <= {*re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE)}


@pages
def test_examples_import_what_exists(page: Path) -> None:
    for language, body in BLOCK.findall(read(page)):
        if language == "python" and page.name != "CONTRIBUTING.md":  # test_contributing.py runs it
            for node in ast.walk(ast.parse(body)):
                if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "pstyle":
                    module = import_module(node.module)
                    assert [name.name for name in node.names if not hasattr(module, name.name)] == []


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one of the README, beside a style file and a photograph."""
    write_networks(tmp_path)
    ship(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    save_style(tmp_path / "my_style.safetensors", random_style())
    save_image("photo.png", torch.rand(1, 3, 24, 32))
    code = next(body for language, body in BLOCK.findall(read(ENGLISH)) if language == "python")
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102
    assert open_image("painted.png").shape == (1, 3, 24, 32)


def test_modules_that_pages_name_exist() -> None:
    named = {name for page in PAGES for name in re.findall(r"`(pstyle/[\w/]+\.py)`", prose(page))}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


@languages
def test_every_example_workflow_is_named(page: Path) -> None:
    workflows = {path.stem for path in (ROOT / "example_workflows").glob("*.json")} - {"index"}
    assert {*re.findall(r"^\| `(\w+)` \|", prose(page), re.MULTILINE)} == workflows


@pytest.mark.parametrize(("page", "language"), [(ENGLISH, "en"), (CHINESE, "zh")], ids=["en", "zh"])
def test_every_node_is_named(page: Path, language: str) -> None:
    titles = json.loads(read(ROOT / "locales" / language / "nodeDefs.json"))
    cells = [line.split("|")[2] for line in prose(page).splitlines() if line.count("|") == 4]
    named = {title.strip() for cell in cells for title in re.split("[,、]", cell)}
    assert {node["display_name"] for node in titles.values()} - named == set()
