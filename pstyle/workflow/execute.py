"""One run of a checked graph: node by node, lazily, reusing unchanged results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.folders import Folders
from .calls import Hidden, Items, call_over_lists, gather
from .graph import Graph, Link, Node
from .problems import NodeFailed
from .schema import Catalog, Schema
from .signatures import sign


@dataclass(frozen=True)
class Progress:
    """A node is "running" or "done"; `finished` of at most `total` nodes that had no result yet."""

    node: str
    class_type: str
    title: str
    state: str
    finished: int
    total: int


@dataclass(frozen=True)
class Result:
    """The result of a run.

    outputs: by node id, a list of items for each output (usually one). Tensors are inference tensors: clone
        one before using it with autograd.
    ui: by node id, the data that the node would show in the editor.
    saved: the files written in this run, in order.
    executed: ids of the nodes that ran, in order. cached: ids of those whose earlier result was reused.
    """

    outputs: dict[str, list[Items]] = field(default_factory=dict)
    ui: dict[str, dict[str, Any]] = field(default_factory=dict)
    saved: list[Path] = field(default_factory=list)
    executed: list[str] = field(default_factory=list)
    cached: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Kept:
    """The result of one node."""

    outputs: list[Items]
    ui: dict[str, Any]


@dataclass
class Memory:
    """The cache between runs: results by signature, node objects by id and class."""

    results: dict[str, Kept] = field(default_factory=dict)
    objects: dict[tuple[str, str], Any] = field(default_factory=dict)

    def forget_except(self, signatures: set[str], nodes: Mapping[str, Node]) -> None:
        """Drop everything that the next run cannot use, so that memory holds at most one workflow."""
        self.results = {key: kept for key, kept in self.results.items() if key in signatures}
        self.objects = {key: item for key, item in self.objects.items() if key[0] in nodes}


class Execution:
    """One run. The nodes needed are determined on the way, since lazy inputs may decide late."""

    def __init__(
        self,
        graph: Graph,
        catalog: Catalog,
        order: list[str],
        hidden: Hidden,
        memory: Memory,
        folders: Folders,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self.graph, self.order, self.hidden, self.memory, self.folders = graph, order, hidden, memory, folders
        self.schemas: dict[str, Schema] = {key: catalog.get(graph.nodes[key].class_type) for key in order}
        self.signatures = sign(graph, self.schemas, hidden)
        self.memory.forget_except(set(self.signatures.values()), graph.nodes)
        self.on_progress = on_progress
        self.total = sum(self._kept(key) is None for key in order)
        self.wanted: dict[str, set[str]] = {}  # lazy inputs that a node has requested
        self.result = Result()

    def run(self) -> Result:
        """Run every output node and its dependencies."""
        for key in self.order:
            if getattr(self.schemas[key].node, "OUTPUT_NODE", False) is True:
                self._finish(key)
        executed = set(self.result.executed)
        for key in self.order:
            kept = self._kept(key)
            if kept is None:
                continue  # behind a lazy input that was never requested
            self.result.outputs[key] = kept.outputs
            if kept.ui:
                self.result.ui[key] = kept.ui
            if key not in executed:
                self.result.cached.append(key)
        return self.result

    def _finish(self, output: str) -> None:
        """Run a node after its dependencies, without recursion, since workflows may be very long."""
        waiting = [output]
        while waiting:
            key = waiting[-1]
            if self._kept(key) is None:
                sources = self._missing_sources(key)
                waiting += sources
                if sources or not self._run_node(key):
                    continue  # it waits for its sources, or has just requested a lazy one
            waiting.pop()

    def _kept(self, key: str) -> Kept | None:
        return self.memory.results.get(self.signatures[key])

    def _missing_sources(self, key: str) -> list[str]:
        inputs, wanted = self.schemas[key].inputs, self.wanted.get(key, ())
        return [
            value.node
            for name, value in self.graph.nodes[key].inputs.items()
            if isinstance(value, Link)
            and self._kept(value.node) is None
            and (name in wanted or not inputs[name].options.get("lazy"))
        ]

    def _read(self, link: Link) -> Items | None:
        kept = self._kept(link.node)
        return kept.outputs[link.slot] if kept else None

    def _run_node(self, key: str) -> bool:
        """Run one node and cache its result; False if it must wait for lazy inputs it just requested."""
        node = self.graph.nodes[key]
        self._report(node, "running")
        try:
            kept = self._call(key, node, self.schemas[key])
        except Exception as error:
            raise NodeFailed(node.id, node.title, node.class_type, error) from error
        if kept is None:
            return False
        self.memory.results[self.signatures[key]] = kept
        self.result.executed.append(key)
        self.result.saved.extend(self._files(kept.ui))
        self._report(node, "done")
        return True

    def _call(self, key: str, node: Node, schema: Schema) -> Kept | None:
        arguments, absent = gather(schema, node, self.hidden, self._read)
        name = (node.id, node.class_type)
        if name not in self.memory.objects:
            self.memory.objects[name] = schema.node()
        instance = self.memory.objects[name]
        if absent and getattr(instance, "check_lazy_status", None) is not None:
            answers = call_over_lists(instance, "check_lazy_status", arguments)
            asked = {name for answer in answers for name in answer or [] if name in absent}
            if asked:
                self.wanted.setdefault(key, set()).update(asked)
                return None
        return join(schema, call_over_lists(instance, schema.node.FUNCTION, arguments))

    def _files(self, ui: Mapping[str, Any]) -> list[Path]:
        roots = {"input": self.folders.input, "temp": self.folders.temp}
        entries = [entry for shown in ui.values() for entry in shown if isinstance(entry, dict)]
        paths = [
            roots.get(entry.get("type"), self.folders.output) / entry.get("subfolder", "") / entry["filename"]
            for entry in entries
            if "filename" in entry
        ]
        return [path for path in paths if path.is_file()]

    def _report(self, node: Node, state: str) -> None:
        if self.on_progress is not None:
            finished = len(self.result.executed)
            self.on_progress(Progress(node.id, node.class_type, node.title, state, finished, self.total))


def join(schema: Schema, returned: list[Any]) -> Kept:
    """Join the results of a node's calls: one list of items per output, one list per ui key."""
    results, shown = [], []
    for value in returned:
        if isinstance(value, dict):
            if not set(value) <= {"ui", "result"}:
                raise TypeError(f"it returned {sorted(value)}: only 'ui' and 'result' can be handled here")
            shown.append(value.get("ui") or {})
            value = value.get("result", ())
        if not isinstance(value, (tuple, list)) or len(value) != len(schema.outputs):
            count = f" of {len(value)}" if isinstance(value, (tuple, list)) else ""
            raise TypeError(
                f"it returned a {type(value).__name__}{count}, not a tuple of {len(schema.outputs)}"
            )
        results.append(value)
    lists = getattr(schema.node, "OUTPUT_IS_LIST", ())
    outputs: list[Items] = []
    for slot in range(len(schema.outputs)):
        column = [result[slot] for result in results]
        is_list = slot < len(lists) and lists[slot]
        outputs.append([item for items in column for item in items] if is_list else column)
    names = dict.fromkeys(name for part in shown for name in part)
    return Kept(outputs, {name: [item for part in shown for item in part.get(name, [])] for name in names})
