"""ComfyUI's checks of a workflow before a run, with all findings reported at once."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from difflib import get_close_matches
from operator import ne
from typing import Any

from .calls import Hidden, call_over_lists, gather
from .graph import Graph, Link, Node
from .order import name_circle, needed_nodes, peel
from .problems import Problem, show, show_choices
from .schema import Catalog, Input, Schema

CONVERTERS: dict[str, Callable[[Any], Any]] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}
SUGGESTIONS = 20  # how many unknown names get a 'did you mean'


def validate(graph: Graph, catalog: Catalog) -> list[str]:
    """Check everything that outputs need, add faults to `graph.problems`, and convert widget values.

    Returns:
        The ids of the nodes that outputs need, each after the nodes it reads from.
    """
    unknown = [node for node in graph.nodes.values() if node.class_type not in catalog.classes]
    for number, node in enumerate(unknown):
        close = get_close_matches(node.class_type, catalog.classes) if number < SUGGESTIONS else []
        hint = "perhaps " + " or ".join(close) if close else None
        graph.problems.append(
            Problem("unknown_node", "there is no such node", node.id, node.class_type, allowed=hint)
        )
    outputs = [node.id for node in graph.nodes.values() if catalog.is_output(node.class_type)]
    if not outputs and not graph.problems:
        message = "no node saves or shows a result: add a SaveImage"
        graph.problems.append(Problem("prompt_no_outputs", message))
    needed = needed_nodes(graph, outputs)
    for key in needed:
        node = graph.nodes[key]
        schema = catalog.get(node.class_type)
        if schema is not None:
            _NodeCheck(graph, catalog, node, schema).run()
        elif node.class_type in catalog.broken:
            message = f"its INPUT_TYPES failed: {catalog.broken[node.class_type]}"
            graph.problems.append(Problem("broken_node", message, key, node.class_type))
    sources = {
        key: {link.node for link in graph.nodes[key].links() if link.node in graph.nodes} for key in needed
    }
    order = peel(sources)
    if len(order) < len(needed):
        graph.problems.append(name_circle(sources, order))
    return order


def fits(given: Any, wanted: Any) -> bool:
    """Whether a wire of type `given` may feed an input of type `wanted`: equal, or unions that overlap."""
    if not ne(given, wanted):  # not `==`: any-type nodes override `!=`
        return True
    if not isinstance(given, str) or not isinstance(wanted, str):
        return False
    return not {part.strip() for part in given.split(",")}.isdisjoint(
        part.strip() for part in wanted.split(",")
    )


class _NodeCheck:
    """The checks of one node."""

    def __init__(self, graph: Graph, catalog: Catalog, node: Node, schema: Schema) -> None:
        self.graph, self.catalog, self.node, self.schema = graph, catalog, node, schema
        checker = getattr(schema.node, "VALIDATE_INPUTS", None)
        names = inspect.getfullargspec(checker) if checker is not None else None
        self.has_checker = checker is not None
        self.takes_all = names is not None and names.varkw is not None
        self.named = set(names.args + names.kwonlyargs) if names is not None else set()
        self.received: dict[str, Any] = {}
        self.known_faults = len(graph.problems)

    def run(self) -> None:
        for entry in self.schema.inputs.values():
            if entry.name in self.node.inputs:
                self._check_input(entry, self.node.inputs[entry.name])
            elif entry.required:
                self._fault(
                    "required_input_missing", "it is required and missing", entry, allowed=_wanted(entry)
                )
        for name, value in self.node.inputs.items():
            if isinstance(value, Link) and name not in self.schema.inputs:
                self.graph.problems.append(
                    Problem(
                        "unknown_input",
                        "a wire leads into an input that does not exist",
                        self.node.id,
                        self.node.class_type,
                        name,
                        allowed=show_choices(list(self.schema.inputs)),
                    )
                )
        if self.has_checker:
            self._ask_node()

    def _fault(
        self, kind: str, message: str, entry: Input, got: Any = Ellipsis, allowed: str | None = None
    ) -> None:
        shown = None if got is Ellipsis else show(got)
        self.graph.problems.append(
            Problem(kind, message, self.node.id, self.node.class_type, entry.name, shown, allowed)
        )

    def _check_input(self, entry: Input, value: Any) -> None:
        if isinstance(value, Link):
            self._check_link(entry, value)
        elif isinstance(value, list):
            self._fault("bad_linked_input", "a wire is [node id, output number]", entry, value)
        else:
            self._check_constant(entry, value)

    def _check_link(self, entry: Input, link: Link) -> None:
        source = self.graph.nodes.get(link.node)
        if source is None:
            self._fault(
                "dangling_link",
                f"its wire comes from node {show(link.node)}, which is not in the workflow",
                entry,
            )
            return
        schema = self.catalog.get(source.class_type)
        if schema is None:
            return  # reported already as an unknown node
        if not 0 <= link.slot < len(schema.outputs):
            self._fault(
                "dangling_link",
                f"its wire comes from output {show(link.slot)} of node {show(link.node)}",
                entry,
                list(link),
                f"outputs 0 to {len(schema.outputs) - 1}" if schema.outputs else "it has no outputs",
            )
            return
        given = self.received[entry.name] = schema.outputs[link.slot]
        if "input_types" not in self.named and not fits(given, entry.kind):
            self._fault(
                "return_type_mismatch",
                f"its wire from node {show(link.node)} has another type",
                entry,
                given,
                _wanted(entry),
            )

    def _check_constant(self, entry: Input, value: Any) -> None:
        if isinstance(value, dict) and "__value__" in value:
            value = self.node.inputs[entry.name] = value["__value__"]
        if not entry.takes_constant:
            if value is not None or entry.required:
                self._fault("needs_a_wire", "it takes a wire, not a value", entry, value, _wanted(entry))
            return
        if isinstance(entry.kind, str) and entry.kind in CONVERTERS:
            try:
                value = self.node.inputs[entry.name] = CONVERTERS[entry.kind](value)
            except (TypeError, ValueError, OverflowError):
                self._fault(
                    "invalid_input_type", f"it cannot be read as {entry.kind}", entry, value, _wanted(entry)
                )
                return
        if isinstance(value, float) and not math.isfinite(value):
            self._fault("not_finite", "it is not a finite number", entry, value, _wanted(entry))
        elif not self.takes_all and entry.name not in self.named:
            self._check_range(entry, value)

    def _check_range(self, entry: Input, value: Any) -> None:
        low, high = entry.options.get("min"), entry.options.get("max")
        choices = entry.choices
        if choices is not None and value not in choices:
            self._fault("value_not_in_list", "it is not in the list", entry, value, show_choices(choices))
        elif entry.kind in ("INT", "FLOAT") and low is not None and value < low:
            self._fault("value_smaller_than_min", "it is too small", entry, value, _wanted(entry))
        elif entry.kind in ("INT", "FLOAT") and high is not None and value > high:
            self._fault("value_bigger_than_max", "it is too large", entry, value, _wanted(entry))

    def _ask_node(self) -> None:
        """Call VALIDATE_INPUTS with the constants it names, as ComfyUI does: wires come as None."""
        arguments, _ = gather(self.schema, self.node, Hidden({}, None), lambda link: None)
        arguments = {name: items for name, items in arguments.items() if self.takes_all or name in self.named}
        asked = ", ".join(name for name in arguments if name in self.schema.inputs) or None
        if "input_types" in self.named:
            arguments["input_types"] = [self.received]
        try:
            answers = call_over_lists(self.schema.node, "VALIDATE_INPUTS", arguments)
        except Exception as error:
            if len(self.graph.problems) > self.known_faults:
                return  # probably caused by an input that was reported already
            answers = [f"VALIDATE_INPUTS raised {type(error).__name__}: {error}"]
        for answer in dict.fromkeys(str(answer) for answer in answers if answer is not True):
            reason = "the node refuses its inputs" if answer == "False" else answer
            self.graph.problems.append(
                Problem("custom_validation_failed", reason, self.node.id, self.node.class_type, asked)
            )


def _wanted(entry: Input) -> str:
    if entry.choices is not None:
        return show_choices(entry.choices)
    low, high = entry.options.get("min"), entry.options.get("max")
    if low is None and high is None:
        return f"a value of type {entry.kind}" if entry.takes_constant else f"a wire of type {entry.kind}"
    return f"{entry.kind} from {'any' if low is None else low} to {'any' if high is None else high}"
