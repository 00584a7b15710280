"""Nodes that read and write model files: a VGG, a generator, a style.

No input is ever a path. A file is chosen by a name that the folder lists at that moment, and written under a
name from an allow-list, so an untrusted workflow can reach nothing else.
"""

# ruff: noqa: N802 (INPUT_TYPES and its like are ComfyUI's names)

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from ..pstyle.core.checkpoint import MAX_FILE_BYTES, BadFile, find_file, list_files, read_file, read_metadata
from ..pstyle.nets.generator import load_generator
from ..pstyle.nets.vgg import load_loss_vgg, load_vgg
from ..pstyle.style.style import describe_style, load_style, save_style
from . import host
from .saving import Saving, saved
from .widgets import wire
from .wires import GENERATOR_WIRE, STYLE_WIRE, VGG_WIRE, BoundStyle, Networks

SHIPPED_VGGS = {"slim (shipped)": load_vgg, "loss (shipped)": load_loss_vgg}
SHIPPED_GENERATOR = "shipped"
FOREIGN = ""  # the format of files that name none, such as other people's VGG-19


def as_lines(description: Mapping[str, object]) -> str:
    """The contents of a file, one entry per line."""
    return "\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in description.items())


def model_files(*formats: str) -> list[str]:
    """Sorted names of the model files of these formats in all model folders."""
    found = {}
    for folder in host.model_folders():
        for name in list_files(folder, host.SUFFIX):
            entry = (folder / name).stat()
            found.setdefault(name, _format(folder / name, entry.st_mtime_ns, entry.st_size))
    return sorted(name for name, kind in found.items() if kind in formats)


def model_file(name: str) -> Path:
    """The path of a file that is in a model folder now, by its name. Raises BadFile for any other name."""
    folders = host.model_folders()
    holding = [folder for folder in folders if name in list_files(folder, host.SUFFIX)]
    return find_file((holding or folders)[0], name)


def digest(name: str) -> str:
    """SHA-256 of a model file's bytes."""
    return hashlib.sha256(read_file(model_file(name), MAX_FILE_BYTES)).hexdigest()


def shipped_networks() -> Networks:
    """The shipped networks, trainable even if loaded under inference mode."""
    with torch.inference_mode(False):
        return Networks(load_generator(), load_vgg())


@lru_cache(maxsize=4096)
def _format(path: Path, mtime_ns: int, size: int) -> str:
    try:
        return read_metadata(path).get("format", FOREIGN)
    except BadFile:
        return FOREIGN  # stays listed among foreign files; loading it reports the fault


class PStyleLoadVGG:
    """File or shipped weights -> VGG."""

    TITLE = "Load VGG"
    CATEGORY = "pstyle/files"
    DESCRIPTION = (
        "Loads a VGG, the network whose features represent style and content. Two come with the pack: a "
        "slim one for looking at features, and one for losses and scores. The ImageNet VGG-19 judges best "
        "but is slower: run 'python -m pstyle get-vgg', or put it into models/pstyle."
    )
    RETURN_TYPES = (VGG_WIRE,)
    RETURN_NAMES = ("vgg",)
    OUTPUT_TOOLTIPS = ("The network, for features, learning and scores.",)
    FUNCTION = "load"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        names = [*SHIPPED_VGGS, *model_files("pstyle.vgg", FOREIGN)]
        tooltip = "A shipped VGG, or a VGG-19 as .safetensors in models/pstyle."
        return {"required": {"name": wire(names, tooltip, default=names[0])}}

    @classmethod
    def IS_CHANGED(cls, name: str) -> str:
        return name if name in SHIPPED_VGGS else digest(name)

    def load(self, name: str) -> tuple[Any]:
        with torch.inference_mode(False):
            return (SHIPPED_VGGS[name]() if name in SHIPPED_VGGS else load_vgg(model_file(name)),)


class PStyleLoadGenerator:
    """File or shipped weights -> generator, with the VGG it reads."""

    TITLE = "Load Generator"
    CATEGORY = "pstyle/files"
    DESCRIPTION = (
        "Loads a generator, the network that paints, from a file made with 'python -m pstyle train-base'. "
        "Without this node the shipped one is used. A style works only with the generator it was learned "
        "with."
    )
    RETURN_TYPES = (GENERATOR_WIRE,)
    RETURN_NAMES = ("generator",)
    OUTPUT_TOOLTIPS = ("The generator, for learning and painting.",)
    FUNCTION = "load"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        names = [SHIPPED_GENERATOR, *model_files("pstyle.generator")]
        tooltip = "The shipped generator, or one of yours in models/pstyle."
        return {"required": {"name": wire(names, tooltip, default=SHIPPED_GENERATOR)}}

    @classmethod
    def IS_CHANGED(cls, name: str) -> str:
        return name if name == SHIPPED_GENERATOR else digest(name)

    def load(self, name: str) -> tuple[Networks]:
        with torch.inference_mode(False):
            generator = load_generator(None if name == SHIPPED_GENERATOR else model_file(name))
            vgg = load_vgg()
        if generator.config.vgg_width != vgg.width:
            raise ValueError(
                f"the generator {name!r} needs a VGG of width {generator.config.vgg_width}, the shipped one "
                f"has {vgg.width}: choose a generator trained for that width"
            )
        return (Networks(generator, vgg),)


class PStyleSaveStyle(Saving):
    """Style -> file."""

    TITLE = "Save Style"
    CATEGORY = "pstyle/files"
    DESCRIPTION = "Saves a style in models/pstyle as one file under 1 MB, to load again or to share."
    THING = {"style": wire(STYLE_WIRE, "The style to save.")}
    DEFAULT = "my_style"
    OUTPUT_TOOLTIPS = ("The file name, as Load Style lists it.",)

    def save(self, style: BoundStyle, name: str, overwrite: bool) -> dict[str, Any]:
        return saved(name, lambda path: save_style(path, style.style, overwrite=overwrite))


class PStyleLoadStyle:
    """File -> style."""

    TITLE = "Load Style"
    CATEGORY = "pstyle/files"
    DESCRIPTION = (
        "Loads a style from models/pstyle. Files from other people are safe: all data is checked and no "
        "code is run."
    )
    RETURN_TYPES = (STYLE_WIRE, "STRING")
    RETURN_NAMES = ("style", "about")
    OUTPUT_TOOLTIPS = ("The style, ready to paint with.", "What the style was learned from, and how.")
    FUNCTION = "load"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        tooltip = "A style in models/pstyle. Press R to refresh the list."
        return {"required": {"name": wire(model_files("pstyle.style"), tooltip)}}

    @classmethod
    def IS_CHANGED(cls, name: str) -> str:
        return digest(name)

    def load(self, name: str) -> tuple[BoundStyle, str]:
        with torch.inference_mode(False):
            style = load_style(model_file(name))
        return BoundStyle(style), as_lines(describe_style(style))
