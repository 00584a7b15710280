"""Protects the page's words: English is what the classes say, and every sentence has a Chinese twin."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pstyle_pack.nodes import NODE_CLASSES
from pstyle_pack.nodes.generate import PStylePaint

from tests import locales
from tests.locales import FOLDER, WRITE, english, files, read_twins, texts, translated, untranslated

TWINS = read_twins()
HAN = re.compile(r"[\u4e00-\u9fff]")
WESTERN_MARK = re.compile(r"[\u4e00-\u9fff][,.;:!?]|[,;:!?][\u4e00-\u9fff]")
NUMBER = re.compile(r"(?<![A-Za-z_])\d+(?:\.\d+)?(?![A-Za-z_])")
NAME = re.compile(r"models/pstyle|'[^' ]+(?: -m \w+ [\w-]+)?'|relu\d_\d|Lab|GPano|ComfyUI")
ALIKE = {"VGG", "alpha", "beta", "SSIM"}  # what a Chinese reader calls so too


@pytest.fixture(scope="module")
def sent() -> dict[str, dict]:
    """What ComfyUI sends to its page: main.json by language, with nodeDefs.json in it."""
    found = {}
    for folder in filter(Path.is_dir, FOLDER.iterdir()):
        main = json.loads((folder / "main.json").read_text(encoding="utf-8"))
        found[folder.name] = main | {"nodeDefs": json.loads((folder / "nodeDefs.json").read_text("utf-8"))}
    return found


def test_no_sentence_is_without_its_twin() -> None:
    missing = untranslated(NODE_CLASSES, TWINS)
    assert missing == [], f"translate these in locales/zh.json, then run `{WRITE}`"


def test_no_twin_has_lost_its_sentence() -> None:
    said = set(texts(english(NODE_CLASSES)))
    assert [text for text in TWINS if text not in said] == [], "take these out of locales/zh.json"


@pytest.mark.parametrize("name", ["en/main.json", "en/nodeDefs.json", "zh/main.json", "zh/nodeDefs.json"])
def test_the_files_are_those_of_the_classes(name: str) -> None:
    found = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    wanted = files(NODE_CLASSES)[FOLDER / name]
    assert json.dumps(found) == json.dumps(wanted), f"run `{WRITE}` and commit its files"


@pytest.mark.parametrize("node", NODE_CLASSES, ids=lambda node: node.__name__)
def test_the_page_finds_every_word_of_a_node(node: type, sent: dict[str, dict]) -> None:
    """By the keys of ComfyUI's page; English is compared with the class itself."""
    declared = [*node.INPUT_TYPES().values()]
    tooltips = {name: options["tooltip"] for group in declared for name, (_, options) in group.items()}
    en, zh = (sent[language]["nodeDefs"][node.__name__] for language in ("en", "zh"))
    assert (en["display_name"], en["description"]) == (node.TITLE, node.DESCRIPTION)
    assert {name: words["tooltip"] for name, words in en["inputs"].items()} == tooltips
    names = tuple(en["outputs"][str(slot)]["name"] for slot in range(len(node.RETURN_NAMES)))
    assert names == tuple(node.RETURN_NAMES)
    assert [words["tooltip"] for words in en["outputs"].values()] == [*node.OUTPUT_TOOLTIPS]
    assert [*zh["inputs"]] == [*en["inputs"]] and [*zh["outputs"]] == [*en["outputs"]]
    for language in ("en", "zh"):
        assert set(node.CATEGORY.split("/")) <= sent[language]["nodeCategories"].keys()


def is_chinese(source: str, twin: str) -> bool:
    """Whether a twin is written as Chinese is, and holds the numbers and names that its sentence holds."""
    return (
        (HAN.search(twin) is not None or twin in ALIKE)
        and source.endswith(".") == twin.endswith("。")
        and not WESTERN_MARK.search(twin)
        and sorted(NUMBER.findall(source)) == sorted(NUMBER.findall(twin))
        and {*NAME.findall(source)} <= {*NAME.findall(twin)}
    )


def test_twins_are_chinese_and_say_no_less() -> None:
    assert {source: twin for source, twin in TWINS.items() if not is_chinese(source, twin)} == {}


@pytest.mark.parametrize(
    ("source", "twin"),
    [
        ("One style.", "One style."),
        ("One style.", "一种风格"),
        ("One style.", "一种风格."),
        ("One style, or two.", "一种风格,或两种。"),
        ("From 0 to 1.", "从 0 到 2。"),
        ("Saves into models/pstyle.", "保存到 models。"),
        ("Kept as 'interrupted'.", "保存为“中断”。"),
    ],
)
def test_a_careless_twin_is_seen(source: str, twin: str) -> None:
    assert not is_chinese(source, twin)


def test_the_page_takes_no_text_for_a_pattern() -> None:
    """In vue-i18n braces hold a value, @ another message, and | parts a singular from a plural."""
    assert [text for pair in TWINS.items() for text in pair if set("{}@|") & {*text}] == []


def test_a_changed_tooltip_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PStylePaint, "DESCRIPTION", "Paints pictures otherwise.")
    assert untranslated(NODE_CLASSES, TWINS) == ["Paints pictures otherwise."]
    with pytest.raises(KeyError, match="Paints pictures otherwise"):
        translated(english(NODE_CLASSES), TWINS)


def test_nothing_is_written_while_a_twin_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "locales"
    monkeypatch.setattr(locales, "FOLDER", folder)
    monkeypatch.setattr(PStylePaint, "TITLE", "Paint Anew")
    with pytest.raises(SystemExit, match='zh.json lacks:\n  "Paint Anew": "",$'):
        locales.write()
    assert not folder.exists()


def test_what_is_written_is_what_is_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locales, "FOLDER", tmp_path / "locales")
    locales.write()
    written = {path.relative_to(locales.FOLDER): path for path in locales.FOLDER.rglob("*.json")}
    assert len(written) == 4
    for name, path in written.items():
        assert path.read_bytes() == (FOLDER / name).read_bytes()
