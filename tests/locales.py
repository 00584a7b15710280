"""Translations: the texts of the node classes in locales/, and the help pages in web/docs/.

English texts come from the classes, Chinese ones from locales/zh.json, which maps each English text to its
translation: a text that changes has none until somebody adds it. `python -m tests.locales` writes all files
that ComfyUI reads, or nothing while a translation is missing. A Chinese help page ends with a fingerprint of
the English page it was made for; `python -m tests.locales --stamp [NODE ...]` renews it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pstyle.workflow.schema import read_schema
from tests import conftest  # noqa: F401 (it lets `pstyle_pack` be found)

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "locales"
TRANSLATIONS = FOLDER / "zh.json"
DOCS = ROOT / "web" / "docs"  # where ComfyUI's page looks for NODE.md, or NODE/zh.md
WRITE = "python -m tests.locales"
STAMP = f"{WRITE} --stamp"
MADE_FOR = re.compile(r"\n<!-- made for ([0-9a-f]{16}) of the English page -->\n$")
Words = dict[str, Any]  # as ComfyUI reads it: nested, with texts at the leaves


def english(nodes: Iterable[type]) -> dict[str, Words]:
    """The English files by name: the nodes' own texts, and the names of the menu's folders."""
    nodes = list(nodes)
    folders = dict.fromkeys(part for node in nodes for part in node.CATEGORY.split("/"))
    return {
        "main.json": {"nodeCategories": {part: part for part in folders}},
        "nodeDefs.json": {node.__name__: node_words(node) for node in nodes},
    }


def node_words(node: type) -> Words:
    """All texts of a node that ComfyUI shows."""
    inputs = read_schema(node).inputs.values()
    outputs = zip(node.RETURN_NAMES, node.OUTPUT_TOOLTIPS, strict=True)
    return {
        "display_name": node.TITLE,
        "description": node.DESCRIPTION,
        "inputs": {entry.name: {"name": entry.name, "tooltip": entry.options["tooltip"]} for entry in inputs},
        "outputs": {
            str(slot): {"name": name, "tooltip": tooltip} for slot, (name, tooltip) in enumerate(outputs)
        },
    }


def texts(words: Words | str) -> Iterator[str]:
    """Every text, in the order shown."""
    if isinstance(words, str):
        yield words
    else:
        for part in words.values():
            yield from texts(part)


def translated(words: Words | str, translations: Mapping[str, str]) -> Words | str:
    """The same texts in another language. Raises KeyError for a text without a translation."""
    if isinstance(words, str):
        return translations[words]
    return {key: translated(part, translations) for key, part in words.items()}


def read_translations() -> dict[str, str]:
    """Chinese by English."""
    return json.loads(TRANSLATIONS.read_text(encoding="utf-8"))


def untranslated(nodes: Iterable[type], translations: Mapping[str, str]) -> list[str]:
    """Every text of the nodes that has no translation, once."""
    return [text for text in dict.fromkeys(texts(english(nodes))) if text not in translations]


def files(nodes: Iterable[type]) -> dict[Path, Words]:
    """The content of each file in locales/."""
    source, translations = english(nodes), read_translations()
    return {FOLDER / "en" / name: words for name, words in source.items()} | {
        FOLDER / "zh" / name: translated(words, translations) for name, words in source.items()
    }


def write() -> None:
    """Write the files. Raises SystemExit, listing the texts, while any lacks a translation."""
    from pstyle_pack.nodes import NODE_CLASSES

    if missing := untranslated(NODE_CLASSES, read_translations()):
        lines = [f'  {json.dumps(text)}: "",' for text in missing]
        raise SystemExit("\n".join([f"nothing written: translate these in {TRANSLATIONS.name}:", *lines]))
    for path, words in files(NODE_CLASSES).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(words, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def fingerprint(page: str) -> str:
    """16 hexadecimal digits that change whenever a help page does."""
    return hashlib.sha256(page.encode()).hexdigest()[:16]


def stamp_of(page: str) -> str | None:
    """The fingerprint of the English page that a Chinese one was made for; None where it has none."""
    found = MADE_FOR.search(page)
    return found and found[1]


def stamp(names: Iterable[str]) -> None:
    """Mark the Chinese pages of these nodes as made for the present English ones."""
    for name in names:
        made_for = fingerprint((DOCS / f"{name}.md").read_text(encoding="utf-8"))
        page = DOCS / name / "zh.md"
        text = MADE_FOR.sub("", page.read_text(encoding="utf-8"))
        page.write_text(f"{text}\n<!-- made for {made_for} of the English page -->\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog=WRITE, description="Write locales/, or stamp Chinese help pages.")
    parser.add_argument("--stamp", nargs="*", metavar="NODE", help="stamp these pages; all without names")
    names = parser.parse_args().stamp
    if names is None:
        write()
    else:
        stamp(names or sorted(path.parent.name for path in DOCS.glob("*/zh.md")))


if __name__ == "__main__":
    main()
