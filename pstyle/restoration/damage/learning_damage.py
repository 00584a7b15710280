"""Learning a damage style from a few damaged scans: checks, parameters and spread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import torch
from torch import Tensor

from ... import __version__
from ...core.config import to_json
from ...image.crops import single_pictures
from ...style.provenance import Provenance
from ..repair.restoring import RestorationPipeline
from .damage_style import DamageStyle
from .fitting import LearnDamageConfig, fit_damage
from .kinds import check_damaged, check_one_kind, signature_of, spread_of
from .practice import LEAST_PX, middle, practice_pictures
from .spots import FindMarks

MOST_PX = 768  # scans above it are center-cropped
MAX_SCANS = 50
OnStep = Callable[[int, int], None]  # steps done, steps in all


def learn_damage(
    scans: Sequence[Tensor],
    config: LearnDamageConfig | None = None,
    clean: Sequence[Tensor] | None = None,
    find_marks: FindMarks | None = None,
    on_step: OnStep = lambda done, total: None,
) -> DamageStyle:
    """Learn the damage style of 1 to 50 scans (B, 3, H, W) of one kind.

    `clean` pictures show similar subjects but are not clean versions of the scans; without any, scenes are
    drawn. `find_marks` defaults to the shipped restorer's. Raises ValueError for scans that are too small or
    too many, damaged differently, or not damaged.
    """
    c = config or LearnDamageConfig()
    pictures = [middle(scan, MOST_PX) for scan in single_pictures(scans, "scan", LEAST_PX)]
    if len(pictures) > MAX_SCANS:
        raise ValueError(f"got {len(pictures)} scans, 1 to {MAX_SCANS} are allowed: choose some")
    find_marks = find_marks or RestorationPipeline().find_marks
    signatures = [signature_of(picture, find_marks(picture)) for picture in pictures]
    check_one_kind(signatures)
    practice = practice_pictures(clean, c.practice, c.practice_px, c.seed)
    damage = fit_damage(pictures, practice, c, find_marks, lambda done: on_step(done, c.rounds))
    check_damaged(damage)
    return DamageStyle(damage, spread_of(signatures), _provenance(pictures, c))


def _provenance(scans: Sequence[Tensor], config: LearnDamageConfig) -> Provenance:
    sizes = ", ".join(f"{scan.shape[3]}x{scan.shape[2]}" for scan in scans)
    return Provenance(
        pictures=len(scans),
        sizes_px=sizes,
        seed=config.seed,
        steps=config.rounds,
        settings=to_json(config),
        date=date.today().isoformat(),
        versions=f"pstyle {__version__}, torch {torch.__version__}",
    )
