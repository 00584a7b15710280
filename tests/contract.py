"""The contract with workflow files: ids, inputs and outputs of every node, frozen in contract.json.

A workflow file holds node ids, the names of inputs, the values of widgets by their order and the numbers of
outputs; none of them may ever change. `python -m tests.contract` freezes what has been appended, and writes
nothing where something frozen has changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pstyle.core.folders import Folders, use_folders
from pstyle.workflow.schema import read_schema
from tests import conftest  # noqa: F401 (it lets `pstyle_pack` be found)

FILE = Path(__file__).with_name("contract.json")
EXTEND = "python -m tests.contract"
Contract = dict[str, dict[str, dict[str, Any]]]  # node -> "required", "optional" or "outputs" -> name -> kind


def declared(nodes: Iterable[type]) -> Contract:
    """What the classes declare where no folder holds a file, since choices of files are no part of it."""
    with TemporaryDirectory() as empty, use_folders(Folders(*[Path(empty)] * 4)):
        return {node.__name__: node_terms(node) for node in nodes}


def node_terms(node: type) -> dict[str, dict[str, Any]]:
    """Names and kinds of a node's inputs and outputs, in order; a kind is a type or a list of choices."""
    schema = read_schema(node)
    required, optional = (
        {name: entry.kind for name, entry in schema.inputs.items() if entry.required is needed}
        for needed in (True, False)
    )
    outputs = dict(zip(node.RETURN_NAMES, schema.outputs, strict=True))
    return {"required": required, "optional": optional, "outputs": outputs}


def breaches(frozen: Contract, now: Contract) -> list[str]:
    """What is frozen and no longer so, a sentence each."""
    gone = [f"{node} is gone: keep its class, with DEPRECATED = True" for node in frozen if node not in now]
    kept = [node for node in frozen if node in now]
    return gone + [f"{node}: {found}" for node in kept for found in node_breaches(frozen[node], now[node])]


def node_breaches(frozen: dict[str, dict[str, Any]], now: dict[str, dict[str, Any]]) -> Iterator[str]:
    """What of one node is frozen and no longer so."""
    if [*now["required"]] != [*frozen["required"]]:
        yield (
            f"the required inputs were {', '.join(frozen['required'])}, now they are "
            f"{', '.join(now['required'])}: append new inputs to the optional ones, with a default"
        )
    for part in ("optional", "outputs"):
        first = [*now[part]][: len(frozen[part])]
        if first != [*frozen[part]]:
            was, are = ", ".join(frozen[part]), ", ".join(first)
            yield f"{part} began with {was}, now with {are}: append at the end"
    for part, entries in frozen.items():
        for name, kind in entries.items():
            if name in now[part] and (lost := _accepted(kind) - _accepted(now[part][name])):
                yield f"{name} no longer knows {', '.join(sorted(lost))}"


def _accepted(kind: str | list[str]) -> set[str]:
    return set(kind if isinstance(kind, list) else kind.split(","))


def read() -> Contract:
    """The frozen contract."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def extend() -> None:
    """Freeze what the classes declare today. Raises SystemExit where they break what is frozen."""
    from pstyle_pack.nodes import NODE_CLASSES

    now = declared(NODE_CLASSES)
    if found := breaches(read(), now):
        raise SystemExit("\n".join(["nothing is written, since workflow files would break:", *found]))
    FILE.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    extend()
