"""Nodes that measure: scores of a painted picture, and plots of losses."""

# ruff: noqa: N802 (INPUT_TYPES and its like are ComfyUI's names)

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..pstyle.evaluation.scoring import ScaleConfig, mean_of, score_all, score_lines
from ..pstyle.nets.pretrained import NAME as IMAGENET
from ..pstyle.nets.vgg import VGG, load_loss_vgg, load_vgg
from ..pstyle.plots.curves import discriminator_plot, loss_plot
from . import host
from .files import model_file, model_files
from .widgets import widgets, wire
from .wires import (
    HISTORY_WIRE,
    LOSS_MAP_WIRE,
    STYLE_SET_WIRE,
    VGG_WIRE,
    History,
    StyleSet,
    liked,
    to_history,
    to_rgb,
    to_wire,
)

SCORES = {
    "style": "Distance from the style pictures in VGG features: lower is closer; photographs start near 0.4.",
    "patch_swd": "Distance from the style pictures in small patches: lower is closer.",
    "color": "Distance from the colors of the style pictures, in CIE Lab units: lower is closer.",
    "content": "Distance from the content in VGG features: 0 is identical, 2 is unrelated.",
    "ssim": "Structural similarity to the content: 1 is identical.",
    "edge_f1": "Agreement of the strongest edges with those of the content: 1 is identical.",
    "copied": "Share of patches copied from the style pictures: 0 is none.",
}
DEFAULT_JUDGE = f"By default {IMAGENET} if it is in models/pstyle, otherwise the shipped one."
PLOTS = {"losses": loss_plot, "discriminator": discriminator_plot}


class PStyleScore:
    """Painted pictures, contents and style pictures -> scores."""

    TITLE = "Score"
    CATEGORY = "pstyle/measure"
    DESCRIPTION = (
        "Scores painted pictures with measures that no training optimizes, averaged over a batch. Compare "
        "scores only between pictures of one size, judged by one VGG. The report can add a scale from the "
        "content (0 %) to its pixels optimized for the style (100 %)."
    )
    RETURN_TYPES = ("STRING", *["FLOAT"] * len(SCORES))
    RETURN_NAMES = ("report", *SCORES)
    OUTPUT_TOOLTIPS = ("All scores as text, one per line.", *SCORES.values())
    FUNCTION = "score"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "image": wire("IMAGE", "The painted pictures."),
                "content": wire("IMAGE", "The pictures before painting: one for all, or one for each."),
                "style_set": wire(STYLE_SET_WIRE, "The style pictures."),
            },
            "optional": {
                "vgg": wire(VGG_WIRE, f"The network that judges. {DEFAULT_JUDGE}"),
                **widgets(ScaleConfig),
            },
        }

    def score(
        self,
        image: Tensor,
        content: Tensor,
        style_set: StyleSet,
        vgg: VGG | None = None,
        scale: bool = ScaleConfig.scale,
        scale_steps: int = ScaleConfig.scale_steps,
    ) -> dict[str, Any]:
        config = ScaleConfig(scale, scale_steps)
        device = host.compute_device()
        painted, before = to_rgb(image).to(device), to_rgb(content, "content").to(device)
        if len(before) not in (1, len(painted)):
            counts = f"{len(before)} contents for {len(painted)} pictures"
            raise ValueError(f"got {counts}: give one content, or one for each picture")
        styles = [picture.to(device) for picture in liked(style_set)[0]]
        name, judge = ("the wired VGG", vgg) if vgg else default_judge()
        watch = host.Watch()
        with torch.inference_mode(False), host.borrowed(judge) as judge:
            found = mean_of(
                [
                    score_all(
                        painted[[i]].clone(),
                        before[[min(i, len(before) - 1)]].clone(),
                        styles,
                        judge,
                        config,
                        watch,
                    )
                    for i in host.watched(range(len(painted)))
                ]
            )
        report = "\n".join(score_lines(found, name))
        return {"ui": {"text": [report]}, "result": (report, *(found.scores[name] for name in SCORES))}


def default_judge() -> tuple[str, VGG]:
    """ImageNet's VGG-19 if it is in models/pstyle, else the shipped network; with its name."""
    file = f"{IMAGENET}{host.SUFFIX}"
    with torch.inference_mode(False):
        if file in model_files("pstyle.vgg"):
            return IMAGENET, load_vgg(model_file(file))
        return "loss (shipped)", load_loss_vgg()


class PStyleLossPlot:
    """Losses of a loop -> a plot as a picture."""

    TITLE = "Loss Plot"
    CATEGORY = "pstyle/measure"
    DESCRIPTION = "Plots the losses of a training run, or how the discriminator did during fine-tuning."
    RETURN_TYPES = ("IMAGE",)
    RETURN_NAMES = ("plot",)
    OUTPUT_TOOLTIPS = ("The plot.",)
    FUNCTION = "plot"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        losses = "The history of learning or fine-tuning, or the losses of any training node."
        kind = "Losses over steps, or the discriminator's accuracy, gap and losses after fine-tuning."
        return {
            "required": {
                "losses": wire(f"{HISTORY_WIRE},{LOSS_MAP_WIRE}", losses),
                "kind": wire(list(PLOTS), kind, default="losses"),
            }
        }

    def plot(self, losses: History | dict[str, list[float]], kind: str) -> tuple[Tensor]:
        return (to_wire(PLOTS[kind](to_history(losses))),)
