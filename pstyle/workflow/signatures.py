"""Node fingerprints, equal as long as a result may be reused: class, inputs, sources, IS_CHANGED."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from itertools import count
from typing import Any

from .calls import Hidden, call_over_lists, gather
from .graph import Graph, Link, Node
from .schema import Schema

_once = count()  # a signature with a number from here equals no other


def sign(graph: Graph, schemas: Mapping[str, Schema], hidden: Hidden) -> dict[str, str]:
    """The signature of every node in `schemas`, which must name sources first."""
    signatures: dict[str, str] = {}
    for key, schema in schemas.items():
        node = graph.nodes[key]
        parts = [node.class_type, _change(schema, node, hidden)]
        if "UNIQUE_ID" in schema.hidden.values() or getattr(schema.node, "NOT_IDEMPOTENT", False):
            parts.append(node.id)
        for name, value in sorted(node.inputs.items()):
            if name in schema.inputs:
                source = (signatures[value.node], value.slot) if isinstance(value, Link) else None
                parts.append((name, source, None if source else value))
        signatures[key] = hashlib.sha256(_canonical(parts).encode()).hexdigest()
    return signatures


def _change(schema: Schema, node: Node, hidden: Hidden) -> Any:
    """The IS_CHANGED value for the constants; an exception means 'always changed', as in ComfyUI."""
    if not hasattr(schema.node, "IS_CHANGED"):
        return None
    arguments, _ = gather(schema, node, hidden, lambda link: None)
    try:
        return call_over_lists(schema.node, "IS_CHANGED", arguments)
    except Exception as error:
        logging.getLogger("pstyle").warning(
            "IS_CHANGED of node %r (%s) raised %s: %s; it runs again",
            node.id,
            node.class_type,
            type(error).__name__,
            error,
        )
        return [float("nan")]


def _canonical(parts: list[Any]) -> str:
    """The same text for the same parts; a unique one if they hold a NaN or something that is not data."""
    try:
        return _ENCODER.encode(parts)
    except (TypeError, ValueError, RecursionError):
        return f"changed {next(_once)}"


def _bytes_as_text(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": value.hex()}
    raise TypeError(f"{type(value).__name__} has no fixed text")


_ENCODER = json.JSONEncoder(sort_keys=True, allow_nan=False, default=_bytes_as_text)
