"""Each setting of a damage does what it says; none does nothing; marks and holes lie where they are told."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pstyle.core.config import from_json, to_json
from pstyle.image.colors import luma
from pstyle.restoration.damage.damage import Damage, damaged
from pstyle.restoration.damage.marks import stains
from pstyle.restoration.damage.random_damage import KINDS, Dice, RandomDamage, random_damage
from tests.conftest import random_picture

GRAY = torch.full((1, 3, 96, 96), 128 / 255)


def one(image: torch.Tensor, rng: torch.Generator, **settings) -> torch.Tensor:
    return damaged(image, [Damage(**settings)], rng).image


def test_no_damage_changes_nothing(picture, rng) -> None:
    picture = (picture * 255).round() / 255
    found = damaged(picture, [Damage()], rng)
    assert (found.image - picture).abs().max() < 1e-3 and not found.marks.any() and not found.holes.any()


@pytest.mark.parametrize(("saturation", "left"), [(0.0, False), (0.05, False), (0.3, True), (1.0, True)])
def test_color_that_is_all_lost_cannot_be_had_back(picture, rng, saturation: float, left: bool) -> None:
    found = damaged(picture, [Damage(saturation=saturation, black=(0.1, 0.0, 0.0))], rng)
    assert torch.equal(found.clean, picture if left else luma(picture).expand(-1, 3, -1, -1))


def test_fading_is_linear_between_black_and_white(rng) -> None:
    ramp = torch.linspace(0, 1, 96).expand(1, 3, 8, 96)
    found = one(ramp, rng, black=(0.1, 0.2, 0.0), white=(0.9, 0.8, 1.0))
    for channel, (black, white) in enumerate([(0.1, 0.9), (0.2, 0.8), (0.0, 1.0)]):
        wanted = black + (white - black) * ramp[0, 0, 0]
        assert found[0, channel, 0].numpy() == pytest.approx(wanted.numpy(), abs=0.5 / 255 + 1e-3)


@pytest.mark.parametrize(("color", "correlation"), [(0.0, 1.0), (1.0, 0.0), (0.5, 0.5)])
def test_grain_has_its_deviation_and_color(rng, color: float, correlation: float) -> None:
    noise = one(GRAY, rng, grain=0.06, grain_color=color)[0] - 128 / 255
    assert noise.std().item() == pytest.approx(0.06, rel=0.06)
    assert torch.corrcoef(noise.flatten(1))[0, 1].item() == pytest.approx(correlation, abs=0.06)


def test_grain_may_grow_with_light(rng) -> None:
    for level in (0.25, 0.75):
        noise = one(torch.full((1, 3, 96, 96), level), rng, grain=0.05, grain_slope=0.8)
        assert noise.std().item() == pytest.approx(0.05 * (1 + 0.8 * (2 * level - 1)), rel=0.1)


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


@pytest.mark.parametrize(("degrees", "period_px"), [(0.0, 6.0), (45.0, 6.0), (30.0, 4.8)])
def test_printed_dots_have_their_distance_and_angle(rng, degrees: float, period_px: float) -> None:
    found = one(GRAY, rng, screen=0.2, screen_px=period_px, screen_degrees=degrees)[0, 0] - 128 / 255
    assert found.std().item() == pytest.approx(0.1, rel=0.05)  # of a product of two waves
    power = torch.fft.fft2(found).abs()
    row, column = divmod(int(power.argmax()), 96)
    down, across = (torch.fft.fftfreq(96)[place].item() for place in (row, column))
    turn = math.radians(degrees)
    peaks = [abs(complex(down, across)), math.hypot(1, 1) / period_px]  # both waves together
    assert peaks[0] == pytest.approx(peaks[1], abs=1.5 / 96)
    angle = (math.atan2(down, across) - turn) % (math.pi / 2)
    assert angle == pytest.approx(math.pi / 4, abs=0.15)


def test_pictures_keep_to_their_own_damage(picture, rng) -> None:
    picture = (picture * 255).round() / 255
    kinds = [Damage(), *(Damage(**kind(Dice(rng))) for _, kind in KINDS)]
    found = damaged(picture.repeat(len(kinds), 1, 1, 1), kinds, rng)
    assert (found.image[0] - picture[0]).abs().max() < 1e-3
    assert not found.marks[0].any() and not found.holes[0].any()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), height=st.integers(17, 50), width=st.integers(17, 50))
def test_any_damage_of_any_size_is_a_picture_and_a_file(seed: int, height: int, width: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    damage = random_damage(rng)
    found = damaged(random_picture(rng, height, width), [damage], rng)
    assert found.image.shape == (1, 3, height, width) and found.image.isfinite().all()
    assert found.image.min() >= 0 and found.image.max() <= 1
    assert torch.equal((found.image * 255).round() / 255, found.image)
    assert from_json(Damage, to_json(damage)) == damage


def test_the_same_seed_damages_alike_and_a_share_stays_clean(rng) -> None:
    image = random_picture(rng, 32, 32).repeat(40, 1, 1, 1)
    image = (image * 255).round() / 255
    one, two = (RandomDamage(0.4)(image, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one.image, two.image)
    untouched = ((one.image - image).abs().amax((1, 2, 3)) < 1e-3).float().mean()
    assert 0.25 < untouched < 0.6


def test_as_many_damages_as_pictures_are_needed(picture, rng) -> None:
    with pytest.raises(ValueError, match="got 2 damages for 1 pictures: give one each"):
        damaged(picture, [Damage(), Damage()], rng)


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
