"""Protects the nodes' texts: English comes from the classes, and every text has a Chinese translation."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pstyle_pack.nodes import NODE_CLASSES
from pstyle_pack.nodes.paint import PStylePaint

from tests import locales
from tests.locales import FOLDER, WRITE, english, read_translations, texts, translated, untranslated

TRANSLATIONS = read_translations()
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


def test_every_text_is_translated() -> None:
    missing = untranslated(NODE_CLASSES, TRANSLATIONS)
    assert missing == [], f"translate these in locales/zh.json, then run `{WRITE}`"


def test_every_translation_is_of_a_present_text() -> None:
    said = set(texts(english(NODE_CLASSES)))
    assert [text for text in TRANSLATIONS if text not in said] == [], "remove these from locales/zh.json"


@pytest.mark.parametrize("node", NODE_CLASSES, ids=lambda node: node.__name__)
def test_the_page_finds_every_text_of_a_node(node: type, sent: dict[str, dict]) -> None:
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


def is_chinese(source: str, translation: str) -> bool:
    """Whether a translation is punctuated Chinese with the numbers and names of its source."""
    return (
        (HAN.search(translation) is not None or translation in ALIKE)
        and source.endswith(".") == translation.endswith("。")
        and not WESTERN_MARK.search(translation)
        and sorted(NUMBER.findall(source)) == sorted(NUMBER.findall(translation))
        and {*NAME.findall(source)} <= {*NAME.findall(translation)}
    )


def test_translations_are_chinese_and_omit_nothing() -> None:
    assert {
        source: translation
        for source, translation in TRANSLATIONS.items()
        if not is_chinese(source, translation)
    } == {}


@pytest.mark.parametrize(
    ("source", "translation"),
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
def test_a_careless_translation_is_seen(source: str, translation: str) -> None:
    assert not is_chinese(source, translation)


def test_the_page_takes_no_text_for_a_pattern() -> None:
    """In vue-i18n braces hold a value, @ another message, and | parts a singular from a plural."""
    assert [text for pair in TRANSLATIONS.items() for text in pair if set("{}@|") & {*text}] == []


def test_a_changed_tooltip_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PStylePaint, "DESCRIPTION", "Paints pictures otherwise.")
    assert untranslated(NODE_CLASSES, TRANSLATIONS) == ["Paints pictures otherwise."]
    with pytest.raises(KeyError, match="Paints pictures otherwise"):
        translated(english(NODE_CLASSES), TRANSLATIONS)


def test_nothing_is_written_while_a_translation_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "locales"
    monkeypatch.setattr(locales, "FOLDER", folder)
    monkeypatch.setattr(PStylePaint, "TITLE", "Paint Anew")
    with pytest.raises(SystemExit, match='zh.json:\n  "Paint Anew": "",$'):
        locales.write()
    assert not folder.exists()


def test_the_shipped_files_are_those_of_the_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locales, "FOLDER", tmp_path / "locales")
    locales.write()
    written = {path.relative_to(locales.FOLDER): path for path in locales.FOLDER.rglob("*.json")}
    assert len(written) == 4
    for name, path in written.items():
        assert path.read_bytes() == (FOLDER / name).read_bytes(), f"run `{WRITE}` and commit locales/"
