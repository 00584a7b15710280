"""Protects the help pages: two for each node, which name its inputs and outputs as they are.

A page is NODE.md; NODE/zh.md is its translation and ends with the fingerprint of the page it was made for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from pstyle_pack.nodes import NODE_CLASSES

from pstyle.workflow.schema import Input, read_schema
from tests import locales
from tests.locales import DOCS, MADE_FOR, ROOT, STAMP, fingerprint, read_translations, stamp_of

PICTURE = re.compile(r"!\[([^\]]+)\]\(([^)]+)\)")
MAX_PICTURE_BYTES = 60_000
NUMBER = re.compile(r"-?\d[\d.]*(?:e-?\d+)?")
CODE = re.compile("`([^`]+)`")
FOREIGN = {"Load Image", "Save Image", "Preview Any", "加载图像", "保存图像", "预览任意"}  # ComfyUI's own
FILES = {"vgg19_imagenet", "interrupted_2"}  # what else stands in backticks as inputs do


@dataclass(frozen=True)
class Language:
    """The words and signs that help pages are made of."""

    file: str = "{}.md"
    inputs: str = "Inputs"
    outputs: str = "Outputs"
    notes: str = "Notes"
    line: str = r"- \*\*(\w+)\*\*: (.+?)\. .+\."
    optional: str = ", optional"
    switch: tuple[str, str] = ("off", "on")
    node: str = r"(?<!\*)\*([A-Z][\w ]+)\*(?!\*)"


ENGLISH = Language()
CHINESE = Language(
    "{}/zh.md",
    "输入",
    "输出",
    "说明",
    r"- \*\*(\w+)\*\* .+?：(.+?)。.+。",
    "，可选",
    ("关", "开"),
    "“([^”]+)”",
)
every_node = pytest.mark.parametrize("node", NODE_CLASSES, ids=lambda node: node.__name__)
every_page = pytest.mark.parametrize(
    ("node", "language"),
    [(node, language) for node in NODE_CLASSES for language in (ENGLISH, CHINESE)],
    ids=lambda value: "zh" if value is CHINESE else "en" if value is ENGLISH else value.__name__,
)


def page(node: type, language: Language = ENGLISH) -> str:
    file = DOCS / language.file.format(node.__name__)
    assert file.is_file(), f"write a help page {file.relative_to(ROOT)}: look at the one of PStyleBlend"
    return file.read_text(encoding="utf-8")


def sections(text: str) -> dict[str, list[str]]:
    """The lines that are neither empty nor a stamp, by heading."""
    found: dict[str, list[str]] = {}
    for line in filter(None, MADE_FOR.sub("", text).splitlines()):
        if line.startswith("#"):
            lines = found.setdefault(line.lstrip("# "), [])
        else:
            lines.append(line)
    return found


def entries(lines: list[str], language: Language) -> list[tuple[str, str]]:
    """Name and value of every line `- **name**: value. Effect.`"""
    found = [re.fullmatch(language.line, line) for line in lines]
    broken = [line for line, match in zip(lines, found, strict=True) if match is None]
    assert not broken, f"write each of these as `- **name**: value. Effect.`: {broken}"
    return [(match[1], match[2]) for match in found if match]


def is_true(value: str, entry: Input, language: Language = ENGLISH) -> bool:
    """Whether a page's value is the one that an input has: type, or default, range and choices."""
    if not entry.is_widget:
        kinds = re.findall(r"[A-Z][A-Z_]+", value)
        return kinds == str(entry.kind).split(",") and value.endswith(language.optional) is not entry.required
    default = entry.default()
    if entry.choices is not None:
        named = [name for name in CODE.findall(value) if "/" not in name]
        return {*named} == {*entry.choices} and named[:1] == [*filter(None, [default])]
    if entry.kind == "BOOLEAN":
        return value == language.switch[default]
    if entry.kind == "STRING":
        return CODE.findall(value) == [default]
    numbers = [float(number) for number in NUMBER.findall(value)]
    return numbers in ([default], [default, entry.options["min"], entry.options["max"]])


@every_page
def test_a_page_begins_with_what_the_node_does(node: type, language: Language) -> None:
    found = sections(page(node, language))
    title = node.TITLE if language is ENGLISH else read_translations()[node.TITLE]
    assert [*found][:3] == [title, language.inputs, language.outputs]
    assert [*found][3:] in ([], [language.notes])
    assert len(found[title][0].encode()) >= 80
    assert "|---" not in page(node, language)  # the panel is too narrow for a table's last column


@every_page
def test_a_page_names_every_input_as_it_is(node: type, language: Language) -> None:
    inputs = read_schema(node).inputs
    found = entries(sections(page(node, language))[language.inputs], language)
    assert [name for name, _ in found] == [*inputs], "a page names every input once, in order"
    wrong = {name: value for name, value in found if not is_true(value, inputs[name], language)}
    assert wrong == {}, f"these values on the page of {node.__name__} are not those of the class"


