"""Settings: a dataclass field declares default, range and help once, for widgets, flags and files."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeVar

MAX_JSON_BYTES = 64 * 1024
Config = TypeVar("Config")


def setting(default: Any, minimum: Any = None, maximum: Any = None, help: str = "") -> Any:
    """A numeric dataclass field within [minimum, maximum].

    The default's type is the field's type: int, float, bool (which needs no range), or a tuple of these with
    the default's length. The help text names the unit. The field's metadata hold "default", "minimum",
    "maximum", "options" (None here) and "help": all that a widget or a flag needs.
    """
    if not isinstance(default, bool) and not all(_is_finite(bound) for bound in (minimum, maximum)):
        raise TypeError(f"a setting needs a finite minimum and maximum, got {minimum!r} and {maximum!r}")
    return _field(default, minimum, maximum, None, help)


def choice(default: Any, options: Sequence[Any], help: str = "") -> Any:
    """A dataclass field that equals one of `options` in value and type; metadata as in `setting`."""
    return _field(default, None, None, tuple(options), help)


def text(default: str, longest: int, help: str = "") -> Any:
    """A dataclass field of at most `longest` printable characters on one line; metadata as in `setting`."""
    return _field(default, 0, longest, None, help)


def describe(config_class: Any) -> dict[str, Mapping[str, Any]]:
    """Metadata of every field by name, in declaration order, to build widgets and flags from."""
    return {field.name: field.metadata for field in dataclasses.fields(config_class)}


def check_settings(config: Any) -> None:
    """Check type, finiteness and range of every field of a config; call it from __post_init__.

    An int given for a float becomes a float. Raises ValueError naming the field, the range and the value.
    """
    for name, metadata in describe(config).items():
        if "default" not in metadata:
            raise TypeError(f"{type(config).__name__}.{name} must be a setting(), a choice() or a text()")
        value = _checked(f"{type(config).__name__}.{name}", getattr(config, name), metadata)
        object.__setattr__(config, name, value)  # a frozen config, still under construction


def to_json(config: Any) -> str:
    """Write the fields of a config as one line of JSON, sorted by name."""
    return json.dumps(dataclasses.asdict(config), sort_keys=True, allow_nan=False)


def from_json(cls: type[Config], text: str) -> Config:
    """Read a config that `to_json` wrote: exactly its fields and types, in at most 64 KiB.

    Raises ValueError for anything else; the text may come from an untrusted file.
    """
    values = _parsed(cls.__name__, text)
    declared = describe(cls)
    if missing := sorted(declared.keys() - values.keys()):
        raise ValueError(f"{cls.__name__} lacks the fields {missing}; a file must hold all of them")
    if unknown := sorted(values.keys() - declared.keys()):
        raise ValueError(f"{cls.__name__} has no fields {_shown(unknown)}; it has {sorted(declared)}")
    for name, metadata in declared.items():
        if metadata["options"] is None:  # a choice compares values by type itself
            values[name] = _exact(f"{cls.__name__}.{name}", values[name], metadata["default"])
    return cls(**values)


def parse_json(text: str) -> Any:
    """Parse untrusted JSON: no duplicate names, no NaN, no excessive nesting. Raises ValueError."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _field(default: Any, minimum: Any, maximum: Any, options: tuple[Any, ...] | None, help: str) -> Any:
    metadata = {"default": default, "minimum": minimum, "maximum": maximum, "options": options, "help": help}
    _checked("default", default, metadata)
    return dataclasses.field(default=default, metadata=metadata)


def _checked(name: str, value: Any, metadata: Mapping[str, Any]) -> Any:
    default, options = metadata["default"], metadata["options"]
    if options is not None:
        if not any(type(value) is type(option) and value == option for option in options):
            _refuse(name, f"one of {', '.join(map(repr, options))}", value)
        return value
    if isinstance(default, tuple):
        if not isinstance(value, tuple | list) or len(value) != len(default):
            _refuse(name, f"{len(default)} numbers", value)
        return tuple(
            _number(f"{name}[{index}]", item, like, metadata)
            for index, (item, like) in enumerate(zip(value, default, strict=True))
        )
    if isinstance(default, str):
        if not isinstance(value, str) or len(value) > metadata["maximum"] or not value.isprintable():
            _refuse(name, f"one line of at most {metadata['maximum']} printable characters", value)
        return value
    return _number(name, value, default, metadata)


def _number(name: str, value: Any, like: Any, metadata: Mapping[str, Any]) -> Any:
    if isinstance(like, bool):
        if not isinstance(value, bool):
            _refuse(name, "True or False", value)
        return value
    if not isinstance(like, int | float):
        raise TypeError(f"{name} is not a number: declare it with choice() or text()")
    minimum, maximum = metadata["minimum"], metadata["maximum"]
    allowed = f"{'an integer' if isinstance(like, int) else 'a number'} from {minimum} to {maximum}"
    if isinstance(value, bool) or not isinstance(value, int if isinstance(like, int) else int | float):
        _refuse(name, allowed, value)
    if not minimum <= value <= maximum:  # written so that a NaN, which fails every comparison, is refused
        _refuse(name, allowed, value)
    return type(like)(value)


def _refuse(name: str, allowed: str, value: Any) -> NoReturn:
    raise ValueError(f"{name} must be {allowed}, got {_shown(value)}")


def _is_finite(bound: Any) -> bool:
    return isinstance(bound, int | float) and math.isfinite(bound)


def _shown(value: Any) -> str:
    try:
        text = " ".join(ascii(value).split())
    except ValueError:  # Python does not print integers of more than 4300 digits
        text = f"{type(value).__name__} too long to print"
    return text if len(text) <= 80 else f"{text[:77]}..."


def _exact(name: str, value: Any, default: Any) -> Any:
    if isinstance(default, tuple):
        if type(value) is not list or len(value) != len(default):
            _refuse(name, f"a list of {len(default)}", value)
        return tuple(_exact(f"{name}[{index}]", item, default[index]) for index, item in enumerate(value))
    if type(value) is not type(default):
        _refuse(name, f"a JSON {type(default).__name__}", value)
    return value


def _parsed(name: str, text: str) -> dict[str, Any]:
    if not isinstance(text, str) or len(text.encode("utf-8", "surrogatepass")) > MAX_JSON_BYTES:
        raise ValueError(f"the settings of {name} must be JSON text of at most {MAX_JSON_BYTES} bytes")
    try:
        values = parse_json(text)
    except ValueError as error:
        raise ValueError(f"the settings of {name} are not valid JSON: {error}") from error
    if not isinstance(values, dict):
        raise ValueError(f"the settings of {name} must be a JSON object, got {_shown(values)}")
    return values


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
