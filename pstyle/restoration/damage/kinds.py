"""Checks on scans: whether they are damaged alike, how much they vary, whether they are damaged at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .auxiliary_statistics import PRINT, measure_chroma, measure_tint, measure_tones
from .damage import Damage
from .damage_style import Spread
from .grain import measure_grain
from .jpeg import measure_quality
from .spots import measure_marks

# How much clean photographs differ from each other: the units of differences between scans.
TONE, CAST, GRAIN, MARKS = 0.08, 0.035, 0.35, 0.5
COLORED, CHROMA = 0.25, 0.15
FARTHEST = 5.0  # total distance from a scan to the nearest one of its kind, at most
FAINT_GRAIN, FAINT_MARKS = 0.006, 10.0  # found on every picture
FINE_JPEG = 85.0  # quality from which compression does not count as damage
FADED = 0.15  # rise of black, fall of white, or their color difference that counts as damage
GRAYED, BLURRED_PX = 0.3, 1.0


class DamageSignature(NamedTuple):
    """The statistics of one scan that identify its kind of damage."""

    black: Tensor  # (3,)
    white: Tensor
    chroma: float
    grain: float
    color: float
    marks: float  # in a million pixels
    quality: float | None
    gray: Tensor  # ()
    tint: Tensor  # (2, 3), of `measure_tint`


def signature_of(scan: Tensor, marked: Tensor) -> DamageSignature:
    """The signature of one scan (1, 3, H, W) that has marks where `marked` (1, 1, H, W) is not 0."""
    tones, grain = measure_tones([scan]), measure_grain([scan])
    marks = measure_marks([scan], [marked])
    count = marks.scratches_per_mp + marks.dust_per_mp
    quality = measure_quality(scan)
    black, white, chroma = tones[:, 0], tones[:, -1], measure_chroma(scan)
    line = (scan.mean(), measure_tint(scan))
    return DamageSignature(black, white, chroma, grain.deviation, grain.color, count, quality, *line)


def distance(one: DamageSignature, other: DamageSignature) -> float:
    """The distance of two signatures: about 1 to 3 for two scans of one kind."""
    parts = [
        (_log_grain(one) - _log_grain(other)) / GRAIN,
        (_log_marks(one) - _log_marks(other)) / MARKS,
        (one.chroma - other.chroma) / CHROMA,
    ]
    if min(one.grain, other.grain) > FAINT_GRAIN:
        parts.append((one.color - other.color) / COLORED)
    for a, b in ((one.black, other.black), (one.white, other.white)):
        parts.append((a - b).mean().item() / TONE / 2)  # depends most on a picture's content
        parts += ((a - a.mean() - b + b.mean()) / CAST).tolist()
    return math.sqrt(sum(part**2 for part in parts) / 2)


def check_one_kind(signatures: Sequence[DamageSignature]) -> None:
    """Raise ValueError, naming two scans, unless all are connected by pairs of the same kind.

    Scans of one kind may be far apart if they show different things, as long as others lie in between.
    """
    reached, left = [0], list(range(1, len(signatures)))
    while left:
        (i, j), far = min(
            (((i, j), distance(signatures[i], signatures[j])) for i in reached for j in left),
            key=lambda pair: pair[1],
        )
        if far > FARTHEST:
            raise ValueError(
                f"scans {i + 1} and {j + 1} are damaged differently (they differ by {far:.1f}, scans of one "
                f"kind by up to {FARTHEST:g}): learn one style for each kind"
            )
        reached.append(j)
        left.remove(j)


def spread_of(signatures: Sequence[DamageSignature]) -> Spread:
    """How much scans differ beyond the usual differences of undamaged pictures."""
    if len(signatures) < 3:
        return Spread()
    white = torch.stack([signature.white for signature in signatures])  # (N, 3)
    grain = torch.tensor([_log_grain(signature) for signature in signatures])
    marks = torch.tensor([_log_marks(signature) for signature in signatures])
    quality = [signature.quality for signature in signatures if signature.quality is not None]
    return Spread(
        tone=_beyond(white.mean(1).var(), TONE, 0.5),
        cast=_cast_of(signatures),
        grain=_beyond(grain.var(), GRAIN / 2, 2.0),
        marks=_beyond(marks.var(), MARKS, 2.0),
        quality=min(30.0, torch.tensor(quality).std().item()) if len(quality) > 2 else 0.0,
    )


def _cast_of(signatures: Sequence[DamageSignature]) -> float:
    """Deviation of color casts; exact for monochrome prints, whose content adds nothing to it."""
    if all(signature.chroma < PRINT for signature in signatures):
        level = torch.stack([signature.gray for signature in signatures]).mean()
        cast, usual = (
            torch.stack([signature.tint[0] + level * signature.tint[1] for signature in signatures]),
            0.0,
        )
    else:
        white = torch.stack([signature.white for signature in signatures])
        cast, usual = white - white.mean(1, keepdim=True), CAST
    return _beyond(1.5 * cast.var(0).mean(), usual, 0.5)  # of three directions one is tone's


def check_damaged(damage: Damage) -> None:
    """Raise ValueError if the fitted damage is negligible."""
    black, white = damage.black, damage.white
    faded = max(min(black), 1 - max(white)) > FADED or damage.saturation < GRAYED
    cast = max(max(black) - min(black), max(white) - min(white)) > FADED
    marks = damage.scratches_per_mp + damage.dust_per_mp
    grain = max(damage.grain, damage.screen / 2) > FAINT_GRAIN
    rough = damage.jpeg_quality < FINE_JPEG or damage.blur_px > BLURRED_PX
    if not (faded or cast or marks or grain or rough):
        raise ValueError(
            "no damage was found in these pictures: no grain, marks, fading, blur or JPEG artifacts beyond "
            "those of clean pictures; give damaged scans"
        )


def _log_grain(signature: DamageSignature) -> float:
    return math.log(signature.grain + FAINT_GRAIN)


def _log_marks(signature: DamageSignature) -> float:
    return math.log(signature.marks + 2 * FAINT_MARKS)


def _beyond(variance: Tensor, usual: float, most: float) -> float:
    return min(most, math.sqrt(max(0.0, variance.item() - usual**2)))
