"""Protects the help pages: one for each node, whose inputs, values and outputs are those of the class."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from pstyle_pack import WEB_DIRECTORY
from pstyle_pack.nodes import NODE_CLASSES

from pstyle.workflow.schema import Input, read_schema

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / WEB_DIRECTORY / "docs"  # where ComfyUI's page looks for NODE.md
PICTURE = re.compile(r"!\[([^\]]+)\]\(([^)]+)\)")
MAX_PICTURE_BYTES = 60_000
TABLES = {
    "Inputs": ["| input | value | effect |", "|---|---|---|"],
    "Outputs": ["| output | type | what it is |", "|---|---|---|"],
}
every_node = pytest.mark.parametrize("node", NODE_CLASSES, ids=lambda node: node.__name__)


def page(node: type) -> str:
    file = DOCS / f"{node.__name__}.md"
    assert file.is_file(), f"write a help page {file.relative_to(ROOT)}: look at the one of PStyleBlend"
    return file.read_text(encoding="utf-8")


def sections(text: str) -> dict[str, list[str]]:
    """The lines that are not empty, by heading."""
    found: dict[str, list[str]] = {}
    for line in filter(None, text.splitlines()):
        if line.startswith("#"):
            lines = found.setdefault(line.lstrip("# "), [])
        else:
            lines.append(line)
    return found


def rows(lines: list[str]) -> list[list[str]]:
    """The cells of a table's rows, without its head."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def told(entry: Input) -> str:
    """How a page tells what an input takes: the type of a wire; default and range of a widget."""
    if not entry.is_widget:
        return str(entry.kind) if entry.required else f"{entry.kind}, optional"
    if entry.choices is not None:
        default, others = entry.default(), [name for name in entry.choices if name != entry.default()]
        return f"{default}; or {', '.join(others)}" if others else str(default or "chosen from a list")
    if entry.kind == "BOOLEAN":
        return "on; or off" if entry.default() else "off; or on"
    if entry.kind == "STRING":
        return f"{entry.default()}; or another name"
    return f"{entry.default()}; {entry.options['min']} to {entry.options['max']}"


@every_node
def test_a_page_has_its_parts(node: type) -> None:
    found = sections(page(node))
    assert [*found] == [node.TITLE, "Inputs", "Outputs", "Tip"]
    assert len(found[node.TITLE][0]) >= 100 and len(" ".join(found["Tip"])) >= 50
    for name, head in TABLES.items():
        assert found[name][:2] == head


@every_node
def test_a_page_tells_every_input_as_it_is(node: type) -> None:
    entries = read_schema(node).inputs.values()
    table = rows(sections(page(node))["Inputs"])
    assert [row[:2] for row in table] == [[f"`{entry.name}`", told(entry)] for entry in entries]
    assert all(len(row) == 3 and len(row[2]) >= 10 and row[2].endswith(".") for row in table)


@every_node
def test_a_page_tells_every_output_as_it_is(node: type) -> None:
    outputs = zip(node.RETURN_NAMES, read_schema(node).outputs, strict=True)
    table = rows(sections(page(node))["Outputs"])
    assert [row[:2] for row in table] == [[f"`{name}`", kind] for name, kind in outputs]
    assert all(len(row) == 3 and row[2].endswith(".") for row in table)


@every_node
def test_a_page_names_only_inputs_outputs_and_nodes_that_exist(node: type) -> None:
    """What stands in backticks alone, such as `size_px`, and what is set in italics like *Load Image*."""
    entries = read_schema(node).inputs.values()
    choices = {choice for entry in entries for choice in entry.choices or []}
    known = {entry.name for entry in entries} | {*node.RETURN_NAMES} | choices
    text = page(node)
    assert {word for word in re.findall(r"`([a-z0-9]+_[a-z0-9_]+)`", text)} <= known | {"vgg19_imagenet"}
    titles = {other.TITLE for other in NODE_CLASSES} | {"Load Image", "Save Image", "Preview Any"}
    named = {name for name in re.findall(r"(?<!\*)\*([A-Z][^*]+)\*", text) if not name.endswith(".")}
    assert named <= titles


def test_no_page_is_left_of_a_node_that_is_gone() -> None:
    assert {path.stem for path in DOCS.rglob("*.md")} == {node.__name__ for node in NODE_CLASSES}


def test_a_missing_page_is_asked_for() -> None:
    with pytest.raises(AssertionError, match="write a help page web/docs/PStyleNew.md"):
        page(type("PStyleNew", (), {}))


def test_pictures_are_small_and_each_is_shown() -> None:
    """The page looks for pictures beside NODE.md; a scheme or another folder would leave the pack."""
    shown = [found for node in NODE_CLASSES for found in PICTURE.findall(page(node))]
    assert {name for _, name in shown} == {path.name for path in DOCS.iterdir() if path.suffix != ".md"}
    for what, name in shown:
        file = DOCS / name
        with Image.open(file) as picture:
            assert picture.format == "JPEG" and max(picture.size) <= 640 and len(what) >= 10
        assert file.stat().st_size < MAX_PICTURE_BYTES


@pytest.mark.parametrize(
    ("kind", "options", "required", "words"),
    [
        ("IMAGE", {}, True, "IMAGE"),
        ("MASK", {}, False, "MASK, optional"),
        ("FLOAT", {"default": 1.0, "min": 0.0, "max": 1.5}, True, "1.0; 0.0 to 1.5"),
        ("INT", {"default": 768, "min": 0, "max": 8192}, False, "768; 0 to 8192"),
        ("BOOLEAN", {"default": False}, True, "off; or on"),
        ("STRING", {"default": "my_style"}, True, "my_style; or another name"),
        (["auto", "always", "never"], {"default": "always"}, True, "always; or auto, never"),
        (["shipped"], {"default": "shipped"}, True, "shipped"),
        ([], {}, True, "chosen from a list"),
    ],
)
def test_values_are_told_in_words(kind: object, options: dict, required: bool, words: str) -> None:
    assert told(Input("name", kind, options, required)) == words
