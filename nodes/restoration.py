"""Nodes that restore pictures, detect damage, and load, save and fine-tune restorers."""

# ruff: noqa: N802 (INPUT_TYPES and its like are ComfyUI's names)

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..pstyle.nets.vgg import load_loss_vgg
from ..pstyle.painting.paint import needed_bytes
from ..pstyle.restoration.damage.damage_style import DamageStyle
from ..pstyle.restoration.repair.learning_restorer import LearnRestorerConfig, learn_restorer
from ..pstyle.restoration.repair.restorer import Restorer, load_restorer, save_restorer
from ..pstyle.restoration.repair.restoring import RepairConfig, RestorationPipeline, exact_mask
from ..pstyle.style.paint_settings import PaintSettings
from . import host
from .files import digest, model_file, model_files
from .painters import Painters
from .preview import before_after
from .saving import Saving, saved
from .widgets import widgets, wire
from .wires import (
    DAMAGE_WIRE,
    GENERATOR_WIRE,
    HISTORY_WIRE,
    LOSS_MAP_WIRE,
    NO_MASK_RULE,
    OTHER_GENERATOR,
    RESTORER_WIRE,
    STYLE_WIRE,
    TOTAL_LOSS,
    BoundStyle,
    History,
    Networks,
    to_library,
    to_loss_map,
    to_mask,
    to_rgb,
    to_wire,
)

SHIPPED_RESTORER = "shipped"
ORIGIN = "made in a workflow"  # noted in saved restorers
WITHOUT = "By default the shipped one."


class PStyleLearnRestorer:
    """Clean pictures -> a restorer."""

    TITLE = "Learn Restorer"
    CATEGORY = "pstyle/restore"
    DESCRIPTION = (
        "Fine-tunes the restorer on your own clean pictures, so that its repairs take on their look, and on "
        "a damage style if you give one. Takes minutes."
    )
    RETURN_TYPES = (RESTORER_WIRE, LOSS_MAP_WIRE, HISTORY_WIRE)
    RETURN_NAMES = ("restorer", "losses", "history")
    OUTPUT_TOOLTIPS = (
        "The trained restorer, ready to use or to save.",
        TOTAL_LOSS,
        "All losses per step, for Loss Plot.",
    )
    FUNCTION = "learn"
    INPUT_IS_LIST = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        clean = "Clean pictures, as a batch or a list, each at least as large as the crops."
        return {
            "required": {"clean": wire("IMAGE", clean), **widgets(LearnRestorerConfig)},
            "optional": {
                "damage": wire(
                    DAMAGE_WIRE, "Damage for half of the examples. Without it all kinds are used."
                ),
                "restorer": wire(RESTORER_WIRE, f"The restorer to start from. {WITHOUT}"),
            },
        }

    def learn(
        self,
        clean: list[Tensor],
        damage: list[DamageStyle] | None = None,
        restorer: list[Restorer] | None = None,
        **settings: list[Any],
    ) -> tuple[Restorer, dict[str, list[float]], History]:
        config = LearnRestorerConfig(**{name: values[0] for name, values in settings.items()})
        pictures, history, watch = [to_rgb(batch, "clean picture") for batch in clean], [], host.Watch()

        def on_step(record: dict[str, float]) -> None:
            history.append(record)
            watch.update(int(record["step"]), config.steps)

        start = restorer[0] if restorer else shipped_restorer()
        with host.training(), host.borrowed(start) as begun, host.borrowed(load_loss_vgg()) as vgg:
            found = learn_restorer(pictures, begun, vgg, config, damage[0] if damage else None, on_step)
        return found.cpu(), to_loss_map(history), history


class PStyleLoadRestorer:
    """File or shipped weights -> restorer."""

    TITLE = "Load Restorer"
    CATEGORY = "pstyle/restore"
    DESCRIPTION = (
        "Loads a restorer from models/pstyle. Without this node the shipped one is used. Files from other "
        "people are safe: all data is checked and no code is run."
    )
    RETURN_TYPES = (RESTORER_WIRE,)
    RETURN_NAMES = ("restorer",)
    OUTPUT_TOOLTIPS = ("The restorer, for repairs or further training.",)
    FUNCTION = "load"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        names = [SHIPPED_RESTORER, *model_files("pstyle.restorer")]
        tooltip = "The shipped restorer, or one of yours in models/pstyle."
        return {"required": {"name": wire(names, tooltip, default=SHIPPED_RESTORER)}}

    @classmethod
    def IS_CHANGED(cls, name: str) -> str:
        return name if name == SHIPPED_RESTORER else digest(name)

    def load(self, name: str) -> tuple[Restorer]:
        if name == SHIPPED_RESTORER:
            return (shipped_restorer(),)
        with torch.inference_mode(False):
            return (load_restorer(model_file(name)),)


class PStyleSaveRestorer(Saving):
    """Restorer -> file."""

    TITLE = "Save Restorer"
    CATEGORY = "pstyle/restore"
    DESCRIPTION = "Saves a restorer in models/pstyle as one file of 4 MB, to load again or to share."
    THING = {"restorer": wire(RESTORER_WIRE, "The restorer to save.")}
    DEFAULT = "my_restorer"
    OUTPUT_TOOLTIPS = ("The file name, as Load Restorer lists it.",)

    def save(self, restorer: Restorer, name: str, overwrite: bool) -> dict[str, Any]:
        return saved(name, lambda path: save_restorer(path, restorer, ORIGIN, overwrite=overwrite))


