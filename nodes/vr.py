"""Nodes for 360 and stereo pictures: painting, saving, scoring."""

# ruff: noqa: N802 (INPUT_TYPES and its like are ComfyUI's names)

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..pstyle.core.files import BadFile, path_in
from ..pstyle.style.paint_settings import PaintSettings
from ..pstyle.vr.gpano import save_panorama
from ..pstyle.vr.panorama import needed_sphere_bytes, paint_checked_panorama
from ..pstyle.vr.seam_scores import SeamConfig, mean_scores, score_lines, seam_scores
from ..pstyle.vr.sphere import check_panorama
from ..pstyle.vr.stereo import StereoConfig, needed_stereo_bytes, paint_checked_stereo, relaid
from . import host
from .painting import PaintingNode
from .saving import NAME
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
)

FORMATS = ("jpg", "png")
MOST_DISPARITY_PX = 4096.0


class PStylePaint360(PaintingNode):
    """360 pictures and a style -> painted 360 pictures."""

    TITLE = "Paint 360"
    DESCRIPTION = (
        "Paints 360 pictures (equirectangular panoramas) without a seam. Strokes keep their size up to the "
        "poles, and turning the panorama does not change the painting."
    )
    OUTPUT_TOOLTIPS = ("The painted 360 pictures. Use Save 360 so that viewers open them as such.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        mask = "Painted where white, left alone where black. "
        return {
            "required": {
                "image": wire("IMAGE", "Equirectangular pictures of a full sphere, twice as wide as high."),
                "style": wire(STYLE_WIRE, "The style to paint in."),
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
        image: Tensor,
        style: BoundStyle,
        mask: Tensor | None = None,
        generator: Networks | None = None,
        **settings: Any,
    ) -> dict[str, Any]:
        how, pictures, where = PaintSettings(**settings), to_library(image), to_mask(mask)
        room = needed_sphere_bytes(*pictures.shape[2:], how)
        (painter,) = self.load([style], generator, room)
        watch = host.Watch().update
        return self.outputs(pictures, paint_checked_panorama(painter, pictures, how, where, on_picture=watch))


class PStylePaintStereo(PaintingNode):
    """Stereo pictures and a style -> painted stereo pictures."""

    TITLE = "Paint Stereo"
    DESCRIPTION = (
        "Paints stereo pairs, flat or 360, so that both eyes agree: strokes sit on objects at their own "
        "depth."
    )
    OUTPUT_TOOLTIPS = ("The painted pictures of both eyes, arranged as out_layout says.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        disparity = (
            "How far to the left the right eye sees each pixel of the left eye: black is 0, white is "
            "disparity_px. Without it, disparity is estimated from the pictures."
        )
        white = "The disparity that white stands for, in pixels. Used only with a disparity input."
        options = {"default": 64.0, "min": 0.0, "max": MOST_DISPARITY_PX, "step": 1.0, "round": False}
        return {
            "required": {
                "image": wire("IMAGE", "Pictures with both eyes, the left one at the left or on top."),
                "style": wire(STYLE_WIRE, "The style to paint in."),
                **widgets(StereoConfig),
                **widgets(PaintSettings),
            },
            "optional": {
                "disparity": wire("MASK", disparity),
                "disparity_px": wire("FLOAT", white, **options),
                "generator": wire(GENERATOR_WIRE, OTHER_GENERATOR),
            },
        }

    @host.painting()
    def paint(
        self,
        image: Tensor,
        style: BoundStyle,
        disparity: Tensor | None = None,
        disparity_px: float = 64.0,
        generator: Networks | None = None,
        **settings: Any,
    ) -> dict[str, Any]:
        config = StereoConfig(**{name: settings.pop(name) for name in widgets(StereoConfig)})
        how, pictures, known = PaintSettings(**settings), to_library(image), to_mask(disparity)
        if not 0 <= disparity_px <= MOST_DISPARITY_PX:
            raise ValueError(f"disparity_px must be from 0 to {MOST_DISPARITY_PX:.0f}, got {disparity_px}")
        shifts = None if known is None else known * disparity_px
        room, before = needed_stereo_bytes(*pictures.shape[2:], config, how), relaid(pictures, config)
        (painter,) = self.load([style], generator, room)
        watch = host.Watch().update
        painted = paint_checked_stereo(painter, pictures, config, how, shifts, on_picture=watch)
        return self.outputs(before, painted)


class PStyleSeamScore:
    """360 or stereo pictures -> scores of seams, poles and agreement of the eyes."""

    TITLE = "Seam Score"
    CATEGORY = "pstyle/measure"
    DESCRIPTION = (
        "Checks whether 360 pictures close without a seam, whether their poles look pinched, and whether "
        "both eyes of stereo pictures agree, averaged over a batch."
    )
    RETURN_TYPES = ("STRING", "FLOAT", "FLOAT", "FLOAT", "FLOAT")
    RETURN_NAMES = ("report", "seam", "pole", "eyes", "eyes_ratio")
    OUTPUT_TOOLTIPS = (
        "All scores as text, one per line.",
        "Step at the seam, relative to neighboring columns: 1 is no seam; 0 for flat pictures.",
        (
            "Gradients around the poles, relative to those toward them: about 1 is not pinched; 0 for flat "
            "pictures."
        ),
        "Mean difference between what both eyes see, from 0 to 1; 0 for pictures with one eye.",
        "The same relative to the content: at 1 the eyes agree as well as before; 0 without a content.",
    )
    FUNCTION = "score"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        content = (
            "The pictures before painting, used to match the eyes and for eyes_ratio: one for all, or one "
            "for each."
        )
        return {
            "required": {"image": wire("IMAGE", "The pictures to score."), **widgets(SeamConfig)},
            "optional": {"content": wire("IMAGE", content)},
        }

    def score(self, image: Tensor, kind: str, layout: str, content: Tensor | None = None) -> dict[str, Any]:
        config, pictures = SeamConfig(kind, layout), to_rgb(image).split(1)
        befores = [None] if content is None else list(to_rgb(content, "content").split(1))
        if len(befores) not in (1, len(pictures)):
            counts = f"{len(befores)} contents for {len(pictures)} pictures"
            raise ValueError(f"got {counts}: give one content, or one for each picture")
        found = [
            seam_scores(pictures[number], config, befores[min(number, len(befores) - 1)])
            for number in host.watched(range(len(pictures)))
        ]
        scores = mean_scores(found)
        report = "\n".join(score_lines(scores, config, content is not None))
        result = (report, scores.seam, scores.pole, scores.eyes, scores.eyes_ratio)
        return {"ui": {"text": [report]}, "result": result}


class PStyleSave360:
    """360 pictures -> files that viewers open as 360."""

    TITLE = "Save 360"
    CATEGORY = "pstyle/paint"
    DESCRIPTION = (
        "Saves 360 pictures in the output folder with GPano metadata, which tells viewers and websites that "
        "the picture is a full sphere. ComfyUI's own Save Image does not write it."
    )
    RETURN_TYPES = ("STRING",)
    RETURN_NAMES = ("file",)
    OUTPUT_TOOLTIPS = ("The file names in the output folder, one per line.",)
    FUNCTION = "save"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        kind = "Most viewers expect a JPEG. A PNG is lossless."
        overwrite = "Replaces existing files of this name. When off, they are kept and the node reports it."
        return {
            "required": {
                "image": wire("IMAGE", "Equirectangular pictures, twice as wide as high."),
                "name": wire("STRING", NAME, default="my_360"),
                "format": wire(list(FORMATS), kind, default=FORMATS[0]),
                "overwrite": wire("BOOLEAN", overwrite, default=False),
            }
        }

    @classmethod
    def VALIDATE_INPUTS(cls, name: str) -> bool | str:
        try:
            path_in(host.output_folder(), name, f".{FORMATS[0]}")
        except BadFile as error:
            return str(error)
        return True

    def save(self, image: Tensor, name: str, format: str, overwrite: bool) -> dict[str, Any]:
        pictures = to_library(image) if format == "png" else to_rgb(image)
        check_panorama(pictures)
        names = [name] if len(pictures) == 1 else [f"{name}_{n}" for n in range(1, len(pictures) + 1)]
        paths = [path_in(host.output_folder(), one, f".{format}") for one in names]
        for path, picture in zip(paths, pictures.split(1), strict=True):
            save_panorama(path, picture, overwrite=overwrite)
        names = "\n".join(path.name for path in paths)
        return {"ui": {"text": [names]}, "result": (names,)}
