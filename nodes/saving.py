"""The base class of the nodes that save a model file: its name, its folder, whether to overwrite."""

# ruff: noqa: N802 (INPUT_TYPES and its like are ComfyUI's names)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from ..pstyle.core.checkpoint import BadFile, path_in
from . import host
from .widgets import wire

NAME = "File name without folder or extension: letters, digits, spaces, dots, dashes and underscores."
OVERWRITE = (
    "Replaces an existing file of this name. When off, the existing file is kept and the node reports it."
)


class Saving:
    """An object of the pack -> its file in models/pstyle. Subclasses add `save`, which calls `saved`."""

    THING: ClassVar[dict[str, Any]]  # the input that takes it, as in INPUT_TYPES
    DEFAULT: ClassVar[str]  # name of its file
    RETURN_TYPES = ("STRING",)
    RETURN_NAMES = ("file",)
    FUNCTION = "save"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        name = wire("STRING", NAME, default=cls.DEFAULT)
        overwrite = wire("BOOLEAN", OVERWRITE, default=False)
        return {"required": cls.THING | {"name": name, "overwrite": overwrite}}

    @classmethod
    def VALIDATE_INPUTS(cls, name: str) -> bool | str:
        try:
            path_in(host.model_folders()[0], name, host.SUFFIX)
        except BadFile as error:
            return str(error)
        return True


def saved(name: str, write: Callable[[Path], None]) -> dict[str, Any]:
    """The node's result after writing the model file of this name."""
    path = path_in(host.save_folder(), name, host.SUFFIX)
    write(path)
    return {"ui": {"text": [path.name]}, "result": (path.name,)}
