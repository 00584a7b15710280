"""Random damage of every kind and amount that a restorer should handle."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .damage import Damage, Damaged, damaged
from .random_fields import BANDS

DRAWS = 96  # random numbers reserved for one damage, at least as many as it takes

Kind = tuple[float, Callable[["Dice"], dict]]  # its probability, and its settings if present


class Dice:
    """Chances and amounts from a stream of uniform numbers."""

    def __init__(self, rng: torch.Generator) -> None:
        self.numbers: Iterator[float] = iter(torch.rand(DRAWS, generator=rng).tolist())

    def chance(self, share: float) -> bool:
        return next(self.numbers) < share

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * next(self.numbers)

    def factor(self, low: float, high: float) -> float:
        """Between two positive numbers, uniform in the logarithm."""
        return math.exp(self.between(math.log(low), math.log(high)))

    def around(self, value: float, radius: float) -> tuple[float, float, float]:
        """Three numbers, for red, green and blue, near a value."""
        return tuple(value + self.between(-radius, radius) for _ in range(3))


def random_damage(
    rng: torch.Generator, harshness: float = 1.0, kinds: Sequence[Kind] | None = None
) -> Damage:
    """A random combination of several kinds of damage, by default of KINDS; `rng` is on the CPU.

    A `harshness` below 1 makes all kinds rarer.
    """
    dice, found = Dice(rng), {}
    for chance, draw in KINDS if kinds is None else kinds:
        if dice.chance(chance * harshness):
            found |= draw(dice)
    return Damage(**found)


def _blur(dice: Dice) -> dict:
    return {"blur_px": dice.factor(0.3, 2.5)}


def _scan_blur(dice: Dice) -> dict:
    return {"scan_blur_px": dice.factor(0.3, 1.2)}


def _screen(dice: Dice) -> dict:
    return {
        "screen": dice.between(0.04, 0.25),
        "screen_px": dice.factor(2.5, 9),
        "screen_degrees": dice.between(0, 90) if dice.chance(0.5) else 45.0,
    }


def _fade(dice: Dice) -> dict:
    cast = dice.between(0, 0.15)
    return {
        "saturation": 0.0 if dice.chance(0.25) else dice.between(0.3, 1.1),  # 0: a toned monochrome print
        "black": dice.around(dice.between(-0.03, 0.25), cast),
        "white": dice.around(dice.between(0.65, 1.03), cast),
        "gamma": dice.around(dice.factor(0.65, 1.5), cast),
    }


def _stains(dice: Dice) -> dict:
    tint = dice.between(0.4, 0.9)
    return {
        "stain_share": dice.factor(0.02, 0.4),
        "stain_px": dice.factor(30, 400),
        "stain_color": (tint, tint * dice.between(0.8, 1), tint * dice.between(0.5, 1)),
    }


def _grain(dice: Dice) -> dict:
    # White noise, as from sensors, is as common as the soft grain of scanned film.
    fall = dice.between(0, 3) * dice.between(0, 1)
    soft_px = dice.between(0.3, 1.1) if dice.chance(0.5) else 0.0
    return {
        "grain": dice.factor(0.008, 0.14),
        "grain_color": dice.between(0, 1) if dice.chance(0.6) else 0.0,
        "grain_slope": dice.between(-0.8, 0.8) if dice.chance(0.5) else 0.0,
        "grain_spectrum": _spectrum(soft_px, fall),
    }


def _soft_grain(dice: Dice) -> dict:
    # Typical of scanned prints and film, and the hardest to distinguish from texture.
    return {
        "grain": dice.factor(0.015, 0.08),
        "grain_color": dice.between(0, 1) if dice.chance(0.3) else 0.0,
        "grain_slope": dice.between(-0.8, 0.8) if dice.chance(0.5) else 0.0,
        "grain_spectrum": _spectrum(dice.between(0.4, 1.1)),
    }


def _spectrum(soft_px: float, fall: float = 0.0) -> tuple[float, ...]:
    """Relative amplitude by frequency of white noise blurred by `soft_px`, with an additional falloff."""
    middles = [(band + 0.5) / (2 * BANDS) for band in range(BANDS)]  # cycles per pixel
    return tuple(math.exp(-2 * fall * at - 2 * (math.pi * soft_px * at) ** 2) for at in middles)


def _scratches(dice: Dice) -> dict:
    return {
        "scratches_per_mp": dice.factor(8, 250),
        "scratch_length_px": dice.factor(20, 400),
        "scratch_width_px": dice.factor(0.8, 6),
    } | _mark_colors(dice)


def _dust(dice: Dice) -> dict:
    return {
        "dust_per_mp": dice.factor(20, 1500),
        "dust_px": dice.factor(1.5, 12),
    } | _mark_colors(dice)


def _mark_colors(dice: Dice) -> dict:
    return {
        "light_marks": dice.between(0, 1),
        "light_color": dice.around(0.875, 0.125),
        "dark_color": dice.around(0.075, 0.075),
    }


def _holes(dice: Dice) -> dict:
    return {"hole_share": dice.factor(0.01, 0.25), "hole_px": dice.factor(12, 160)} | _mark_colors(dice)


def _jpeg(dice: Dice) -> dict:
    return {"jpeg_quality": dice.between(20, 95)}


# The probability and the settings of each kind of damage; later ones override earlier ones.
KINDS = (
    (0.4, _blur), (0.6, _fade), (0.4, _stains), (0.4, _grain), (0.45, _soft_grain), (0.45, _scratches),
    (0.45, _dust), (0.1, _holes), (0.2, _scan_blur), (0.4, _jpeg), (0.2, _screen),
)  # fmt: skip
TONAL = tuple(kind for kind in KINDS if kind[1] in (_fade, _stains))


@dataclass(frozen=True)
class RandomDamage:
    """Damages pictures at random, each by some of `kinds`, and leaves a share of them clean."""

    clean_share: float = 0.1
    kinds: tuple[Kind, ...] = KINDS

    def __call__(self, image: Tensor, rng: torch.Generator) -> Damaged:
        """Damage pictures (B, 3, H, W); `rng` is on the CPU, noise is drawn on the pictures' device."""
        damages = [self.draw(rng) for _ in image]
        return damaged(image, damages, noise_on(image.device, rng))

    def draw(self, rng: torch.Generator) -> Damage:
        """One damage, or none."""
        left_alone = torch.rand(1, generator=rng).item() < self.clean_share
        return Damage() if left_alone else random_damage(rng, kinds=self.kinds)


# The fading of pictures that are known to be worn.
FADED = RandomDamage(clean_share=0.0, kinds=((1.0, _fade), (0.3, _stains)))


def noise_on(device: torch.device, rng: torch.Generator) -> torch.Generator:
    """A generator on the given device, seeded by one draw from a CPU generator."""
    seed = int(torch.randint(2**31 - 1, (1,), generator=rng))
    return torch.Generator(device).manual_seed(seed)
