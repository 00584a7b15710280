"""The words of the nodes in the languages of ComfyUI's page, written from the classes into locales/.

English is what the classes say. Chinese is English looked up in locales/zh.json, sentence by sentence; so a
sentence that changes has no twin until somebody translates it. `python -m tests.locales` writes all files,
or nothing where a twin is missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pstyle.workflow.schema import read_schema
from tests import conftest  # noqa: F401 (it lets `pstyle_pack` be found)

FOLDER = Path(__file__).resolve().parents[1] / "locales"
TWINS = FOLDER / "zh.json"
WRITE = "python -m tests.locales"
Words = dict[str, Any]  # as ComfyUI reads it: nested, with texts at the leaves


def english(nodes: Iterable[type]) -> dict[str, Words]:
    """The English files by name: the nodes' own words, and the names of the menu's folders."""
    nodes = list(nodes)
    folders = dict.fromkeys(part for node in nodes for part in node.CATEGORY.split("/"))
    return {
        "main.json": {"nodeCategories": {part: part for part in folders}},
        "nodeDefs.json": {node.__name__: node_words(node) for node in nodes},
    }


def node_words(node: type) -> Words:
    """All that the page shows of a node."""
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
    """Every text in the order it is shown."""
    if isinstance(words, str):
        yield words
    else:
        for part in words.values():
            yield from texts(part)


def translated(words: Words | str, twins: Mapping[str, str]) -> Words | str:
    """The same words in another language. Raises KeyError for a text without a twin."""
    if isinstance(words, str):
        return twins[words]
    return {key: translated(part, twins) for key, part in words.items()}


def read_twins() -> dict[str, str]:
    """Chinese by English."""
    return json.loads(TWINS.read_text(encoding="utf-8"))


def untranslated(nodes: Iterable[type], twins: Mapping[str, str]) -> list[str]:
    """Every text of the nodes that has no twin, once."""
    return [text for text in dict.fromkeys(texts(english(nodes))) if text not in twins]


def files(nodes: Iterable[type]) -> dict[Path, Words]:
    """What stands in each file of locales/."""
    source, twins = english(nodes), read_twins()
    return {FOLDER / "en" / name: words for name, words in source.items()} | {
        FOLDER / "zh" / name: translated(words, twins) for name, words in source.items()
    }


def write() -> None:
    """Write the files. Raises SystemExit, naming them, where texts have no twin."""
    from pstyle_pack.nodes import NODE_CLASSES

    if missing := untranslated(NODE_CLASSES, read_twins()):
        lines = [f'  {json.dumps(text)}: "",' for text in missing]
        raise SystemExit("\n".join([f"nothing is written, since {TWINS.name} lacks:", *lines]))
    for path, words in files(NODE_CLASSES).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(words, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
