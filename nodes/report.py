"""The node that writes an HTML report about a style."""

# ruff: noqa: N802 (INPUT_TYPES and its like are ComfyUI's names)

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..pstyle.core.files import BadFile, path_in, write_atomically
from ..pstyle.evaluation.report import MAX_PHOTOS, report_of
from ..pstyle.nets.vgg import VGG
from . import host
from .measure import DEFAULT_JUDGE, default_judge
from .painters import Painters
from .saving import NAME, OVERWRITE
from .widgets import wire
from .wires import (
    GENERATOR_WIRE,
    HISTORY_WIRE,
    LOSS_MAP_WIRE,
    OTHER_GENERATOR,
    STYLE_SET_WIRE,
    STYLE_WIRE,
    VGG_WIRE,
    BoundStyle,
    History,
    Networks,
    StyleSet,
    liked,
    to_history,
    to_rgb,
)

SUFFIX = ".html"


class PStyleReport:
    """A style and pictures -> an HTML page in the output folder."""

    TITLE = "Style Report"
    CATEGORY = "pstyle/measure"
    DESCRIPTION = (
        "Writes a one-page report on a style to the output folder: what it was learned from, photographs "
        "before and after, strengths side by side, curves and scores. A single HTML file that works "
        "offline."
    )
    RETURN_TYPES = ("STRING",)
    RETURN_NAMES = ("file",)
    OUTPUT_TOOLTIPS = ("The file name in the output folder.",)
    FUNCTION = "write"
    OUTPUT_NODE = True

    def __init__(self) -> None:
        self.painters = Painters()

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        photos = f"Up to {MAX_PHOTOS} photographs to paint. Without them, drawn scenes are used."
        pictures = (
            "The pictures it was learned from, shown and used for scores. Without them there are no scores."
        )
        return {
            "required": {
                "style": wire(STYLE_WIRE, "The style to report on."),
                "name": wire("STRING", NAME, default="my_style"),
                "overwrite": wire("BOOLEAN", OVERWRITE, default=False),
            },
            "optional": {
                "photos": wire("IMAGE", photos),
                "style_set": wire(STYLE_SET_WIRE, pictures),
                "history": wire(
                    f"{HISTORY_WIRE},{LOSS_MAP_WIRE}", "The losses from learning, for the curves."
                ),
                "vgg": wire(VGG_WIRE, f"The network that judges. {DEFAULT_JUDGE}"),
                "generator": wire(GENERATOR_WIRE, OTHER_GENERATOR),
            },
        }

    @classmethod
    def VALIDATE_INPUTS(cls, name: str) -> bool | str:
        try:
            path_in(host.output_folder(), name, SUFFIX)
        except BadFile as error:
            return str(error)
        return True

    def write(
        self,
        style: BoundStyle,
        name: str,
        overwrite: bool,
        photos: Tensor | None = None,
        style_set: StyleSet | None = None,
        history: History | dict[str, list[float]] | None = None,
        vgg: VGG | None = None,
        generator: Networks | None = None,
    ) -> dict[str, Any]:
        path = path_in(host.output_folder(), name, SUFFIX)
        shown = [] if photos is None else to_rgb(photos, "photograph").split(1)
        if len(shown) > MAX_PHOTOS:
            raise ValueError(f"got {len(shown)} photographs, at most {MAX_PHOTOS} are allowed: choose some")
        painter = self.painters.load([(style, generator)], 0)[0]
        judge, network = ("the wired VGG", vgg) if vgg else default_judge()
        with host.borrowed(network) as judging:
            page = report_of(
                painter,
                path.stem,
                liked(style_set)[0] if style_set else [],
                [(f"photograph {number}", photo) for number, photo in enumerate(shown, start=1)],
                to_history(history or []),
                vgg=judging,
                judge=judge,
                follow=host.watched,
            )
        write_atomically(path, page.encode(), overwrite=overwrite)
        return {"ui": {"text": [path.name]}, "result": (path.name,)}
