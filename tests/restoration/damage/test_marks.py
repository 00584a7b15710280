"""Protects marks: as many, as large and as bent as asked."""

from __future__ import annotations

import pytest
import torch

from pstyle.restoration.damage.damage import Damage, damaged
from pstyle.restoration.damage.marks import stains

GRAY = torch.full((1, 3, 96, 96), 128 / 255)


@pytest.mark.parametrize(
    "kind",
    [{"scratches_per_mp": 900.0, "scratch_width_px": 3.0}, {"dust_per_mp": 3000.0, "dust_px": 5.0}],
)
def test_what_is_no_mark_stays(rng, kind: dict) -> None:
    found = damaged(GRAY, [Damage(**kind)], rng)
    changed = (found.image != GRAY).any(1, keepdim=True)
    assert 0.003 < changed.float().mean() < 0.5
    assert not changed[found.marks == 0].any() and changed[found.marks > 0.1].all()


def test_marks_are_as_many_as_asked(rng) -> None:
    like = GRAY.expand(40, -1, -1, -1)
    specks = damaged(like, [Damage(dust_per_mp=500.0, dust_px=4.0)] * 40, rng).marks
    area = specks.mean().item() * 1e6 / 500  # pixels that a speck covers
    assert 4 < area < 25  # a disc of 4 px has 12.6


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_holes_take_their_share(rng, share: float) -> None:
    found = damaged(GRAY.expand(60, -1, -1, -1), [Damage(hole_share=share, hole_px=16.0)] * 60, rng)
    assert found.holes.mean().item() == pytest.approx(share, rel=0.25)


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_stains_lie_over_their_share_in_their_color(rng, share: float) -> None:
    color = (0.8, 0.6, 0.4)
    white = torch.ones(24, 3, 96, 128)
    found = damaged(white, [Damage(stain_share=share, stain_px=40, stain_color=color)] * 24, rng).image
    cover = (1 - found) / (1 - torch.tensor(color)).view(3, 1, 1)  # how much of the stain each color tells of
    assert (cover - cover.mean(1, keepdim=True)).abs().max() < 0.02
    assert (cover > 0.4).float().mean().item() == pytest.approx(share, rel=0.35)
    assert cover.min() > -0.01 and cover.max() < 1.27


def test_some_stains_end_in_a_rim_and_some_softly(rng) -> None:
    cover = stains(
        torch.zeros(64, 1, 96, 128), *(torch.full((64, 1, 1, 1), value) for value in (0.3, 60.0)), rng
    )
    inside = (cover > 0.4).flatten(1)
    middle = torch.stack([one[own].median() for one, own in zip(cover.flatten(1), inside, strict=True)])
    rim = cover.flatten(1).amax(1) / middle
    assert rim.min() < 1.02 and rim.max() > 1.5
    slope = cover.diff(dim=3).abs().flatten(1).amax(1)
    assert slope.max() > 3 * slope.min()


def test_hairs_bend_and_are_no_thicker_for_it(rng, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same lines drawn straight and bent, apart from each other: bent ones are longer, and no wider."""
    monkeypatch.setattr("pstyle.restoration.damage.marks.ALONG_FILM", 0.0)
    settings = Damage(scratches_per_mp=60.0, scratch_length_px=100.0, scratch_width_px=2.0)
    gray, thick, area = GRAY.new_full((4, 3, 256, 256), 0.5), [], []
    for bend in (0.0, 0.3):
        monkeypatch.setattr("pstyle.restoration.damage.marks.HAIR_BEND", bend)
        covered = (damaged(gray, [settings] * 4, rng.manual_seed(3)).marks > 0.1).float()
        middle = 1 - torch.nn.functional.max_pool2d(1 - covered, 3, 1, 1)  # whose neighbors are all covered
        thick.append((middle.sum() / covered.sum()).item())
        area.append(covered.sum().item())
    assert area[1] > 1.05 * area[0]
    assert thick[1] < 1.3 * thick[0]
