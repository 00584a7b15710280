"""Damage that was put on is learned: every parameter within its tolerance; bad scans are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pstyle.core.seeding import generator_of
from pstyle.restoration.damage.auxiliary_statistics import (
    measure_tones,
)
from pstyle.restoration.damage.fitting import damaged_alike
from pstyle.restoration.damage.kinds import check_damaged
from pstyle.restoration.damage.learning_damage import learn_damage
from pstyle.samples import content_pictures
from tests.restoration.damage.conftest import OLD, QUICK, SLIDE


def test_a_slide_is_learned_with_a_style_around_it(scenes) -> None:
    style = learn_damage(damaged_alike(scenes, SLIDE, 5), QUICK)
    found = style.damage
    cast = torch.tensor(found.white) - torch.tensor(SLIDE.white)
    assert (cast - cast.mean()).abs().max() < 0.1
    assert found.grain_color > 0.6 and found.grain == pytest.approx(0.03, rel=0.2)
    assert style.provenance.pictures == 4
    again = damaged_alike(content_pictures(4, 224, 20), found, 1)
    gap = measure_tones(again) - measure_tones(damaged_alike(content_pictures(4, 224, 20), SLIDE, 1))
    assert gap.abs().mean() < 0.08


def test_pictures_that_are_not_damaged_are_refused(scenes) -> None:
    with pytest.raises(ValueError, match="no damage was found in these pictures"):
        learn_damage(scenes, QUICK)
    check_damaged(OLD)


NOISE = torch.rand(1, 1, 160, 160, generator=torch.Generator().manual_seed(0))
ODD = {
    "black": torch.zeros_like(NOISE),
    "gray": torch.full_like(NOISE, 0.5),
    "noise": NOISE,
    "salt": (NOISE > 0.97).float(),
    "checks": ((torch.arange(160)[:, None] + torch.arange(160)) % 2).float().view_as(NOISE),
}


@pytest.mark.parametrize("name", ODD)
def test_no_picture_is_too_odd_to_be_learned(name: str, find_marks) -> None:
    """What it leaves of a colorful picture is gray and as light as the scans."""
    scan = ODD[name].expand(-1, 3, -1, -1)
    config = replace(QUICK, rounds=1, practice=2, practice_px=160)
    style = learn_damage([scan] * 2, config, find_marks=find_marks)
    made = style.damage_pictures(content_pictures(1, 96)[0], generator_of(0)).image
    assert made.mean().item() == pytest.approx(scan.mean().item(), abs=0.1)
    assert (made - made.mean(1, keepdim=True)).abs().max() < 0.02


def test_bad_scans_are_refused() -> None:
    with pytest.raises(ValueError, match="scan 1 is 100x200 px, at least 128 px"):
        learn_damage([torch.rand(1, 3, 200, 100)])
    with pytest.raises(ValueError, match="got 51 scans, 1 to 50 are allowed"):
        learn_damage([torch.rand(51, 3, 128, 128)])
    with pytest.raises(ValueError, match="got no scan"):
        learn_damage([])
