"""Protects kinds of damage: scans that belong together are told from those that do not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pstyle.restoration.damage.fitting import damaged_alike
from pstyle.restoration.damage.kinds import check_one_kind, signature_of, spread_of
from pstyle.restoration.damage.learning_damage import learn_damage
from pstyle.samples import content_pictures
from tests.restoration.damage.conftest import OLD, QUICK, SLIDE


def test_casts_of_prints_are_told_from_what_they_show(scenes) -> None:
    unmarked = torch.zeros(1, 1, 224, 224)
    pictures = [*scenes, *content_pictures(4, 224, 30)]
    casts = 0.02 * torch.randn(len(pictures), 3, generator=torch.Generator().manual_seed(2))
    alike = damaged_alike(pictures, replace(OLD, dust_per_mp=0.0), 6)
    printed = [scan + cast.view(1, 3, 1, 1) for scan, cast in zip(alike, casts, strict=True)]
    wanted = (1.5 * (casts - casts.mean(1, keepdim=True)).var(0).mean()).sqrt().item()
    assert spread_of([signature_of(scan, unmarked) for scan in printed]).cast == pytest.approx(
        wanted, rel=0.15
    )
    assert spread_of([signature_of(scan, unmarked) for scan in alike]).cast < 0.004


def test_scans_of_two_kinds_are_refused_by_name(scenes, find_marks) -> None:
    old, slide = damaged_alike(scenes, OLD, 1), damaged_alike(scenes, SLIDE, 1)
    for scans in (old, slide):
        check_one_kind([signature_of(scan, find_marks(scan)) for scan in scans])
    with pytest.raises(ValueError, match=r"scans 1 and 2 are damaged differently .* one style for each"):
        learn_damage([old[0], slide[1]], QUICK)
