"""Values set from outside: `NODE.INPUT=VALUE`; NODE is an id, or a class or title that only one node has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .graph import Graph, Node
from .problems import Problem, show
from .schema import Catalog, Input

SIMPLE = (str, int, float, bool, type(None))
TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def apply_overrides(graph: Graph, catalog: Catalog, overrides: Mapping[str, Any]) -> None:
    """Put the values into the graph; values that do not fit are added to its problems."""
    for key, value in overrides.items():
        name, dot, input_name = str(key).rpartition(".")
        node = _find(graph, name) if dot and name else f"{show(key)} is not of the form NODE.INPUT"
        if isinstance(node, str):
            graph.problems.append(Problem("bad_override", node, got=f"{key}={show(value)}"))
            continue
        schema = catalog.get(node.class_type)
        entry = schema.inputs.get(input_name) if schema else None
        if schema is not None and not (entry and entry.takes_constant and isinstance(value, SIMPLE)):
            allowed = ", ".join(name for name, entry in schema.inputs.items() if entry.takes_constant)
            graph.problems.append(
                Problem(
                    "bad_override",
                    "there is no such value to set",
                    node.id,
                    node.class_type,
                    input_name,
                    show(value),
                    allowed or "no input of this node",
                )
            )
            continue
        node.inputs[input_name] = read_text(entry, value) if entry and isinstance(value, str) else value
        graph.overridden.append((node.id, input_name))


def _find(graph: Graph, name: str) -> Node | str:
    if name in graph.nodes:
        return graph.nodes[name]
    for kind in ("class_type", "title"):
        found = [node for node in graph.nodes.values() if getattr(node, kind) == name]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(node.id for node in found[:12])
            return f"{len(found)} nodes are called {show(name)}: use one of their ids, {ids}"
    return f"no node has the id, class or title {show(name)}"


def read_text(entry: Input, text: str) -> Any:
    """Convert a value typed as text to the type of its input; validation reports text that does not fit."""
    if entry.kind == "BOOLEAN" and text.strip().lower() in TRUE + FALSE:
        return text.strip().lower() in TRUE
    matches = [choice for choice in entry.choices or [] if str(choice) == text]
    return matches[0] if matches else text


def write_back(graph: Graph) -> None:
    """Change the editor's file too, so that a PNG opened in ComfyUI shows the values that were used."""
    if graph.document is None:
        return
    entries = {str(entry["id"]): entry for entry in graph.document["nodes"]}
    for key, name in graph.overridden:
        place = graph.widgets.get((key, name))
        if place is not None:
            entries[key]["widgets_values"][place] = graph.nodes[key].inputs[name]
        slots = entries[key].get("inputs")
        for slot in slots if isinstance(slots, list) else []:
            if isinstance(slot, dict) and slot.get("name") == name:
                _cut(graph.document, slot.get("link"))
                slot["link"] = None


def _cut(document: dict[str, Any], link: Any) -> None:
    """Take a wire out of the editor's table of links and out of the output it started from."""
    links = document.get("links")
    if link is None or not isinstance(links, list):
        return
    document["links"] = [entry for entry in links if _number(entry) != link]
    for node in document["nodes"]:
        for output in node.get("outputs") or [] if isinstance(node, dict) else []:
            if isinstance(output, dict) and isinstance(output.get("links"), list):
                output["links"] = [number for number in output["links"] if number != link]


def _number(entry: Any) -> Any:
    if isinstance(entry, dict):
        return entry.get("id")
    return entry[0] if isinstance(entry, list) and entry else None
