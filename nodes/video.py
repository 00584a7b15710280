"""Nodes for video: painting frames without flicker, and measuring flicker."""

# ruff: noqa: N802 (INPUT_TYPES and its like are ComfyUI's names)

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..pstyle.painting.paint import needed_bytes
from ..pstyle.style.paint_settings import PaintSettings
from ..pstyle.video.flicker import flicker
from ..pstyle.video.stabilizing import VideoConfig, VideoPainter
from . import host
from .painting import PaintingNode
from .widgets import widgets, wire
from .wires import (
    GENERATOR_WIRE,
    NO_MASK_RULE,
    OTHER_GENERATOR,
    STYLE_WIRE,
    BoundStyle,
    Networks,
    to_library,
    to_mask,
    to_rgb,
    to_wire,
)


class PStylePaintVideo(PaintingNode):
    """The frames of a video and a style -> painted frames."""

    TITLE = "Paint Video"
    DESCRIPTION = (
        "Paints the frames of a video without flicker: paint stays on what it was put on and moves with it. "
        "Size and transparency of the frames are kept."
    )
    INPUT_IS_LIST = True
    OUTPUT_TOOLTIPS = ("The painted frames, as one batch.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        mask = "Painted where white, left alone where black: one for all frames, or one for each. "
        return {
            "required": {
                "image": wire("IMAGE", "The frames in order, as a batch or a list, all of one size."),
                "style": wire(STYLE_WIRE, "The style to paint in."),
                **widgets(VideoConfig),
                # Last, since workflow files store widgets by position, and these settings may grow.
                **widgets(PaintSettings),
            },
            "optional": {
                "mask": wire("MASK", mask + NO_MASK_RULE),
                "generator": wire(GENERATOR_WIRE, OTHER_GENERATOR),
            },
        }

    @host.painting()
    def paint(
        self,
        image: list[Tensor],
        style: list[BoundStyle],
        mask: list[Tensor] | None = None,
        generator: list[Networks] | None = None,
        **settings: list[Any],
    ) -> dict[str, Any]:
        given = {name: values[0] for name, values in settings.items()}
        config = VideoConfig(**{name: given.pop(name) for name in widgets(VideoConfig)})
        frames, masks = frames_of(image), masks_of(mask)
        if len(masks) > 1 and len(masks) != len(frames):
            raise ValueError(f"got {len(masks)} masks for {len(frames)} frames: give one, or one for each")
        how, (height, width) = PaintSettings(**given), frames[0].shape[1:3]
        (painter,) = self.load(style[:1], (generator or [None])[0], needed_bytes(height, width, how))
        video, painted = VideoPainter(painter, how, config), []
        for number in host.watched(range(len(frames))):  # one at a time, since a video may be long
            inside = masks[min(number, len(masks) - 1)] if masks else None
            painted.append(to_wire(video.paint_checked(to_library(frames[number], "frame"), inside)))
        middle = len(frames) // 2  # the first one is often black
        shown = (one[middle].movedim(-1, 1) for one in (frames, painted))
        return self.outputs(*shown, wired=torch.cat(painted))


class PStyleFlickerScore:
    """A painted video and the original -> flicker scores."""

    TITLE = "Flicker Score"
    CATEGORY = "pstyle/measure"
    DESCRIPTION = (
        "Measures how much a painted video flickers: each frame is compared with the next one, warped back "
        "along the motion of the original video, wherever both show the same thing."
    )
    INPUT_IS_LIST = True
    RETURN_TYPES = ("STRING", "FLOAT", "FLOAT", "FLOAT", "FLOAT")
    RETURN_NAMES = ("report", "warping_error", "of_content", "ratio", "sharpness")
    OUTPUT_TOOLTIPS = (
        "All scores as text, one per line.",
        "Mean squared change of the painted video along the motion: lower is calmer.",
        "The same for the original video: its noise, changes of light and errors of the motion estimate.",
        "The first divided by the second: at 1 the painted video flickers as much as the original.",
        "Mean brightness gradient of the painted video. A blurred video does not flicker either.",
    )
    FUNCTION = "score"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "image": wire("IMAGE", "The painted frames in order, as a batch or a list."),
                "content": wire("IMAGE", "The frames before painting, of the same number and size."),
            }
        }

    def score(self, image: list[Tensor], content: list[Tensor]) -> dict[str, Any]:
        painted, before = frames_of(image), frames_of(content, "content")
        pictures = (to_rgb(frame, "content") for frame in before)
        shown = (to_rgb(painted[number]) for number in host.watched(range(len(painted))))
        found = flicker(shown, pictures)
        scores = (found.painted, found.before, found.ratio, found.sharpness)
        named = zip(self.RETURN_NAMES[1:], scores, strict=True)
        report = "\n".join(f"{name:<14}{value:.6f}" for name, value in named)
        return {"ui": {"text": [report]}, "result": (report, *scores)}


def frames_of(images: Sequence[Tensor], what: str = "image") -> list[Tensor]:
    """Frames (1, H, W, C) from batches or single pictures, in order.

    Raises ValueError if there are none, if one is not an IMAGE, and if sizes differ.
    """
    for batch in images:
        if not isinstance(batch, Tensor) or batch.ndim != 4:
            got = tuple(batch.shape) if isinstance(batch, Tensor) else type(batch).__name__
            raise ValueError(f"{what} must be an IMAGE (batch, height, width, channels), got {got}")
    found = [frame for batch in images for frame in batch.split(1)]
    if not found:
        raise ValueError(f"{what} is an empty batch: give at least one frame")
    sizes = dict.fromkeys(tuple(frame.shape[1:]) for frame in found)
    if len(sizes) > 1:
        shown = " and ".join(f"{width}x{height} px of {channels}" for height, width, channels in [*sizes][:2])
        raise ValueError(f"the frames of a video have one size, got {shown} channels: scale them first")
    return found


def masks_of(masks: Sequence[Tensor] | None) -> list[Tensor]:
    """Masks (1, 1, H, W) from batches or single masks, in order; empty if they mean no mask."""
    found = [to_mask(mask) for mask in masks or []]
    return [one for mask in found if mask is not None for one in mask.split(1)]
