"""A damage style: the damage that a few scans share, how it varies, and its file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from ...core import checkpoint
from ...core.config import check_settings, describe, from_json, setting, to_json
from ...style.provenance import Provenance
from .damage import LOSSLESS, Damage, Damaged, damaged

KIND = "pstyle.damage"
KEYS = ("damage", "spread", "provenance")  # metadata of its file
VERSION = 2
# Files of version 1 also hold a small residual network, which is checked and then ignored.
TENSORS_OF_VERSION_1 = {
    "latent": (16,),
    "convs.0.weight": (24, 6, 3, 3), "convs.0.bias": (24,),
    "convs.1.weight": (24, 24, 3, 3), "convs.1.bias": (24,),
    "mods.0.weight": (48, 16), "mods.0.bias": (48,),
    "mods.1.weight": (48, 16), "mods.1.bias": (48,),
    "out.weight": (3, 24, 1, 1), "out.bias": (3,),
}  # fmt: skip
STRONGEST = 2.0
# The amounts, which fade with strength; sizes, spectra and shares of kinds stay.
AMOUNTS = (
    "blur_px", "saturation", "black", "white", "gamma", "stain_share", "screen", "grain",
    "scratches_per_mp", "dust_per_mp", "hole_share", "scan_blur_px", "jpeg_quality",
)  # fmt: skip


@dataclass(frozen=True)
class Spread:
    """How damage varies from scan to scan: standard deviations around the common damage."""

    tone: float = setting(
        0.0, 0.0, 0.5, "standard deviation of black and white together, the same for all colors"
    )
    cast: float = setting(
        0.0, 0.0, 0.5, "standard deviation of black and white together, for each color separately"
    )
    grain: float = setting(0.0, 0.0, 2.0, "standard deviation of the grain's logarithm")
    marks: float = setting(0.0, 0.0, 2.0, "standard deviation of the logarithm of the number of marks")
    quality: float = setting(0.0, 0.0, 30.0, "standard deviation of the JPEG quality")

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class DamagingConfig:
    """Settings of damaging pictures in a style."""

    seed: int = setting(
        0, 0, 2**31 - 1, "determines where marks and grain fall; the same seed gives the same damage"
    )
    strength: float = setting(
        1.0, 0.0, STRONGEST, "amount of damage: 0 is none, 1 is as learned, 2 is twice as much"
    )

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True, eq=False)
class DamageStyle:
    """The result of learning from scans: their common damage, and its spread."""

    damage: Damage
    spread: Spread = field(default_factory=Spread)
    provenance: Provenance = field(default_factory=Provenance)

    def draw(self, rng: torch.Generator, strength: float = 1.0) -> Damage:
        """Draw the damage of a new picture at a strength from 0 (none) to 2; `rng` is on the CPU.

        Raises ValueError for other strengths.
        """
        if not 0 <= strength <= STRONGEST:
            raise ValueError(f"strength must be from 0 to {STRONGEST:g}, got {strength}")
        dice = torch.randn(7, generator=rng).tolist()
        return _scaled(_varied(self.damage, self.spread, dice), strength)

    def damage_pictures(self, image: Tensor, rng: torch.Generator, strength: float = 1.0) -> Damaged:
        """Damage pictures (B, 3, H, W) in this style, each differently; strength 0 returns them unchanged."""
        damages = [self.draw(rng, strength) for _ in image]
        if strength == 0:
            nowhere = torch.zeros_like(image[:, :1])
            return Damaged(image, nowhere, nowhere, image)
        return damaged(image, damages, rng)


def save_damage(path: Path, style: DamageStyle, *, overwrite: bool = False) -> None:
    """Write a damage style, a few KB. Raises BadFile if the file exists and may not be replaced."""
    metadata = {
        "format": KIND,
        "version": str(VERSION),
        "damage": to_json(style.damage),
        "spread": to_json(style.spread),
        "provenance": to_json(style.provenance),
    }
    checkpoint.save(path, {}, metadata, overwrite=overwrite)


def load_damage(path: Path) -> DamageStyle:
    """Read a damage style, which is untrusted; the network in older files is ignored.

    Raises BadFile unless it is complete and valid.
    """
    _, metadata = checkpoint.load(path, _expected, kind=KIND, keys=KEYS, version=VERSION)
    return DamageStyle(
        from_json(Damage, metadata["damage"]),
        from_json(Spread, metadata["spread"]),
        from_json(Provenance, metadata["provenance"]),
    )


def describe_damage(style: DamageStyle) -> dict[str, object]:
    """The contents of a damage style by name: parameters, spread and provenance."""
    rounded = {name: _rounded(getattr(style.damage, name)) for name in describe(Damage)}
    spread = {f"{name}_spread": _rounded(getattr(style.spread, name)) for name in describe(Spread)}
    origin = {name: getattr(style.provenance, name) for name in describe(Provenance)}
    return rounded | spread | origin


def within(name: str, value: float) -> float:
    """The value clamped to the range of this setting of `Damage`."""
    declared = describe(Damage)[name]
    return max(declared["minimum"], min(declared["maximum"], value))


def _varied(damage: Damage, spread: Spread, dice: list[float]) -> Damage:
    tone, *casts, marks, grain, quality = dice
    tones = {
        name: tuple(
            within(name, value + spread.tone * tone + spread.cast * cast)
            for value, cast in zip(getattr(damage, name), casts, strict=True)
        )
        for name in ("black", "white")  # a scanner's light shifts both together
    }
    many = math.exp(spread.marks * marks)
    amounts = {"grain": damage.grain * math.exp(spread.grain * grain)}
    amounts |= {name: getattr(damage, name) * many for name in ("scratches_per_mp", "dust_per_mp")}
    if damage.jpeg_quality < LOSSLESS:
        amounts["jpeg_quality"] = min(damage.jpeg_quality + spread.quality * quality, LOSSLESS - 1)
    return replace(damage, **tones, **{name: within(name, value) for name, value in amounts.items()})


def _scaled(damage: Damage, strength: float) -> Damage:
    """A damage scaled by strength, from none at 0 to twice as much at 2."""
    none = Damage()

    def toward(name: str) -> float | tuple[float, ...]:
        start, end = getattr(none, name), getattr(damage, name)
        if isinstance(end, tuple):
            return tuple(within(name, a + strength * (b - a)) for a, b in zip(start, end, strict=True))
        return within(name, start + strength * (end - start))

    return replace(damage, **{name: toward(name) for name in AMOUNTS})


def _expected(metadata: Mapping[str, str]) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    for name, kind in (("damage", Damage), ("spread", Spread), ("provenance", Provenance)):
        from_json(kind, metadata[name])
    shapes = TENSORS_OF_VERSION_1 if metadata["version"] == "1" else {}
    return {name: (shape, torch.float16) for name, shape in shapes.items()}


def _rounded(value: float | tuple[float, ...]) -> float | tuple[float, ...]:
    return tuple(round(part, 3) for part in value) if isinstance(value, tuple) else round(value, 3)
