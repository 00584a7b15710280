"""Nodes that learn the damage of scans, apply it to pictures, and load and save it."""

# ruff: noqa: N802 (INPUT_TYPES and its like are ComfyUI's names)

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..pstyle.core.seeding import generator_of
from ..pstyle.restoration.damage.damage_style import (
    DamageStyle,
    DamagingConfig,
    describe_damage,
    load_damage,
    save_damage,
)
from ..pstyle.restoration.damage.fitting import LearnDamageConfig
from ..pstyle.restoration.damage.learning_damage import learn_damage
from . import host
from .files import as_lines, digest, model_file, model_files
from .saving import Saving, saved
from .widgets import widgets, wire
from .wires import DAMAGE_WIRE, to_rgb, to_wire


class PStyleLearnDamage:
    """Damaged scans -> a damage style."""

    TITLE = "Learn Damage"
    CATEGORY = "pstyle/restore"
    DESCRIPTION = (
        "Learns how a few scans are damaged, without clean versions of them: fading and color casts, blur, "
        "grain, scratches, dust, JPEG. All scans must be damaged in the same way."
    )
    RETURN_TYPES = (DAMAGE_WIRE, "STRING")
    RETURN_NAMES = ("damage", "report")
    OUTPUT_TOOLTIPS = (
        "The damage style, ready to use or to save.",
        "The parameters that were found, one per line.",
    )
    FUNCTION = "learn"
    INPUT_IS_LIST = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        clean = "Clean pictures of what the scans show or alike, for practice. Without them scenes are drawn."
        scans = "Damaged scans of one kind, as a batch or a list, at least 128 pixels on each side."
        return {
            "required": {"scans": wire("IMAGE", scans), **widgets(LearnDamageConfig)},
            "optional": {"clean": wire("IMAGE", clean)},
        }

    def learn(
        self, scans: list[Tensor], clean: list[Tensor] | None = None, **settings: list[Any]
    ) -> dict[str, Any]:
        config = LearnDamageConfig(**{name: values[0] for name, values in settings.items()})
        watch = host.Watch()
        pictures = [to_rgb(batch, "scan") for batch in scans]
        practice = [to_rgb(batch, "clean picture") for batch in clean or []]
        with torch.inference_mode(False):
            found = learn_damage(pictures, config, practice, on_step=watch.update)
        report = as_lines(describe_damage(found))
        return {"ui": {"text": [report]}, "result": (found, report)}


class PStyleDamagePicture:
    """Pictures and a damage style -> damaged pictures."""

    TITLE = "Damage Picture"
    CATEGORY = "pstyle/restore"
    DESCRIPTION = "Damages clean pictures the way your scans are damaged, each one differently."
    RETURN_TYPES = ("IMAGE", "MASK")
    RETURN_NAMES = ("image", "marks")
    OUTPUT_TOOLTIPS = ("The damaged pictures.", "Where scratches, dust and holes are.")
    FUNCTION = "damage"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "image": wire("IMAGE", "The clean pictures, of any size."),
                "damage": wire(DAMAGE_WIRE, "The damage style."),
                **widgets(DamagingConfig),
            }
        }

    def damage(self, image: Tensor, damage: DamageStyle, seed: int, strength: float) -> tuple[Tensor, Tensor]:
        config = DamagingConfig(seed, strength)
        made = [
            damage.damage_pictures(picture, generator_of(config.seed, number), config.strength)
            for number, picture in enumerate(host.watched(to_rgb(image).split(1)))
        ]
        marks = torch.cat([torch.maximum(one.marks, one.holes)[:, 0] for one in made])
        return to_wire(torch.cat([one.image for one in made])), marks.to(host.output_device())


class PStyleSaveDamage(Saving):
    """Damage style -> file."""

    TITLE = "Save Damage"
    CATEGORY = "pstyle/restore"
    DESCRIPTION = "Saves a damage style in models/pstyle as one small file, to load again or to share."
    THING = {"damage": wire(DAMAGE_WIRE, "The damage style to save.")}
    DEFAULT = "my_damage"
    OUTPUT_TOOLTIPS = ("The file name, as Load Damage lists it.",)

    def save(self, damage: DamageStyle, name: str, overwrite: bool) -> dict[str, Any]:
        return saved(name, lambda path: save_damage(path, damage, overwrite=overwrite))


class PStyleLoadDamage:
    """File -> damage style."""

    TITLE = "Load Damage"
    CATEGORY = "pstyle/restore"
    DESCRIPTION = (
        "Loads a damage style from models/pstyle. Files from other people are safe: all data is checked and "
        "no code is run."
    )
    RETURN_TYPES = (DAMAGE_WIRE, "STRING")
    RETURN_NAMES = ("damage", "about")
    OUTPUT_TOOLTIPS = ("The damage style, ready to use.", "What the file holds, one item per line.")
    FUNCTION = "load"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        tooltip = "A damage style in models/pstyle. Press R to refresh the list."
        return {"required": {"name": wire(model_files("pstyle.damage"), tooltip)}}

    @classmethod
    def IS_CHANGED(cls, name: str) -> str:
        return digest(name)

    def load(self, name: str) -> tuple[DamageStyle, str]:
        with torch.inference_mode(False):
            style = load_damage(model_file(name))
        return style, as_lines(describe_damage(style))
