"""Nodes that measure: scores of a painted picture, and curves of a loop's losses."""

# ruff: noqa: N802 (INPUT_TYPES and its like are ComfyUI's names)

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..pstyle.metrics import score
from ..pstyle.plots import discriminator_plot, loss_plot
from ..pstyle.vgg import VGG, load_loss_vgg
from . import host
from .widgets import wire
from .wires import (
    HISTORY_WIRE,
    LOSS_MAP_WIRE,
    STYLE_SET_WIRE,
    VGG_WIRE,
    History,
    StyleSet,
    to_history,
    to_rgb,
    to_wire,
)

SCORES = {
    "style": "Distance from the style pictures in a VGG's features: lower is closer; photos start at 0.4.",
    "patch_swd": "Distance from the style pictures in small patches: lower is closer.",
    "color": "Distance from the colors of the style pictures, in CIE Lab units: lower is closer.",
    "content": "Distance from the content in a VGG's features: 0 is equal, 2 unrelated.",
    "ssim": "Structural similarity with the content: 1 is equal.",
    "edge_f1": "Agreement of the strongest edges with those of the content: 1 is equal.",
}
PLOTS = {"losses": loss_plot, "discriminator": discriminator_plot}


class PStyleScore:
    """Painted pictures, contents and style pictures -> scores."""

    TITLE = "Score"
    CATEGORY = "pstyle/measure"
    DESCRIPTION = (
        "Scores of painted pictures that no learning optimizes, averaged over a batch. They compare pictures "
        "of one size, judged by one VGG."
    )
    RETURN_TYPES = ("STRING", *["FLOAT"] * len(SCORES))
    RETURN_NAMES = ("report", *SCORES)
    OUTPUT_TOOLTIPS = ("All scores as text, one a line.", *SCORES.values())
    FUNCTION = "score"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "image": wire("IMAGE", "The painted pictures."),
                "content": wire("IMAGE", "The pictures before painting: one, or one for each."),
                "style_set": wire(STYLE_SET_WIRE, "The style pictures."),
            },
            "optional": {"vgg": wire(VGG_WIRE, "The network that judges. Without it, the shipped one.")},
        }

    def score(
        self, image: Tensor, content: Tensor, style_set: StyleSet, vgg: VGG | None = None
    ) -> dict[str, Any]:
        device = host.compute_device()
        painted, before = to_rgb(image).to(device), to_rgb(content, "content").to(device)
        if len(before) not in (1, len(painted)):
            counts = f"{len(before)} contents for {len(painted)} pictures"
            raise ValueError(f"got {counts}: give one content, or one for each picture")
        styles = [picture.to(device) for picture, _ in style_set]
        with host.borrowed(vgg or load_loss_vgg()) as judge:
            rows = [
                score(painted[[i]], before[[min(i, len(before) - 1)]], styles, judge)
                for i in host.watched(range(len(painted)))
            ]
        means = {name: sum(row[name] for row in rows) / len(rows) for name in SCORES}
        report = "\n".join(f"{name}: {value:.4f}" for name, value in means.items())
        return {"ui": {"text": [report]}, "result": (report, *means.values())}


class PStyleLossPlot:
    """Losses of a loop -> curves as a picture."""

    TITLE = "Loss Plot"
    CATEGORY = "pstyle/measure"
    DESCRIPTION = "Draws how losses went while learning, or how a discriminator fared while fine-tuning."
    RETURN_TYPES = ("IMAGE",)
    RETURN_NAMES = ("plot",)
    OUTPUT_TOOLTIPS = ("The curves.",)
    FUNCTION = "plot"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        losses = "The history of a learning or fine-tuning, or the losses of any training node."
        kind = "Losses over steps; or, after fine-tuning, the discriminator's accuracy, gap and losses."
        return {
            "required": {
                "losses": wire(f"{HISTORY_WIRE},{LOSS_MAP_WIRE}", losses),
                "kind": wire(list(PLOTS), kind, default="losses"),
            }
        }

    def plot(self, losses: History | dict[str, list[float]], kind: str) -> tuple[Tensor]:
        return (to_wire(PLOTS[kind](to_history(losses))),)
