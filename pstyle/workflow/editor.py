"""The editor's own file format (nodes, links, widgets_values) as a graph, read as ComfyUI's frontend does."""

from __future__ import annotations

from typing import Any, NamedTuple

from .graph import Graph, Link, Node
from .problems import Problem, show
from .schema import Catalog, Schema

MUTED, BYPASSED = 2, 4
NOTES = ("Note", "MarkdownNote")
VIRTUAL = ("Reroute", "PrimitiveNode", *NOTES)  # exist only in the editor
CONTROLS = ("fixed", "increment", "increment-wrap", "decrement", "randomize")
UPLOAD_ENTRIES = ("image", "video", "audio")


class _Wire(NamedTuple):
    origin: str
    slot: int


class _Constant(NamedTuple):
    value: Any


_REMOVED = object()  # the wire came from a muted node: the input is removed
_OPEN = object()  # the wire leads nowhere: a widget keeps its value


def place_widgets(
    schema: Schema, stored: list[Any] | dict[str, Any]
) -> tuple[dict[str, Any], dict[str, int | str]]:
    """Widget values by input name, and where each is stored; widgets newer than the file take their default.

    Returns ({input: value}, {input: index or key into `stored`}).
    """
    if isinstance(stored, dict):
        known = [name for name, entry in schema.inputs.items() if entry.is_widget and name in stored]
        return {name: _wrap(stored[name]) for name in known}, {name: name for name in known}
    values: dict[str, Any] = {}
    places: dict[str, int | str] = {}
    position = 0
    for required in (True, False):
        for name, entry in schema.inputs.items():
            if not entry.is_widget or entry.required is not required:
                continue
            if position < len(stored):
                values[name], places[name] = _wrap(stored[position]), position
            elif (default := entry.default()) is not None:
                values[name] = default
            position += 1
            if entry.has_control and position < len(stored) and stored[position] in CONTROLS:
                position += 1 if entry.choices is None else 2  # a list stores a filter behind its control
        if required and schema.has_upload and position < len(stored) and stored[position] in UPLOAD_ENTRIES:
            position += 1
    return values, places


def _wrap(value: Any) -> Any:
    return {"__value__": value} if isinstance(value, list) else value  # a bare list would read as a wire


def parse_editor(document: dict[str, Any], catalog: Catalog) -> Graph:
    """The graph of a workflow saved by the editor, with virtual, muted and bypassed nodes resolved."""
    return _Reader(document, catalog).read()


