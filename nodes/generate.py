"""Nodes that make pictures: painting in a learned style, and optimizing one picture the slow, classic way."""

# ruff: noqa: N802 (INPUT_TYPES and its like are ComfyUI's names)

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..pstyle.learning import Progress
from ..pstyle.optimize import OptimizeConfig, optimize
from ..pstyle.painter import MAX_STRENGTH, Painter, fitted_mask
from ..pstyle.perceptual import perceptual_with
from ..pstyle.vgg import VGG, load_vgg
from . import host
from .files import shipped_networks
from .widgets import widgets, wire
from .wires import (
    GENERATOR_WIRE,
    HISTORY_WIRE,
    LOSS_MAP_WIRE,
    NO_MASK_RULE,
    STYLE_SET_WIRE,
    STYLE_WIRE,
    VGG_WIRE,
    BoundStyle,
    History,
    Networks,
    StyleSet,
    to_library,
    to_loss_map,
    to_mask,
    to_wire,
)


class PStylePaint:
    """Pictures and a style -> painted pictures."""

    TITLE = "Paint"
    CATEGORY = "pstyle/paint"
    DESCRIPTION = "Paints pictures of any size in a style. Size and transparency of the pictures are kept."
    RETURN_TYPES = ("IMAGE",)
    RETURN_NAMES = ("image",)
    OUTPUT_TOOLTIPS = ("The painted pictures.",)
    FUNCTION = "paint"

    def __init__(self) -> None:
        self.bound: tuple[BoundStyle, Networks | None] | None = None  # what `painter` was made for
        self.painter: Painter | None = None

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        strength = "0 returns the picture, 1 is the style as it was learned, above 1 exaggerates it."
        keep_color = "Paint light and strokes only, and keep the colors of the picture."
        mask = "Where it is white the picture is painted, where it is black it stays. "
        generator = "The generator the style was learned with, if that is not the shipped one."
        return {
            "required": {
                "image": wire("IMAGE", "The pictures to paint, of any size."),
                "style": wire(STYLE_WIRE, "The style to paint in."),
                "strength": wire("FLOAT", strength, default=1.0, min=0.0, max=MAX_STRENGTH, step=0.05),
                "keep_color": wire("BOOLEAN", keep_color, default=False),
            },
            "optional": {
                "mask": wire("MASK", mask + NO_MASK_RULE),
                "generator": wire(GENERATOR_WIRE, generator),
            },
        }

    def paint(
        self,
        image: Tensor,
        style: BoundStyle,
        strength: float,
        keep_color: bool,
        mask: Tensor | None = None,
        generator: Networks | None = None,
    ) -> tuple[Tensor]:
        pictures, where = to_library(image), to_mask(mask)
        masks: list[Tensor | None] = [None] * len(pictures)
        if where is not None:
            masks = list(fitted_mask(where, pictures).expand(len(pictures), -1, -1, -1).split(1))
        painter = self._painter(style, generator)
        pairs = list(zip(pictures.split(1), masks, strict=True))
        painted = [painter(picture, strength, keep_color, where) for picture, where in host.watched(pairs)]
        return (to_wire(torch.cat(painted)),)

    def _painter(self, style: BoundStyle, generator: Networks | None) -> Painter:
        """The painter of the last call if it fits: a list of pictures calls this node once for each."""
        if self.painter is None or self.bound != (style, generator):
            networks = generator or style.networks or shipped_networks()
            self.painter = Painter(style.style, networks.generator, networks.vgg, host.compute_device())
            self.bound = style, generator
        return self.painter


class PStyleOptimize:
    """A picture and a set of style pictures -> the picture that a style loss wants."""

    TITLE = "Optimize Picture"
    CATEGORY = "pstyle/paint"
    DESCRIPTION = (
        "Changes the pixels of one picture until it has the style of others: the classic method, without a "
        "learned style. It takes minutes for each picture, and is what painting is measured against."
    )
    RETURN_TYPES = ("IMAGE", LOSS_MAP_WIRE, HISTORY_WIRE)
    RETURN_NAMES = ("image", "losses", "history")
    OUTPUT_TOOLTIPS = (
        "The optimized picture.",
        "The total loss of each step, as ComfyUI's own loss graph takes it.",
        "Every loss of each step, for Loss Plot.",
    )
    FUNCTION = "optimize"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        vgg = "The network that judges style. The ImageNet VGG-19 is best; without one, the shipped one."
        return {
            "required": {
                "image": wire("IMAGE", "The picture to optimize, one at a time."),
                "style_set": wire(STYLE_SET_WIRE, "The pictures whose style it takes on."),
                **widgets(OptimizeConfig),
            },
            "optional": {"vgg": wire(VGG_WIRE, vgg)},
        }

    def optimize(
        self, image: Tensor, style_set: StyleSet, vgg: VGG | None = None, **settings: Any
    ) -> tuple[Tensor, dict[str, list[float]], History]:
        config = OptimizeConfig(**settings)
        history: History = []
        watch = host.Watch()

        def on_step(progress: Progress) -> None:
            history.append({"step": progress.step} | progress.losses)
            watch(progress)

        with torch.inference_mode(False), host.borrowed(vgg) as judge, host.borrowed(load_vgg()) as slim:
            host.make_room()
            perceptual = perceptual_with(slim, judge)
            styles, weights = [entry[0] for entry in style_set], [entry[1] for entry in style_set]
            found = optimize(to_library(image), styles, perceptual, config, weights, on_step)
        return to_wire(found), to_loss_map(history), history
