"""Nodes that learn a person's taste from choices, and map styles and pictures."""

# ruff: noqa: N802 (INPUT_TYPES and its like are ComfyUI's names)

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ..pstyle.core.files import BadFile, path_in
from ..pstyle.style.answers import SUFFIX
from ..pstyle.taste.screen import (
    COMPARED_PX,
    LETTERS,
    SAME,
    SEEN_PX,
    UNDO,
    apply_answer,
    grid_of,
    shown_picture,
)
from ..pstyle.taste.style_map import map_of
from ..pstyle.taste.taste import TasteConfig, open_taste
from . import host
from .files import shipped_networks
from .widgets import widgets, wire
from .wires import (
    GENERATOR_WIRE,
    OTHER_GENERATOR,
    STYLE_SET_WIRE,
    STYLE_WIRE,
    BoundStyle,
    Networks,
    StyleSet,
    liked,
    to_rgb,
    to_wire,
)

NO_CHOICE = "-"
NO_PICTURES = "Without them, directions come from the style's preview."


class PStyleTasteTest:
    """A style, a picture and a choice -> the next candidates, and the style the choices lead to."""

    TITLE = "Taste Test"
    CATEGORY = "pstyle/learn"
    DESCRIPTION = (
        "Shows candidates on your picture. Choose the best one and queue again: after about eight answers "
        "the style is closer to your taste. Answers are kept in models/pstyle under the name you give. Set "
        f"the choice back to '{NO_CHOICE}' before you queue without answering."
    )
    RETURN_TYPES = (STYLE_WIRE, "IMAGE", "STRING", "FLOAT", "INT")
    RETURN_NAMES = ("style", "grid", "report", "agreement", "answers")
    OUTPUT_TOOLTIPS = (
        "The style that fits your answers so far.",
        "The next candidates, with their letters.",
        "Progress, as text.",
        "Share of answers that were predicted correctly in advance; 0 until there are four.",
        "The number of answers so far.",
    )
    FUNCTION = "choose"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        choice = (
            f"The best candidate shown. '{SAME}' means none is better, '{UNDO}' takes back the last answer."
        )
        name = "Name to keep your answers under: letters, digits, spaces, dots, dashes and underscores."
        return {
            "required": {
                "style": wire(STYLE_WIRE, "The style to start from; the same in every round."),
                "image": wire("IMAGE", "Your picture, on which candidates are shown."),
                "choice": wire([NO_CHOICE, *LETTERS, SAME, UNDO], choice, default=NO_CHOICE),
                "worst": wire([NO_CHOICE, *LETTERS], "The worst candidate, if you like.", default=NO_CHOICE),
                "name": wire("STRING", name, default="my_taste"),
                **widgets(TasteConfig),
            },
            "optional": {
                "style_set": wire(STYLE_SET_WIRE, f"The pictures the style was learned from. {NO_PICTURES}"),
                "generator": wire(GENERATOR_WIRE, OTHER_GENERATOR),
            },
        }

    @classmethod
    def IS_CHANGED(cls, **_: Any) -> float:
        return math.nan  # the output depends on the stored answers, and every run may add one

    @classmethod
    def VALIDATE_INPUTS(cls, name: str) -> bool | str:
        try:
            path_in(host.model_folders()[0], name, SUFFIX)
        except BadFile as error:
            return str(error)
        return True

    def choose(
        self,
        style: BoundStyle,
        image: Tensor,
        choice: str,
        worst: str,
        name: str,
        style_set: StyleSet | None = None,
        generator: Networks | None = None,
        **settings: Any,
    ) -> dict[str, Any]:
        path = path_in(host.save_folder(), name, SUFFIX)
        picture = to_rgb(image)[:1]
        networks = generator or style.networks or shipped_networks()
        with torch.inference_mode(False), host.borrowed(networks.both):
            pictures = liked(style_set)[0] if style_set else []
            taste = open_taste(
                style.style, pictures, networks.generator, networks.vgg, TasteConfig(**settings), path
            )
            if choice != NO_CHOICE and (
                taste.history.pending or choice == UNDO
            ):  # otherwise nothing was shown yet
                apply_answer(taste.history, choice if worst == NO_CHOICE else f"{choice} worst {worst}")
            small, large = (
                taste.space.painter(shown_picture(picture, px), networks.generator)
                for px in (COMPARED_PX, SEEN_PX)
            )
            grid = grid_of(taste.next_question(small), large)
            found, agreement = taste.style(), taste.agreement()
        report, count = taste.report(), len(taste.answers)
        bound = BoundStyle(found, generator or style.networks)
        result = (bound, to_wire(grid), report, agreement[0] if agreement else 0.0, count)
        return {"ui": {"text": [report]}, "result": result}


class PStyleStyleMap:
    """Pictures and styles -> a map of them."""

    TITLE = "Style Map"
    CATEGORY = "pstyle/measure"
    DESCRIPTION = "Maps pictures, styles and the candidates of a Taste Test: the closer, the more alike."
    RETURN_TYPES = ("IMAGE",)
    RETURN_NAMES = ("map",)
    OUTPUT_TOOLTIPS = (
        "Pictures in gray frames, styles in blue ones, candidates as dots, chosen candidates in orange.",
    )
    FUNCTION = "draw"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {"style_set": wire(STYLE_SET_WIRE, "The pictures to place.")},
            "optional": {
                "style": wire(STYLE_WIRE, "A style to place, with its Taste Test answers."),
                "second": wire(STYLE_WIRE, "Another style to place."),
            },
        }

    def draw(
        self, style_set: StyleSet, style: BoundStyle | None = None, second: BoundStyle | None = None
    ) -> tuple[Tensor]:
        bound = {"style": style, "second": second}
        styles = {name: one for name, one in bound.items() if one is not None}
        networks = next((one.networks for one in styles.values() if one.networks), None) or shipped_networks()
        pictures = [one.picture for one in style_set]
        found = {name: one.style for name, one in styles.items()}
        with torch.inference_mode(False), host.borrowed(networks.both):
            return (to_wire(map_of(pictures, found, networks.generator, networks.vgg)),)
