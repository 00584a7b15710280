"""Protects marks: as many, as large and as bent as asked."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt, label

from pstyle.restoration.damage.damage import Damage, damaged
from pstyle.restoration.damage.marks import dust, holes, scratches, stains

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


def every(value: float, batch: int = 4) -> torch.Tensor:
    return torch.full((batch,), value)


def test_scratches_are_on_the_pictures_they_are_counted_for_and_light_where_asked(rng) -> None:
    like, count = torch.zeros(4, 3, 90, 131), torch.tensor([0, 1, 0, 12])
    for light in (0.0, 1.0):
        found = scratches(like, count, every(60.0), every(3.0), every(light), rng.manual_seed(1))
        covered = found.alpha.flatten(1).amax(1) > 0
        assert covered.tolist()[::2] == [False, False] and covered[3]
        assert found.alpha.shape == (4, 1, 90, 131) and found.alpha.min() >= 0 and found.alpha.max() <= 1
        assert (found.light[found.alpha > 0] == light).all()


def test_scratches_are_no_longer_and_no_thicker_than_they_may_be(rng) -> None:
    """Lengths vary up to one and a half, widths up to one and six tenths with a swell of four tenths."""
    like = torch.zeros(60, 1, 160, 160)
    found = scratches(like, torch.ones(60), every(80.0, 60), every(4.0, 60), every(1.0, 60), rng).alpha[:, 0]
    thick, long = [], []
    for alpha in found[(found > 0.3).flatten(1).sum(1) > 50]:
        covered = alpha.numpy() > 0.3
        thick.append(2 * distance_transform_edt(covered).max())
        rows, columns = np.nonzero(covered)
        long.append(np.hypot(np.ptp(rows), np.ptp(columns)))
    assert len(thick) > 15 and max(thick) < 4 * 1.6 * 1.4 + 2 and max(long) < 1.6 * 80
    assert np.median(thick) > 2 and np.median(long) > 30


@pytest.mark.parametrize("size_px", [4.0, 8.0])
def test_specks_have_their_size_and_number(rng, size_px: float) -> None:
    like, number = torch.zeros(30, 1, 100, 100), torch.full((30, 1, 1, 1), 2e-4)
    found = dust(like, number, torch.full_like(number, size_px), size_px, torch.ones_like(number), rng)
    masks = (found.alpha[:, 0] > 0.5).numpy()
    count = sum(label(mask)[1] for mask in masks)
    assert count == pytest.approx(30 * 100 * 100 * 2e-4, rel=0.35)
    across = math.sqrt(4 * masks.sum() / count / math.pi)
    assert across == pytest.approx(size_px, rel=0.35)
    assert (found.light[found.alpha > 0.5] == 1).all()


@pytest.mark.parametrize(("share", "size_px"), [(0.1, 12.0), (0.3, 30.0)])
def test_holes_are_all_or_nothing_and_as_large_as_asked(rng, share: float, size_px: float) -> None:
    amounts = (torch.full((40, 1, 1, 1), value) for value in (share, size_px))
    found = holes(torch.zeros(40, 1, 120, 121), *amounts, rng)
    assert {*found.unique().tolist()} == {0.0, 1.0}
    assert found.mean().item() == pytest.approx(share, rel=0.3)
    border = (found.diff(dim=3).abs().sum() + found.diff(dim=2).abs().sum()) / found.sum()
    assert 1 < border.item() * size_px < 10  # the outline of a disc of that size has 4.6 of it, twice over
