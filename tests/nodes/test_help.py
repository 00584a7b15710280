"""Protects the help pages: one for each node, whose inputs, values and outputs are those of the class.

A page is NODE.md, and NODE/zh.md its Chinese twin; where there is none, ComfyUI shows the former.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from pstyle_pack import WEB_DIRECTORY
from pstyle_pack.nodes import NODE_CLASSES

from pstyle.workflow.schema import Input, read_schema
from tests.locales import read_twins

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / WEB_DIRECTORY / "docs"  # where ComfyUI's page looks for NODE.md
PICTURE = re.compile(r"!\[([^\]]+)\]\(([^)]+)\)")
MAX_PICTURE_BYTES = 60_000


@dataclass(frozen=True)
class Words:
    """The words of a language that pages are made of."""

    parts: tuple[str, str, str] = ("Inputs", "Outputs", "Tip")
    inputs: str = "| input | value | effect |"
    outputs: str = "| output | type | what it is |"
    stop: str = "."
    optional: str = "{}, optional"
    either: str = "{}; or {}"
    comma: str = ", "
    span: str = "{}; {} to {}"
    switch: tuple[str, str] = ("off", "on")
    any_name: str = "{}; or another name"
    listed: str = "chosen from a list"


ENGLISH = Words()
CHINESE = Words(
    ("输入", "输出", "提示"),
    "| 输入 | 取值 | 作用 |",
    "| 输出 | 类型 | 内容 |",
    "。",
    "{}，可选",
    "{}；或 {}",
    "、",
    "{}；{} 至 {}",
    ("关", "开"),
    "{}；或其他名称",
    "从列表中选择",
)
TWINS = [node for node in NODE_CLASSES if (DOCS / node.__name__ / "zh.md").is_file()]
every_node = pytest.mark.parametrize("node", NODE_CLASSES, ids=lambda node: node.__name__)
every_page = pytest.mark.parametrize(
    ("node", "words"),
    [(node, ENGLISH) for node in NODE_CLASSES] + [(node, CHINESE) for node in TWINS],
    ids=lambda value: "zh" if value is CHINESE else "en" if value is ENGLISH else value.__name__,
)


def page(node: type, words: Words = ENGLISH) -> str:
    file = DOCS / (f"{node.__name__}.md" if words is ENGLISH else f"{node.__name__}/zh.md")
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


def told(entry: Input, words: Words = ENGLISH) -> str:
    """How a page tells what an input takes: the type of a wire; default and range of a widget."""
    if not entry.is_widget:
        return str(entry.kind) if entry.required else words.optional.format(entry.kind)
    default = entry.default()
    if entry.choices is not None:
        others = words.comma.join(name for name in entry.choices if name != default)
        return words.either.format(default, others) if others else str(default or words.listed)
    if entry.kind == "BOOLEAN":
        return words.either.format(*(words.switch[::-1] if default else words.switch))
    if entry.kind == "STRING":
        return words.any_name.format(default)
    return words.span.format(default, entry.options["min"], entry.options["max"])


def name_of(cell: str) -> str:
    """The name in a table's first cell; in a twin what the page calls it follows."""
    return cell.split("`")[1]


@every_page
def test_a_page_has_its_parts(node: type, words: Words) -> None:
    found = sections(page(node, words))
    title = node.TITLE if words is ENGLISH else read_twins()[node.TITLE]
    assert [*found] == [title, *words.parts]
    assert len(found[title][0].encode()) >= 100 and len(" ".join(found[words.parts[2]]).encode()) >= 50
    heads = [found[part][0] for part in words.parts[:2]]
    assert heads == [words.inputs, words.outputs]


@every_page
def test_a_page_tells_every_input_as_it_is(node: type, words: Words) -> None:
    entries = read_schema(node).inputs.values()
    table = rows(sections(page(node, words))[words.parts[0]])
    found = [(name_of(cell), value) for cell, value, _ in table]
    wanted = [(entry.name, told(entry, words)) for entry in entries]
    assert found == wanted, f"the table of inputs in the help pages of {node.__name__} is no longer true"
    assert all(len(effect.encode()) >= 10 and effect.endswith(words.stop) for *_, effect in table)


@every_page
def test_a_page_tells_every_output_as_it_is(node: type, words: Words) -> None:
    outputs = [*zip(node.RETURN_NAMES, read_schema(node).outputs, strict=True)]
    table = rows(sections(page(node, words))[words.parts[1]])
    assert [(name_of(cell), kind) for cell, kind, _ in table] == outputs
    assert all(what.endswith(words.stop) for *_, what in table)


@pytest.mark.parametrize("node", TWINS, ids=lambda node: node.__name__)
def test_a_twin_speaks_as_the_node_does_and_shows_the_same(node: type) -> None:
    text, twins = page(node, CHINESE), read_twins()
    tooltips = [entry.options["tooltip"] for entry in read_schema(node).inputs.values()]
    tables = [rows(sections(text)[part]) for part in CHINESE.parts[:2]]
    for table, sentences in zip(tables, (tooltips, node.OUTPUT_TOOLTIPS), strict=True):
        assert [cell for cell, *_ in table] == [
            f"`{name}` {twins[name]}" for name in (name_of(cell) for cell, *_ in table)
        ]
        assert [said for *_, said in table] == [twins[sentence] for sentence in sentences]
    assert [name for _, name in PICTURE.findall(text)] == [name for _, name in PICTURE.findall(page(node))]
    assert {*re.findall("“([^”]+)”", text)} <= {*twins.values()} | {"加载图像", "保存图像", "预览任意"}


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
    names = {node.__name__ for node in NODE_CLASSES}
    assert {path.stem for path in DOCS.glob("*.md")} == names
    assert {path.name for path in DOCS.iterdir() if path.is_dir()} <= names
    assert {path.name for path in DOCS.glob("*/*")} <= {"zh.md"}


def test_a_missing_page_is_asked_for() -> None:
    with pytest.raises(AssertionError, match="write a help page web/docs/PStyleNew.md"):
        page(type("PStyleNew", (), {}))


def test_pictures_are_small_and_each_is_shown() -> None:
    """The page looks for pictures beside NODE.md; a scheme or another folder would leave the pack."""
    pages = {f"{node.__name__}.md" for node in NODE_CLASSES}
    shown = [found for node in NODE_CLASSES for found in PICTURE.findall(page(node))]
    assert {name for _, name in shown} == {path.name for path in DOCS.iterdir() if path.suffix} - pages
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