class _Reader:
    def __init__(self, document: dict[str, Any], catalog: Catalog) -> None:
        self.graph = Graph(document=document)
        self.catalog = catalog
        self.subgraphs = _subgraph_names(document)
        self.nodes = self._index_nodes(document)
        self.wires = _read_wires(document.get("links"))
        self.resolved: dict[tuple[int, str], Any] = {}

    def _fault(self, kind: str, message: str, node: dict[str, Any] | None = None, **facts: str) -> None:
        place = {} if node is None else {"node": str(node["id"]), "class_type": node["type"]}
        self.graph.problems.append(Problem(kind, message, **place, **facts))

    def _index_nodes(self, document: dict[str, Any]) -> dict[str, dict[str, Any]]:
        nodes: dict[str, dict[str, Any]] = {}
        for node in document["nodes"]:
            if not _is_node(node):
                self._fault("invalid_prompt", "a node needs an id and a type", got=show(node))
            elif str(node["id"]) in nodes:
                self._fault("duplicate_id", "two nodes have this id", node)
            else:
                nodes[str(node["id"])] = node
        return nodes

    def read(self) -> Graph:
        for key, node in self.nodes.items():
            if node.get("mode") in (MUTED, BYPASSED) or node["type"] in VIRTUAL:
                continue
            if node["type"] in self.subgraphs or node["type"].startswith(("workflow>", "workflow/")):
                self._fault(
                    "subgraph",
                    "subgraphs and group nodes cannot run here: unpack it in the editor, "
                    "or export the workflow in API format",
                    node,
                )
                continue
            self._add(key, node)
        return self.graph

    def _add(self, key: str, node: dict[str, Any]) -> None:
        schema = self.catalog.get(node["type"])
        stored = node.get("widgets_values") or []
        if not isinstance(stored, (list, dict)):
            self._fault(
                "invalid_prompt", "widgets_values must be a list or an object", node, got=show(stored)
            )
            stored = []
        inputs, places = place_widgets(schema, stored) if schema else ({}, {})
        for slot in _slots(node):
            if slot.get("link") is None or not isinstance(slot.get("name"), str):
                continue
            source = self._resolve(slot["link"], str(slot.get("type")), node)
            if source is _REMOVED:
                inputs.pop(slot["name"], None)
            elif source is not _OPEN:
                inputs[slot["name"]] = source.value if isinstance(source, _Constant) else source
        title = node.get("title")
        title = title if isinstance(title, str) and title else node["type"]
        self.graph.nodes[key] = Node(key, node["type"], title, inputs)
        self.graph.widgets.update({(key, name): place for name, place in places.items()})

    def _resolve(self, link: Any, kind: str, consumer: dict[str, Any]) -> Any:
        """Follow a wire back through virtual and bypassed nodes: a Link, a _Constant, _REMOVED or _OPEN."""
        passed: dict[tuple[Any, str], None] = {}
        while True:
            if type(link) is not int or link not in self.wires or self.wires[link].origin not in self.nodes:
                self._fault("dangling_link", "a wire leads to nothing", consumer, got=f"link {show(link)}")
                source = _OPEN
            elif (link, kind) in passed:
                self._fault("cycle", "wires run in a circle through reroutes or bypassed nodes", consumer)
                source = _OPEN
            elif (link, kind) in self.resolved:
                source = self.resolved[link, kind]
            else:
                passed[link, kind] = None
                source = self._step(self.wires[link], kind)
                if isinstance(source, int):
                    link = source
                    continue
            self.resolved.update(dict.fromkeys(passed, source))
            return source

    def _step(self, wire: _Wire, kind: str) -> Any:
        """The origin of a wire, or the number of the link behind it if a node only passes it on."""
        node = self.nodes[wire.origin]
        slots = _slots(node)
        if node["type"] == "PrimitiveNode":
            stored = node.get("widgets_values")
            return _Constant(_wrap(stored[0])) if isinstance(stored, list) and stored else _OPEN
        if node["type"] in NOTES:
            return _OPEN
        if node["type"] == "Reroute":
            passing = slots[:1]
        elif node.get("mode") == BYPASSED:
            same_place = slots[wire.slot : wire.slot + 1] if wire.slot >= 0 else []
            passing = [slot for slot in same_place + slots if str(slot.get("type")) == kind][:1]
        else:
            return _REMOVED if node.get("mode") == MUTED else Link(wire.origin, wire.slot)
        return passing[0]["link"] if passing and type(passing[0].get("link")) is int else _OPEN


def _is_node(node: Any) -> bool:
    return isinstance(node, dict) and type(node.get("id")) in (int, str) and isinstance(node.get("type"), str)


def _slots(node: dict[str, Any]) -> list[dict[str, Any]]:
    slots = node.get("inputs")
    return [slot for slot in slots if isinstance(slot, dict)] if isinstance(slots, list) else []


def _read_wires(stored: Any) -> dict[int, _Wire]:
    """{link id: its start}; malformed entries are left out, and inputs that use one are reported."""
    wires = {}
    for entry in stored if isinstance(stored, list) else []:
        if isinstance(entry, dict):
            entry = [entry.get("id"), entry.get("origin_id"), entry.get("origin_slot")]
        if isinstance(entry, list) and [type(part) for part in entry[:3:2]] == [int, int]:
            wires[entry[0]] = _Wire(str(entry[1]), entry[2])
    return wires


def _subgraph_names(document: dict[str, Any]) -> set[str]:
    definitions = document.get("definitions")
    stored = definitions.get("subgraphs") if isinstance(definitions, dict) else None
    entries = stored if isinstance(stored, list) else []
    return {entry["id"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)}