@every_page
def test_a_page_names_every_output_as_it_is(node: type, language: Language) -> None:
    outputs = [*zip(node.RETURN_NAMES, read_schema(node).outputs, strict=True)]
    assert entries(sections(page(node, language))[language.outputs], language) == outputs


@every_page
def test_a_page_names_only_inputs_outputs_and_nodes_that_exist(node: type, language: Language) -> None:
    """What stands in backticks alone, such as `size_px`, and nodes like *Load Image* or “加载图像”."""
    text, inputs = page(node, language), read_schema(node).inputs
    known = {*inputs, *node.RETURN_NAMES} | FILES
    known |= {choice for entry in inputs.values() for choice in entry.choices or []}
    known |= {str(entry.options.get("default")) for entry in inputs.values()}
    assert {word for word in re.findall(r"`([a-z0-9]+_[a-z0-9_]+)`", text)} <= known
    titles = {other.TITLE for other in NODE_CLASSES}
    titles |= {read_translations()[title] for title in titles} | FOREIGN
    assert {*re.findall(language.node, text)} <= titles


@every_node
def test_a_chinese_page_was_made_for_the_present_english_one(node: type) -> None:
    name = node.__name__
    assert stamp_of(page(node, CHINESE)) == fingerprint(page(node)), (
        f"web/docs/{name}.md is newer than its translation: bring web/docs/{name}/zh.md up to date, "
        f"then run `{STAMP} {name}`"
    )
    assert [file for _, file in PICTURE.findall(page(node, CHINESE))] == [
        file for _, file in PICTURE.findall(page(node))
    ]


@every_node
def test_a_chinese_page_calls_inputs_and_outputs_as_the_node_does(node: type) -> None:
    found = re.findall(r"^- \*\*(\w+)\*\* (.+?)：", page(node, CHINESE), flags=re.MULTILINE)
    assert {name: label for name, label in found if read_translations()[name] != label} == {}


def test_no_page_is_left_of_a_node_that_is_gone() -> None:
    names = {node.__name__ for node in NODE_CLASSES}
    assert {path.stem for path in DOCS.glob("*.md")} == names
    assert {path.name for path in DOCS.iterdir() if path.is_dir()} == names
    assert {path.name for path in DOCS.glob("*/*")} == {"zh.md"}


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


def test_a_stamp_lasts_until_the_page_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locales, "DOCS", tmp_path)
    english, chinese = tmp_path / "PStyleNew.md", tmp_path / "PStyleNew" / "zh.md"
    chinese.parent.mkdir()
    english.write_text("# New\n")
    chinese.write_text("# 新\n", encoding="utf-8")
    assert stamp_of(chinese.read_text("utf-8")) is None
    for text in ("# New\n", "# Newer\n"):
        english.write_text(text)
        assert stamp_of(chinese.read_text("utf-8")) != fingerprint(text)
        locales.stamp(["PStyleNew"])
        assert stamp_of(chinese.read_text("utf-8")) == fingerprint(text)
    assert re.fullmatch(r"# 新\n\n<!-- .+ -->\n", chinese.read_text("utf-8"))


@pytest.mark.parametrize(
    ("kind", "options", "required", "true", "false"),
    [
        ("IMAGE", {}, True, "IMAGE", "IMAGE, optional"),
        ("MASK", {}, False, "MASK, optional", "MASK"),
        ("HISTORY,LOSS_MAP", {}, True, "HISTORY or LOSS_MAP", "HISTORY"),
        ("FLOAT", {"default": 1.0, "min": 0.0, "max": 1.5}, True, "1.0 (0 to 1.5)", "1.0 (0 to 1)"),
        ("FLOAT", {"default": 1e6, "min": 1e-6, "max": 1e12}, True, "1e6 (1e-6 to 1e12)", "1e5"),
        ("INT", {"default": 0, "min": 0, "max": 8192}, False, "0", "1"),
        ("BOOLEAN", {"default": False}, True, "off", "on"),
        ("STRING", {"default": "my_style"}, True, "`my_style`", "`my_taste`"),
        (["auto", "never"], {"default": "never"}, True, "`never` (or `auto`)", "`auto` (or `never`)"),
        (["auto", "never"], {"default": "never"}, True, "`never` (or `auto`)", "`never`"),
        (["shipped"], {"default": "shipped"}, True, "`shipped` (or a file in `models/x`)", "`auto`"),
        ([], {}, True, "a file in `models/x`", "`shipped`"),
    ],
)
def test_a_false_value_is_seen(kind: object, options: dict, required: bool, true: str, false: str) -> None:
    entry = Input("name", kind, options, required)
    assert is_true(true, entry) and not is_true(false, entry)
