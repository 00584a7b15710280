"""Widgets: a config's fields as ComfyUI inputs, so default, range and help are declared in one place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..pstyle.core.config import describe

Widget = tuple[Any, dict[str, Any]]


def widgets(config_class: type) -> dict[str, Widget]:
    """One widget for each field of a config class, in its order."""
    return {name: widget(metadata) for name, metadata in describe(config_class).items()}


def widget(metadata: Mapping[str, Any]) -> Widget:
    """The widget of one field, from what `pstyle.core.config.setting`, `choice` or `text` declared.

    Raises TypeError for a tuple, which no widget can hold.
    """
    default = metadata["default"]
    options = {"default": default, "tooltip": _sentence(metadata["help"])}
    if metadata["options"] is not None:
        return list(metadata["options"]), options
    if isinstance(default, bool):
        return "BOOLEAN", options
    if isinstance(default, str):
        return "STRING", options
    if not isinstance(default, int | float):
        raise TypeError(f"no widget holds a {type(default).__name__}")
    options |= {"min": metadata["minimum"], "max": metadata["maximum"]}
    if isinstance(default, int):
        # Otherwise ComfyUI draws a new "seed" after each run, and no learned style is ever reused.
        return "INT", options | {"step": 1, "control_after_generate": False}
    return "FLOAT", options | {"step": _step(default), "round": False}


def wire(kind: Any, tooltip: str, **options: Any) -> Widget:
    """An input of a wire type, or a list of choices, with its tooltip."""
    return kind, {"tooltip": tooltip, **options}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _step(default: float) -> float:
    """A widget's step: a tenth of the default's power of ten, at most 0.1; it also sets the digits shown."""
    return min(0.1, 10.0 ** (math.floor(math.log10(abs(default))) - 1)) if default else 0.01
