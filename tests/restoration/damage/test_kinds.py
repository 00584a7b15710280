"""Protects kinds of damage: scans that belong together are told from those that do not."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.sparse.csgraph import connected_components

from pstyle.core.seeding import generator_of
from pstyle.restoration.damage.damage import Damage
from pstyle.restoration.damage.damage_style import Spread
from pstyle.restoration.damage.fitting import damaged_alike
from pstyle.restoration.damage.kinds import (
    FARTHEST,
    DamageSignature,
    check_damaged,
    check_one_kind,
    distance,
    signature_of,
    spread_of,
)
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


PLAIN = DamageSignature(
    torch.full((3,), 0.05),
    torch.full((3,), 0.9),
    0.5,
    0.03,
    0.2,
    300.0,
    None,
    torch.tensor(0.5),
    torch.zeros(2, 3),
)


def varied(rng: torch.Generator, strength: float) -> DamageSignature:
    """A signature at random; the more, the farther from PLAIN."""
    cast, level, marks = torch.randn(3, 3, generator=rng) * strength
    return PLAIN._replace(
        black=PLAIN.black + 0.05 * cast,
        white=PLAIN.white + 0.1 * level[0],
        chroma=PLAIN.chroma + 0.1 * level[1].item(),
        grain=PLAIN.grain * math.exp(0.2 * level[2].item()),
        color=PLAIN.color + 0.1 * marks[0].item(),
        marks=PLAIN.marks * math.exp(0.3 * marks[1].item()),
    )


def test_a_distance_is_symmetric_and_grows_with_the_difference() -> None:
    for seed in range(20):
        one, other = (varied(generator_of(seed, number), 2.0) for number in range(2))
        assert distance(one, one) < 1e-6 and distance(one, other) == pytest.approx(distance(other, one))
        near, far = (distance(PLAIN, varied(generator_of(seed), strength)) for strength in (0.5, 1.0))
        assert 0 < near < far


def test_the_color_of_grain_counts_only_where_there_is_grain() -> None:
    smooth = PLAIN._replace(grain=0.001)
    assert distance(smooth, smooth._replace(color=1.0)) < 1e-6
    assert distance(PLAIN, PLAIN._replace(color=1.0)) > 1


def test_scans_are_of_one_kind_if_steps_lead_from_each_to_all() -> None:
    """As scipy finds the connected parts of a graph of scans that are near each other."""
    refused = 0
    for seed in range(40):
        rng = generator_of(seed)
        scans = [varied(rng, 2.2) for _ in range(8)]
        near = [[distance(one, other) <= FARTHEST for other in scans] for one in scans]
        parts, label = connected_components(np.array(near))
        if parts == 1:
            check_one_kind(scans)
            continue
        refused += 1
        with pytest.raises(ValueError, match=r"scans \d and \d are damaged differently") as said:
            check_one_kind(scans)
        first, second = (int(word) - 1 for word in re.findall(r"scans (\d) and (\d)", str(said.value))[0])
        assert label[first] != label[second] == label[second]
    assert 5 < refused < 35


def test_the_spread_of_scans_is_what_is_beyond_that_of_clean_pictures(rng) -> None:
    """Clean pictures vary by 0.08 in tone, 0.175 in the logarithm of grain and 0.5 in that of marks."""
    count = 3000
    usual, more = torch.randn(2, 3, count, generator=rng)
    deviations = [
        0.08 * usual[0] + 0.1 * more[0],
        0.175 * usual[1] + 0.4 * more[1],
        0.5 * usual[2] + 0.7 * more[2],
    ]
    scans = [
        PLAIN._replace(
            white=0.8 + tone.expand(3),
            grain=0.5 * math.exp(grain),
            marks=1e5 * math.exp(marks),
            quality=quality,
        )
        for tone, grain, marks, quality in zip(*deviations, (60.0 + 5 * more[0]).tolist(), strict=True)
    ]
    found = spread_of(scans)
    assert (found.tone, found.grain, found.marks) == pytest.approx((0.1, 0.4, 0.7), rel=0.06)
    assert found.quality == pytest.approx(5, rel=0.05) and found.cast == 0
    assert spread_of([one._replace(quality=None) for one in scans[:9]]).quality == 0


def test_scans_that_vary_as_clean_pictures_do_have_no_spread(rng) -> None:
    scans = [PLAIN._replace(white=PLAIN.white + 0.05 * tone) for tone in torch.randn(50, generator=rng)]
    assert spread_of(scans) == Spread()
    assert spread_of([PLAIN, PLAIN._replace(white=torch.zeros(3))]) == Spread()  # two say nothing of it


DAMAGED = {
    "grain": Damage(grain=0.02),
    "dots": Damage(screen=0.1),
    "dust": Damage(dust_per_mp=50.0),
    "scratches": Damage(scratches_per_mp=50.0),
    "compression": Damage(jpeg_quality=60.0),
    "blur": Damage(blur_px=1.5),
    "no color": Damage(saturation=0.1),
    "lifted black": Damage(black=(0.25, 0.2, 0.2)),
    "gray white": Damage(white=(0.7, 0.8, 0.75)),
    "cast": Damage(white=(1.0, 0.9, 0.8)),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_each_kind_of_damage_alone_is_damage(kind: str) -> None:
    check_damaged(DAMAGED[kind])


@pytest.mark.parametrize(
    "damage",
    [
        Damage(),
        Damage(grain=0.004, jpeg_quality=95.0, blur_px=0.5),
        Damage(black=(0.1, 0.05, 0.0), white=(0.95, 0.9, 0.88), saturation=0.8, screen=0.005),
    ],
)
def test_what_clean_pictures_may_have_is_none(damage: Damage) -> None:
    with pytest.raises(ValueError, match="no damage was found in these pictures"):
        check_damaged(damage)
