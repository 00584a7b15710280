"""Fitting the damage parameters of a few scans without clean versions of them.

Auxiliary statistics of the scans are compared with those of practice pictures damaged with the current
parameters, which are corrected until both agree: indirect inference (Gouriéroux, Monfort & Renault, 1993).
A statistic's bias is the same on both sides and cancels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...core.config import check_settings, setting
from ...core.seeding import generator_of
from ...image.colors import luma
from .auxiliary_statistics import AuxiliaryStatistics, auxiliary_statistics, measure_jpeg, measure_tones
from .damage import Damage, damaged
from .damage_style import within
from .grain import Grain
from .halftone import measure_screen
from .spots import FindMarks, MarkStatistics

EXTREMES = 12.0  # weight of the darkest and lightest tones, which vary least between pictures
CURVED = 0.02  # penalty for a gamma of e or 1 / e, added to squared errors of tones
GAMMAS = torch.linspace(-0.9, 0.9, 61).exp()
LEAST_GRAIN = 0.004  # one step of 8 bits
LEAST_BLUR_PX = 0.35
STEP = 2.0  # largest factor by which sizes and counts change in one round, and sizes over all rounds
MANY = 2.0  # largest factor by which counts grow over all rounds
OFTEN = 1.5  # marks count only above this multiple of those found on clean pictures,
MORE_PER_MP = 15.0  # ... and above this many more per megapixel
COLORS = ("light_color", "dark_color")  # of marks


@dataclass(frozen=True)
class LearnDamageConfig:
    """Settings of learning a damage style."""

    rounds: int = setting(4, 1, 50, "how often practice pictures are damaged and compared with the scans")
    practice: int = setting(6, 2, 100, "number of practice pictures to draw if no clean ones are given")
    practice_px: int = setting(320, 128, 2048, "size of practice pictures in pixels")
    residue_steps: int = setting(60, 0, 10_000, "no effect; kept so that older workflows load")
    seed: int = setting(0, 0, 2**31 - 1, "random seed for practice pictures and their damage")

    def __post_init__(self) -> None:
        check_settings(self)


def fit_damage(
    scans: Sequence[Tensor],
    practice: Sequence[Tensor],
    config: LearnDamageConfig,
    find_marks: FindMarks,
    on_round: Callable[[int], None] = lambda done: None,
) -> Damage:
    """Find the parameters that give clean practice pictures the statistics of the scans.

    All pictures are (1, 3, H, W) with sides of at least 64 px.
    """
    c = config
    screen, quality = measure_screen(scans), measure_jpeg(scans)
    found, base = (auxiliary_statistics(pictures, find_marks, screen) for pictures in (scans, practice))
    aim = found.tones
    damage = _first(found, base, aim, practice)
    damage = replace(damage, jpeg_quality=quality) if quality is not None else damage
    if screen:
        period_px = within("screen_px", screen.period_px)
        damage = replace(damage, screen_px=period_px, screen_degrees=screen.degrees)
    for round in range(c.rounds):
        now = auxiliary_statistics(damaged_alike(practice, damage, c.seed), find_marks, screen)
        aim = aim + found.tones - now.tones
        damage = _corrected(damage, found, now, base, aim, practice)
        on_round(round + 1)
    return without_negligible(damage)


def damaged_alike(pictures: Sequence[Tensor], damage: Damage, seed: int) -> list[Tensor]:
    """Apply one damage to pictures, each (1, 3, H, W), with different random places."""
    rngs = [generator_of(seed, number) for number in range(len(pictures))]
    return [damaged(picture, [damage], rng).image for picture, rng in zip(pictures, rngs, strict=True)]


def _first(
    found: AuxiliaryStatistics, base: AuxiliaryStatistics, aim: Tensor, practice: Sequence[Tensor]
) -> Damage:
    grain, marks = found.grain, found.marks
    saturation = 0.0 if found.tint is not None else min(1.5, found.chroma / max(base.chroma, 1e-3))
    scratches, specks = _counts(marks, base.marks)
    return Damage(
        blur_px=within("blur_px", math.sqrt(max(0.0, found.softness - base.softness))),
        screen=within("screen", found.dots - base.dots),
        saturation=saturation,
        **fit_tones(_tones_at(practice, saturation), aim, found.tint),
        grain=within("grain", math.sqrt(max(0.0, grain.deviation**2 - base.grain.deviation**2))),
        grain_color=grain.color,
        grain_slope=grain.slope,
        grain_spectrum=grain.spectrum,
        scratches_per_mp=within("scratches_per_mp", scratches),
        scratch_length_px=within("scratch_length_px", marks.scratch_length_px or 100),
        scratch_width_px=within("scratch_width_px", marks.scratch_width_px or 1.5),
        dust_per_mp=within("dust_per_mp", specks),
        dust_px=within("dust_px", marks.dust_px or 3),
        light_marks=marks.light,
        **{name: getattr(marks, name) for name in COLORS if scratches + specks and getattr(marks, name)},
    )


def _corrected(
    damage: Damage,
    found: AuxiliaryStatistics,
    now: AuxiliaryStatistics,
    base: AuxiliaryStatistics,
    aim: Tensor,
    practice: Sequence[Tensor],
) -> Damage:
    """Correct parameters so that the statistics `now` come closer to those `found`."""
    colored = damage.saturation**2 + (found.chroma**2 - now.chroma**2) / max(base.chroma, 1e-3) ** 2
    saturation = 0.0 if found.tint is not None else min(1.5, math.sqrt(max(0.0, colored)))
    return replace(
        damage,
        blur_px=within("blur_px", math.sqrt(max(0.0, damage.blur_px**2 + found.softness - now.softness))),
        screen=within("screen", damage.screen + found.dots - now.dots),
        saturation=saturation,
        **fit_tones(_tones_at(practice, saturation), aim, found.tint),
        **_grain(damage, found.grain, now.grain),
        **_marks(damage, found.marks, now.marks, base.marks),
    )


def fit_tones(clean: Tensor, aim: Tensor, tint: Tensor | None = None) -> dict[str, tuple[float, ...]]:
    """Black, white and gamma of each color that map the tones `clean` (3, K) closest to `aim` (3, K).

    For each of many gammas, black and white follow from a least-squares line. The colors of a monochrome
    print, whose `tint` is known, lie on one line, so they take the values of gray.
    """
    if tint is not None:
        clean, aim = (tones.mean(0, keepdim=True) for tones in (clean, aim))
    weight = torch.ones(clean.shape[1])
    weight[[0, -1]] = EXTREMES
    bent = clean[:, None].clamp(1e-4, 1) ** GAMMAS[:, None]  # (3, G, K)
    x, y = (values - _weighed(values, weight) for values in (bent, aim[:, None].expand_as(bent)))
    slope = _weighed(x * y, weight) / _weighed(x * x, weight).clamp_min(1e-6)
    cost = _weighed((y - slope * x).square(), weight)[..., 0] + CURVED * GAMMAS.log().square() / len(weight)
    best = cost.argmin(1)  # (3,), of a print (1,)
    row = torch.arange(len(best))
    slope, mean = slope[row, best, 0], _weighed(bent, weight)[row, best, 0]
    black = _weighed(aim, weight)[:, 0] - slope * mean
    white = black + slope
    if tint is not None:
        black, white = (gray + tint[0] + gray * tint[1] for gray in (black, white))
    return {
        "black": tuple(within("black", value) for value in black.tolist()),
        "white": tuple(within("white", value) for value in white.tolist()),
        "gamma": tuple(GAMMAS[best].expand(3).tolist()),
    }


def _weighed(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum(-1, keepdim=True) / weight.sum()


def _tones_at(pictures: Sequence[Tensor], saturation: float) -> Tensor:
    grays = [luma(picture) for picture in pictures]
    return measure_tones(
        [gray + (picture - gray) * saturation for gray, picture in zip(grays, pictures, strict=True)]
    )


def _grain(damage: Damage, found: Grain, now: Grain) -> dict[str, float | tuple[float, ...]]:
    wanted, got = _amplitudes(found), _amplitudes(now)
    bands = [own * _step(a, b) for own, a, b in zip(damage.grain_spectrum, wanted, got, strict=True)]
    variance = damage.grain**2 + found.deviation**2 - now.deviation**2
    return {
        "grain": within("grain", math.sqrt(max(0.0, variance))),
        "grain_color": within("grain_color", damage.grain_color + found.color - now.color),
        "grain_slope": within("grain_slope", damage.grain_slope + found.slope - now.slope),
        "grain_spectrum": tuple(band / max(bands) for band in bands),
    }


def _amplitudes(grain: Grain) -> list[float]:
    """The amplitude of each band of the spectrum, with root mean square 1."""
    power = sum(band**2 for band in grain.spectrum) / len(grain.spectrum)
    return [band / math.sqrt(power) for band in grain.spectrum]


def _marks(
    damage: Damage, found: MarkStatistics, now: MarkStatistics, base: MarkStatistics
) -> dict[str, float]:
    """Correct counts and sizes of marks.

    Long scratches are found in pieces: their length stays as measured, and their number is set so that the
    total length agrees.
    """
    scratches, specks = _counts(found, base)
    many = damage.scratches_per_mp * _step(_together_px(found, base), _together_px(now, base))
    pieces = now.dust_per_mp - base.dust_per_mp - damage.dust_per_mp  # of scratches, too short for lines
    sized = {
        name: min(STEP * seen, max(seen / STEP, getattr(damage, name) * _step(seen, getattr(now, name))))
        for name in ("scratch_width_px", "dust_px")
        if (seen := getattr(found, name))
    }
    moved = sized | {
        "scratches_per_mp": min(many, MANY * scratches),
        "dust_per_mp": min(specks - pieces, MANY * specks),
        "light_marks": damage.light_marks + found.light - now.light,
    }
    return {name: within(name, value) for name, value in moved.items()}


def _together_px(marks: MarkStatistics, base: MarkStatistics) -> float:
    """The total length of scratches per megapixel, beyond that found on clean pictures."""
    own, usual = (one.scratches_per_mp * one.scratch_length_px for one in (marks, base))
    return own - usual


def _counts(marks: MarkStatistics, base: MarkStatistics) -> tuple[float, float]:
    """Scratches and specks per megapixel beyond those found on clean pictures, or 0."""
    both = ((getattr(one, name) for one in (marks, base)) for name in ("scratches_per_mp", "dust_per_mp"))
    scratches, specks = (own - usual if own > OFTEN * usual + MORE_PER_MP else 0.0 for own, usual in both)
    return scratches, specks


def _step(wanted: float, got: float) -> float:
    """The ratio of two values, at most STEP either way; 1 if either is missing."""
    if wanted <= 0 or got <= 0:
        return 1.0 if wanted == got or not wanted else STEP
    return max(1 / STEP, min(STEP, wanted / got))


def without_negligible(damage: Damage) -> Damage:
    """Remove negligible blur, and grain that is too weak or too smooth to be grain."""
    power = [band**2 for band in damage.grain_spectrum]
    fine = damage.grain * math.sqrt(sum(power[1:]) / max(sum(power), 1e-6))
    return replace(
        damage,
        blur_px=damage.blur_px if damage.blur_px >= LEAST_BLUR_PX else 0.0,
        grain=damage.grain if fine >= LEAST_GRAIN else 0.0,
    )
