"""The declarations of a node class, read once: inputs, widgets, hidden inputs, outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WIDGET_DEFAULTS = {"INT": 0, "FLOAT": 0.0, "STRING": "", "BOOLEAN": False}
SEED_NAMES = ("seed", "noise_seed")
UPLOADS = ("image_upload", "animated_image_upload", "video_upload", "audio_upload")


@dataclass(frozen=True)
class Input:
    """One declared input: `kind` is a wire type or a list of choices."""

    name: str
    kind: Any
    options: Mapping[str, Any]
    required: bool

    @property
    def choices(self) -> list[Any] | None:
        """The values allowed by a drop-down list; None for any other input."""
        if isinstance(self.kind, (list, tuple)):
            return list(self.kind)
        return list(self.options.get("options", [])) if self.kind == "COMBO" else None

    @property
    def is_widget(self) -> bool:
        """Whether the editor draws a widget for it and stores a value in `widgets_values`."""
        return not self.options.get("forceInput") and (
            self.choices is not None or self.kind in WIDGET_DEFAULTS
        )

    @property
    def takes_constant(self) -> bool:
        """Whether a plain value can feed it; otherwise only a wire can."""
        if self.choices is not None or "default" in self.options or "widgetType" in self.options:
            return True
        kinds = {part.strip() for part in str(self.kind).split(",")}
        return "*" in kinds or not kinds.isdisjoint(WIDGET_DEFAULTS)

    @property
    def has_control(self) -> bool:
        """Whether the editor stores a 'control after generate' entry behind the value."""
        asked = self.options.get("control_after_generate")
        if self.choices is not None or asked is not None:
            return bool(asked)
        return self.kind == "INT" and self.name in SEED_NAMES

    def default(self) -> Any:
        """The value a fresh widget shows; None when a list has no choices."""
        if "default" in self.options:
            return self.options["default"]
        return (self.choices or [None])[0] if self.choices is not None else WIDGET_DEFAULTS[self.kind]


@dataclass(frozen=True)
class Schema:
    """A node class as the runner needs it: `inputs` in declared order, `outputs` as wire types."""

    node: type
    inputs: Mapping[str, Input]
    hidden: Mapping[str, str]
    outputs: tuple[Any, ...]

    @property
    def has_upload(self) -> bool:
        """Whether the editor adds an upload button, which stores one more widget value."""
        return any(
            entry.required and entry.options.get(key) for entry in self.inputs.values() for key in UPLOADS
        )


def _read_inputs(group: Mapping[str, Any], required: bool) -> dict[str, Input]:
    inputs = {}
    for name, entry in group.items():
        options = entry[1] if len(entry) > 1 else {}
        inputs[name] = Input(name, entry[0], options or {}, required)
    return inputs


def read_schema(node: type) -> Schema:
    """Read a node class; exceptions in its INPUT_TYPES pass through."""
    declared = node.INPUT_TYPES()
    inputs = _read_inputs(declared.get("required", {}), True) | _read_inputs(
        declared.get("optional", {}), False
    )
    hidden = {
        name: kind[0] if isinstance(kind, tuple) else kind
        for name, kind in declared.get("hidden", {}).items()
    }
    return Schema(node, inputs, hidden, tuple(node.RETURN_TYPES))


class Catalog:
    """The available node classes, each read at most once, so that folders are listed once per run."""

    def __init__(self, classes: Mapping[str, type]) -> None:
        self.classes = classes
        self._schemas: dict[str, Schema] = {}
        self.broken: dict[str, str] = {}

    def is_output(self, class_type: str) -> bool:
        """Whether the class is a known output node, which saves or shows something."""
        return getattr(self.classes.get(class_type), "OUTPUT_NODE", False) is True

    def get(self, class_type: str) -> Schema | None:
        """The schema of a class; None if it is unknown, or cannot be read and is listed in `broken`."""
        if class_type not in self._schemas and class_type not in self.broken and class_type in self.classes:
            try:
                self._schemas[class_type] = read_schema(self.classes[class_type])
            except Exception as error:
                self.broken[class_type] = f"{type(error).__name__}: {error}"
        return self._schemas.get(class_type)
