"""Settings as flags, with default, range and help from the dataclass fields that they set."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from ..core.config import describe

Config = TypeVar("Config")


class Parser(argparse.ArgumentParser):
    """A parser that raises an exception, so that bad flags are reported like any other bad input."""

    def error(self, message: str) -> NoReturn:
        """Raise ValueError with the message and a pointer to the help."""
        raise ValueError(f"{message} (see `{self.prog} --help`)")


def add_settings(parser: Parser, config_class: type) -> None:
    """Add a flag for each field of a config, such as `--style-weight` for `style_weight`."""
    group = parser.add_argument_group("settings")
    for name, declared in describe(config_class).items():
        group.add_argument(f"--{name.replace('_', '-')}", **_flag(name, declared))


def settings_from(arguments: argparse.Namespace, config_class: type[Config]) -> Config:
    """Build the config from the flags of `add_settings`. Raises ValueError naming the flag at fault."""
    try:
        return config_class(**{name: getattr(arguments, name) for name in describe(config_class)})
    except ValueError as error:
        field = rf"{config_class.__name__}\.(\w+)"
        flag = re.sub(field, lambda found: f"--{found[1].replace('_', '-')}", str(error))
        raise ValueError(flag) from error


def add_pictures(parser: Parser, what: str = "style pictures") -> None:
    """Add the positional PICTURE..., files or folders."""
    parser.add_argument(
        "pictures", nargs="+", metavar="PICTURE", help=f"{what}: picture files, or folders of them"
    )


def add_loss_network(parser: Parser) -> None:
    """`--vgg NAME`."""
    parser.add_argument(
        "--vgg",
        default="loss",
        metavar="NAME",
        help="network of the loss: loss or slim (both shipped), a .safetensors in the model folder, or the "
        "path of one (default loss)",
    )


def add_content(parser: Parser) -> None:
    """`--content DIR`."""
    parser.add_argument(
        "--content",
        nargs="+",
        metavar="PICTURE",
        help="photographs to practice on, files or folders (default: a built-in set of scenes)",
    )


def add_device(parser: Parser) -> None:
    """`--device auto|cpu|cuda`."""
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="device to compute on; auto uses CUDA if available (default auto)",
    )


def add_output(parser: Parser, what: str, metavar: str, **more: Any) -> None:
    """Add `-o` and `--overwrite`."""
    parser.add_argument("-o", "--output", required=True, metavar=metavar, help=what, **more)
    parser.add_argument("--overwrite", action="store_true", help="replace existing files")


def _flag(name: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    default = declared["default"]
    shown = " ".join(map(str, default)) if isinstance(default, tuple) else default
    found: dict[str, Any] = {"dest": name, "default": default}
    if declared["options"]:
        found |= {"choices": declared["options"], "type": type(default)}
        help = f"{declared['help']} (default {shown})"
    elif isinstance(default, bool):
        found |= {"action": argparse.BooleanOptionalAction}
        help = f"{declared['help']} (default {'on' if default else 'off'})"
    else:
        allowed = f"{declared['minimum']} to {declared['maximum']}"
        items = default if isinstance(default, tuple) else (default,)
        found |= {"type": _reader(type(items[0])), "metavar": "N"}
        found |= {"nargs": len(items)} if isinstance(default, tuple) else {}
        help = f"{declared['help']} ({allowed}; default {shown})"
    return found | {"help": help.replace("%", "%%")}


def _reader(kind: type) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return kind(text)
        except ValueError:
            return text  # the config refuses it and names the allowed range

    return read
