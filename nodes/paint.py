"""Nodes that make pictures: painting in a learned style, and classic style transfer by optimization."""

# ruff: noqa: N802 (INPUT_TYPES and its like are ComfyUI's names)

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..pstyle.core.progress import Progress
from ..pstyle.losses.perceptual import perceptual_with
from ..pstyle.nets.vgg import VGG, load_vgg
from ..pstyle.painting.paint import SizeConfig, needed_bytes, paint_checked
from ..pstyle.style.paint_settings import PaintSettings
from ..pstyle.training.optimize import OptimizeConfig, optimize
from . import host
from .painting import PaintingNode
from .widgets import widgets, wire
from .wires import (
    GENERATOR_WIRE,
    HISTORY_WIRE,
    LOSS_MAP_WIRE,
    NO_MASK_RULE,
    OTHER_GENERATOR,
    STYLE_JUDGE,
    STYLE_SET_WIRE,
    STYLE_WIRE,
    TOTAL_LOSS,
    VGG_WIRE,
    BoundStyle,
    History,
    Networks,
    StyleSet,
    liked,
    to_library,
    to_loss_map,
    to_mask,
    to_wire,
)


class PStylePaint(PaintingNode):
    """Pictures and a style -> painted pictures."""

    TITLE = "Paint"
    DESCRIPTION = "Paints pictures of any size in a style. Their size and transparency are kept."
    OUTPUT_TOOLTIPS = ("The painted pictures.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        mask = "Painted where white, left alone where black. "
        second = "Painted where the mask is black, without a visible seam. Needs a mask."
        return {
            "required": {
                "image": wire("IMAGE", "The pictures to paint, of any size."),
                "style": wire(STYLE_WIRE, "The style to paint in."),
                **widgets(PaintSettings),
            },
            "optional": {
                "mask": wire("MASK", mask + NO_MASK_RULE),
                "generator": wire(GENERATOR_WIRE, OTHER_GENERATOR),
                "second_style": wire(STYLE_WIRE, second),
                **widgets(SizeConfig),
            },
        }

    @host.painting()
    def paint(
        self,
        image: Tensor,
        style: BoundStyle,
        mask: Tensor | None = None,
        generator: Networks | None = None,
        second_style: BoundStyle | None = None,
        tile: str = SizeConfig.tile,
        look_size_px: int = SizeConfig.look_size_px,
        **settings: Any,
    ) -> dict[str, Any]:
        how, size = PaintSettings(**settings), SizeConfig(tile, look_size_px)
        pictures, where = to_library(image), to_mask(mask)
        room = needed_bytes(*pictures.shape[2:], how, size.look_size_px)
        first, second = self.load([style, second_style], generator, room)
        watch = host.Watch().update
        return self.outputs(pictures, paint_checked(pictures, first, how, where, second, size, watch))


class PStyleOptimize:
    """A picture and a set of style pictures -> the picture, optimized toward the style."""

    TITLE = "Optimize Picture"
    CATEGORY = "pstyle/paint"
    DESCRIPTION = (
        "Optimizes the pixels of one picture until it has the style of others: the classic method, without "
        "a learned style. Each picture takes minutes. Use it as a reference to judge painted pictures by."
    )
    RETURN_TYPES = ("IMAGE", LOSS_MAP_WIRE, HISTORY_WIRE)
    RETURN_NAMES = ("image", "losses", "history")
    OUTPUT_TOOLTIPS = (
        "The optimized picture.",
        TOTAL_LOSS,
        "All losses per step, for Loss Plot.",
    )
    FUNCTION = "optimize"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "image": wire("IMAGE", "The picture to optimize, one at a time."),
                "style_set": wire(STYLE_SET_WIRE, "The pictures whose style it takes on."),
                **widgets(OptimizeConfig),
            },
            "optional": {"vgg": wire(VGG_WIRE, STYLE_JUDGE)},
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

        with host.training(), host.borrowed(vgg) as judge, host.borrowed(load_vgg()) as slim:
            perceptual = perceptual_with(slim, judge)
            styles, weights = liked(style_set)
            found = optimize(to_library(image), styles, perceptual, config, weights, on_step)
        return to_wire(found), to_loss_map(history), history
