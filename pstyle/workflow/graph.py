"""A workflow as one graph, whichever of ComfyUI's two file formats it came in."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..core.files import BadFile, read_file
from .problems import BadWorkflow, Problem, show

LIMIT_BYTES = 16 * 1024 * 1024


class Link(NamedTuple):
    """The end of a wire: output number `slot` of a node."""

    node: str
    slot: int


@dataclass
class Node:
    """One block: `inputs` maps names to JSON values, or to a Link where a wire comes in."""

    id: str
    class_type: str
    title: str
    inputs: dict[str, Any]

    def links(self) -> list[Link]:
        """The wires that come in."""
        return [value for value in self.inputs.values() if isinstance(value, Link)]


@dataclass
class Graph:
    """The nodes that take part, the faults found on the way, and the editor's file if it was one.

    `widgets` locates inputs in the editor's file: {(node, input): key into widgets_values}; `overridden`
    holds the inputs, as (node, input), whose value was set from outside.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    document: dict[str, Any] | None = None
    widgets: dict[tuple[str, str], int | str] = field(default_factory=dict)
    overridden: list[tuple[str, str]] = field(default_factory=list)

    def prompt(self) -> dict[str, Any]:
        """The graph in API format, as PNGs carry it."""
        return {
            node.id: {
                "inputs": {
                    name: list(value) if isinstance(value, Link) else value
                    for name, value in node.inputs.items()
                },
                "class_type": node.class_type,
                "_meta": {"title": node.title},
            }
            for node in self.nodes.values()
        }


def refuse(kind: str, message: str) -> BadWorkflow:
    """The exception for a fault of the file as a whole."""
    return BadWorkflow([Problem(kind, message)])


def read_document(workflow: dict[str, Any] | str | Path) -> dict[str, Any]:
    """A private copy of a workflow given as a dict or as the path of a JSON file of at most 16 MiB.

    Raises:
        BadWorkflow: it is too large, too deep, not JSON, or not an object.
    """
    try:
        text = read_file(workflow, LIMIT_BYTES) if isinstance(workflow, (str, Path)) else json.dumps(workflow)
        if len(text) > LIMIT_BYTES:
            raise refuse("too_large", f"it has {len(text)} bytes, more than the {LIMIT_BYTES} allowed")
        document = json.loads(text)
    except BadFile as error:
        raise refuse("unreadable", str(error)) from error
    except RecursionError as error:
        raise refuse("too_deep", "its JSON is nested too deeply") from error
    except (TypeError, ValueError) as error:
        if isinstance(error, BadWorkflow):
            raise
        raise refuse("not_json", f"it is not valid JSON: {error}") from error
    if not isinstance(document, dict) or not document:
        raise refuse("not_a_workflow", f"a workflow is a non-empty JSON object, got {show(document)}")
    return document


def is_editor_format(document: dict[str, Any]) -> bool:
    """Whether the file came from the editor's Save (nodes and links) rather than from Export (API)."""
    return isinstance(document.get("nodes"), list)


def parse_api(document: dict[str, Any], _: object = None) -> Graph:
    """The graph of an API-format workflow: {id: {class_type, inputs}}; it needs no catalog to be read."""
    graph = Graph()
    for key, entry in document.items():
        class_type = entry.get("class_type") if isinstance(entry, dict) else None
        if not isinstance(class_type, str):
            graph.problems.append(Problem("invalid_prompt", "it has no class_type", key, got=show(entry)))
            continue
        inputs = entry.get("inputs", {})
        if not isinstance(inputs, dict):
            graph.problems.append(
                Problem("invalid_prompt", "inputs must be an object", key, class_type, got=show(inputs))
            )
            continue
        values = {name: _as_link(value) for name, value in inputs.items()}
        graph.nodes[key] = Node(key, class_type, _title(entry, class_type), values)
    return graph


def _title(entry: dict[str, Any], class_type: str) -> str:
    meta = entry.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    return title if isinstance(title, str) and title else class_type


def _as_link(value: Any) -> Any:
    """A Link for [node id, output number], else the value itself: any other list is a fault, named later."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and type(value[1]) is int:
        return Link(value[0], value[1])
    return value
