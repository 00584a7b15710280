"""Damage that was put on is learned: every parameter within its tolerance; bad scans are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pstyle.core.seeding import generator_of
from pstyle.restoration.damage.auxiliary_statistics import (
    measure_chroma,
    measure_jpeg,
    measure_softness,
    measure_tones,
)
from pstyle.restoration.damage.damage import Damage, damaged
from pstyle.restoration.damage.fitting import LearnDamageConfig, damaged_alike, fit_damage, fit_tones
from pstyle.restoration.damage.kinds import check_damaged, check_one_kind, signature_of, spread_of
from pstyle.restoration.damage.learning_damage import learn_damage
from pstyle.restoration.damage.spots import FindMarks
from pstyle.restoration.repair.restorer import load_restorer
from pstyle.restoration.repair.restoring import RestorationPipeline
from pstyle.samples import content_pictures

QUICK = LearnDamageConfig(rounds=2, practice=4, practice_px=224)
OLD = Damage(
    saturation=0.0,
    black=(0.2, 0.15, 0.1),
    white=(0.9, 0.82, 0.66),
    grain=0.04,
    dust_per_mp=700.0,
    dust_px=5.0,
    light_marks=1.0,
    light_color=(0.95, 0.9, 0.8),
)
NEWS = Damage(
    screen=0.1,
    screen_px=4.2,
    saturation=0.0,
    black=(0.17, 0.16, 0.16),
    white=(0.86, 0.84, 0.77),
    grain=0.02,
    jpeg_quality=40.0,
)
SLIDE = Damage(black=(0.15, 0.0, 0.1), white=(1.0, 0.75, 0.9), grain=0.03, grain_color=1.0)


@pytest.fixture(scope="module")
def scenes() -> list[torch.Tensor]:
    return content_pictures(4, 224, seed=11)


@pytest.fixture(scope="module")
def practice() -> list[torch.Tensor]:
    return content_pictures(4, 224, seed=3)


@pytest.fixture(scope="module")
def find_marks() -> FindMarks:
    return RestorationPipeline(load_restorer(), "cpu", torch.float32).find_marks


def test_a_straight_fade_is_fitted_exactly() -> None:
    clean = torch.linspace(0.02, 0.95, 7).expand(3, -1) + torch.tensor([[0.0], [0.02], [-0.01]])
    black, white = torch.tensor([[0.2], [0.1], [0.0]]), torch.tensor([[0.9], [0.7], [1.0]])
    found = fit_tones(clean, black + (white - black) * clean)
    assert found["black"] == pytest.approx(black[:, 0].tolist(), abs=1e-4)
    assert found["white"] == pytest.approx(white[:, 0].tolist(), abs=1e-4)
    assert found["gamma"] == pytest.approx((1.0,) * 3, abs=1e-4)


def test_ink_and_paper_leave_gray_pictures_without_chroma(scenes, rng) -> None:
    (printed,) = damaged_alike(scenes[:1], replace(OLD, grain=0.0, dust_per_mp=0.0), 0)
    assert measure_chroma(printed) < 0.03 < 0.1 < measure_chroma(scenes[0])


def test_softness_is_the_blur_of_an_edge() -> None:
    step = (torch.arange(128.0) > 64).float().expand(1, 3, 96, 128)
    for blur_px in (1.5, 2.5):
        soft = damaged(step, [Damage(blur_px=blur_px)], torch.Generator()).image
        assert measure_softness(soft) == pytest.approx(blur_px**2, rel=0.3)


def test_jpeg_is_found_in_most_scans_or_not_at_all(scenes) -> None:
    files = damaged_alike(scenes, Damage(jpeg_quality=50.0), 0)
    assert measure_jpeg([*files, scenes[0]]) == pytest.approx(50, abs=2)
    assert measure_jpeg([files[0], *scenes[1:]]) is None


def test_an_old_photograph_is_learned(scenes, practice, find_marks) -> None:
    found = fit_damage(damaged_alike(scenes, OLD, 5), practice, QUICK, find_marks)
    assert found.black == pytest.approx(OLD.black, abs=0.12)
    assert found.white == pytest.approx(OLD.white, abs=0.12)
    assert found.saturation < 0.3 and found.jpeg_quality == 100
    assert found.grain == pytest.approx(OLD.grain, rel=0.15) and found.grain_color < 0.1
    assert 0.5 < found.dust_per_mp / OLD.dust_per_mp < 2 and found.light_marks > 0.7
    assert found.light_color == pytest.approx(OLD.light_color, abs=0.06)


def test_scratches_are_learned_dark_and_light(practice, find_marks) -> None:
    scratched = Damage(
        scratches_per_mp=60.0,
        scratch_length_px=120.0,
        scratch_width_px=2.0,
        light_marks=0.5,
        light_color=(0.95, 0.95, 0.8),
        grain=0.03,
    )
    scans = damaged_alike(content_pictures(6, 256, seed=9), scratched, 5)
    found = fit_damage(scans, practice, replace(QUICK, rounds=3), find_marks)
    together_px = found.scratches_per_mp * found.scratch_length_px
    assert 0.5 < together_px / (60 * 120) < 2  # pieces of them are found
    assert 1 < found.scratch_width_px < 4 and found.dust_per_mp < 60
    assert 0.2 < found.light_marks < 0.8
    assert found.light_color == pytest.approx(scratched.light_color, abs=0.12)


def no_marks(scan: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(scan[:, :1])


@pytest.mark.parametrize("restorer_looks", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_newsprint_is_learned_with_its_dots_and_inks(restorer_looks, scenes, practice, find_marks) -> None:
    find_marks = find_marks if restorer_looks else no_marks
    found = fit_damage(damaged_alike(scenes, NEWS, 5), practice, QUICK, find_marks)
    assert found.screen == pytest.approx(NEWS.screen, rel=0.2)
    assert found.screen_px == pytest.approx(4.2, rel=0.01)
    assert found.screen_degrees == pytest.approx(45, abs=1)
    assert found.grain < 0.03 and found.saturation == 0
    learned, put_on = (torch.tensor([damage.black, damage.white]) for damage in (found, NEWS))
    for made, wanted in zip(learned, put_on, strict=True):  # how light they are depends on what is shown
        assert (made - made.mean()).tolist() == pytest.approx((wanted - wanted.mean()).tolist(), abs=0.01)


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


def test_scans_of_two_kinds_are_refused_by_name(scenes, find_marks) -> None:
    old, slide = damaged_alike(scenes, OLD, 1), damaged_alike(scenes, SLIDE, 1)
    for scans in (old, slide):
        check_one_kind([signature_of(scan, find_marks(scan)) for scan in scans])
    with pytest.raises(ValueError, match=r"scans 1 and 2 are damaged differently .* one style for each"):
        learn_damage([old[0], slide[1]], QUICK)


def test_pictures_that_are_not_damaged_are_refused(scenes) -> None:
    with pytest.raises(ValueError, match="no damage is seen in these pictures"):
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
def test_no_picture_is_too_odd_to_be_learned_or_refused(name: str, find_marks) -> None:
    scan = ODD[name].expand(-1, 3, -1, -1)
    config = replace(QUICK, rounds=1, practice=2, practice_px=160)
    try:
        style = learn_damage([scan] * 2, config, find_marks=find_marks)
    except ValueError as error:
        assert "no damage is seen" in str(error)
    else:
        made = style.damage_pictures(content_pictures(1, 96)[0], generator_of(0)).image
        assert made.isfinite().all()


def test_bad_scans_are_refused() -> None:
    with pytest.raises(ValueError, match="scan 1 is 100x200 px, at least 128 px"):
        learn_damage([torch.rand(1, 3, 200, 100)])
    with pytest.raises(ValueError, match="got 51 scans, allowed are 1 to 50"):
        learn_damage([torch.rand(51, 3, 128, 128)])
    with pytest.raises(ValueError, match="got no scan"):
        learn_damage([])
