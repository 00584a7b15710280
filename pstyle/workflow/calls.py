"""Calling a node's functions the way ComfyUI does: hidden inputs filled in, once per item of a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .graph import Link, Node
from .schema import Schema

Items = list[Any]  # the content of a wire, usually a single item


@dataclass(frozen=True)
class Hidden:
    """The hidden inputs of nodes: the whole prompt, the PNG's extra texts, the node's id."""

    prompt: Mapping[str, Any]
    extra_pnginfo: Mapping[str, Any] | None

    def fill(self, schema: Schema, node: Node) -> dict[str, Items]:
        """The hidden inputs that a class declares, by argument name; those only a server knows are None."""
        known = {"PROMPT": self.prompt, "EXTRA_PNGINFO": self.extra_pnginfo, "UNIQUE_ID": node.id}
        return {name: [known.get(kind)] for name, kind in schema.hidden.items()}


def gather(
    schema: Schema, node: Node, hidden: Hidden, read: Callable[[Link], Items | None]
) -> tuple[dict[str, Items], set[str]]:
    """A node's arguments as lists of items, and the names of those that `read` could not supply (None)."""
    arguments: dict[str, Items] = {}
    absent: set[str] = set()
    for name, value in node.inputs.items():
        if name not in schema.inputs:
            continue
        items = read(value) if isinstance(value, Link) else [value]
        if items is None:
            absent.add(name)
        arguments[name] = [None] if items is None else items
    return arguments | hidden.fill(schema, node), absent


def call_over_lists(owner: Any, name: str, arguments: Mapping[str, Items]) -> list[Any]:
    """Call `owner.name` once, or once per item of the longest list (shorter ones repeat their last item).

    A class with INPUT_IS_LIST gets the lists themselves in one call.
    """
    function = getattr(owner, name)
    if getattr(owner, "INPUT_IS_LIST", False):
        return [function(**arguments)]
    for key, items in arguments.items():
        if not items:
            raise ValueError(f"input {key!r} got an empty list; it needs at least one item")
    count = max(map(len, arguments.values()), default=1)
    return [
        function(**{key: _item(items, index) for key, items in arguments.items()}) for index in range(count)
    ]


def _item(items: Items, index: int) -> Any:
    return items[index] if index < len(items) else items[-1]