class PStyleRestore:
    """Damaged pictures -> restored pictures."""

    TITLE = "Restore"
    CATEGORY = "pstyle/restore"
    DESCRIPTION = (
        "Restores damaged pictures of any size: it undoes fading, grain, blur, scratches and dust, and "
        "fills in what a mask marks as lost. Undamaged pictures come back almost unchanged."
    )
    RETURN_TYPES = ("IMAGE", "IMAGE")
    RETURN_NAMES = ("image", "sheet")
    OUTPUT_TOOLTIPS = ("The restored pictures.", "Each picture before and after, side by side.")
    FUNCTION = "restore"

    def __init__(self) -> None:
        self.painters = Painters()
        self.pipelines = RestorationPipelines()

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        mask = "White where the picture is lost, in the picture's own size. "
        style = "A style for the filled areas. Without it they match their surroundings."
        return {
            "required": {
                "image": wire("IMAGE", "The damaged pictures, of any size."),
                **widgets(RepairConfig),
            },
            "optional": {
                "mask": wire("MASK", mask + NO_MASK_RULE),
                "restorer": wire(RESTORER_WIRE, f"The restorer to use. {WITHOUT}"),
                "style": wire(STYLE_WIRE, style),
                "generator": wire(GENERATOR_WIRE, OTHER_GENERATOR),
            },
        }

    def restore(
        self,
        image: Tensor,
        mask: Tensor | None = None,
        restorer: Restorer | None = None,
        style: BoundStyle | None = None,
        generator: Networks | None = None,
        **settings: Any,
    ) -> dict[str, Any]:
        config, pictures, lost = RepairConfig(**settings), to_library(image), to_mask(mask)
        masks: list[Tensor | None] = [None] * len(pictures)
        if lost is not None:
            masks = list(exact_mask(lost, pictures).split(1))
        room = needed_bytes(*pictures.shape[2:], PaintSettings(), reference_px=0)
        painter = None if style is None else self.painters.load([(style, generator)], room)[0]
        pipeline, restored = self.pipelines.load(restorer, room), []
        for picture, one in host.watched(list(zip(pictures.split(1), masks, strict=True))):
            with host.painting():
                restored.append(pipeline(picture, one, config, painter))
        result = torch.cat(restored)
        sheet = torch.cat([to_rgb(image), result[:, :3]], dim=3)
        return {"ui": before_after(pictures, result), "result": (to_wire(result), to_wire(sheet))}


class PStyleDetectDamage:
    """Damaged pictures -> masks of the damage."""

    TITLE = "Detect Damage"
    CATEGORY = "pstyle/restore"
    DESCRIPTION = (
        "Finds scratches, dust and holes and returns them as a mask for Restore. Check the mask and correct "
        "it where needed."
    )
    RETURN_TYPES = ("MASK", "FLOAT")
    RETURN_NAMES = ("mask", "share")
    OUTPUT_TOOLTIPS = ("White where damage was found.", "White share of the area, from 0 to 1.")
    FUNCTION = "detect"

    def __init__(self) -> None:
        self.pipelines = RestorationPipelines(torch.float32)  # float32, since a mask depends on a threshold

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {"image": wire("IMAGE", "The damaged pictures, of any size.")},
            "optional": {"restorer": wire(RESTORER_WIRE, f"The restorer to detect with. {WITHOUT}")},
        }

    def detect(self, image: Tensor, restorer: Restorer | None = None) -> tuple[Tensor, float]:
        pictures = to_rgb(image)
        pipeline = self.pipelines.load(
            restorer, needed_bytes(*pictures.shape[2:], PaintSettings(), reference_px=0)
        )
        with host.painting():
            found = pipeline.find_marks(pictures)[:, 0]
        return found.to(host.output_device()), found.mean().item()


class RestorationPipelines:
    """The cached pipeline of a node's last call, with its restorer managed by ComfyUI.

    `dtype` is the number format, by default the device's.
    """

    def __init__(self, dtype: torch.dtype | None = None) -> None:
        self.dtype = dtype
        self._wired: Restorer | None = None  # None for the shipped one
        self._kept: tuple[RestorationPipeline, host.Managed] | None = None

    def load(self, wired: Restorer | None, working_bytes: int) -> RestorationPipeline:
        """A pipeline on the compute device with room to work; the last call's if the restorer is the same."""
        if self._kept is None or self._wired is not wired:
            pipeline = RestorationPipeline(wired or shipped_restorer(), host.compute_device(), self.dtype)
            self._wired, self._kept = wired, (pipeline, host.Managed([pipeline.restorer]))
        pipeline, managed = self._kept
        managed.load(working_bytes)
        return pipeline


def shipped_restorer() -> Restorer:
    """The shipped restorer, trainable even if loaded under inference mode."""
    with torch.inference_mode(False):
        return load_restorer()
