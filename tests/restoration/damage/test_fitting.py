"""Protects fitting: damage that was put on is found, every parameter within its tolerance."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from pstyle.restoration.damage.damage import Damage
from pstyle.restoration.damage.fitting import GAMMAS, damaged_alike, fit_damage, fit_tones, without_negligible
from pstyle.samples import content_pictures
from tests.restoration.damage.conftest import NEWS, OLD, QUICK


def test_a_straight_fade_is_fitted_exactly() -> None:
    clean = torch.linspace(0.02, 0.95, 7).expand(3, -1) + torch.tensor([[0.0], [0.02], [-0.01]])
    black, white = torch.tensor([[0.2], [0.1], [0.0]]), torch.tensor([[0.9], [0.7], [1.0]])
    found = fit_tones(clean, black + (white - black) * clean)
    assert found["black"] == pytest.approx(black[:, 0].tolist(), abs=1e-4)
    assert found["white"] == pytest.approx(white[:, 0].tolist(), abs=1e-4)
    assert found["gamma"] == pytest.approx((1.0,) * 3, abs=1e-4)


def test_an_old_photograph_is_learned(scenes, find_marks) -> None:
    found = fit_damage(damaged_alike(scenes, OLD, 5), content_pictures(4, 224, 3), QUICK, find_marks)
    assert found.black == pytest.approx(OLD.black, abs=0.12)
    assert found.white == pytest.approx(OLD.white, abs=0.12)
    assert found.saturation < 0.3 and found.jpeg_quality == 100
    assert found.grain == pytest.approx(OLD.grain, rel=0.15) and found.grain_color < 0.1
    assert 0.5 < found.dust_per_mp / OLD.dust_per_mp < 2 and found.light_marks > 0.7
    assert found.light_color == pytest.approx(OLD.light_color, abs=0.06)


@pytest.mark.slow
def test_scratches_are_learned_dark_and_light(find_marks) -> None:
    scratched = Damage(
        scratches_per_mp=60.0,
        scratch_length_px=120.0,
        scratch_width_px=2.0,
        light_marks=0.5,
        light_color=(0.95, 0.95, 0.8),
        grain=0.03,
    )
    scans = damaged_alike(content_pictures(6, 256, seed=9), scratched, 5)
    found = fit_damage(scans, content_pictures(4, 224, 3), replace(QUICK, rounds=3), find_marks)
    together_px = found.scratches_per_mp * found.scratch_length_px
    assert 0.5 < together_px / (60 * 120) < 2  # pieces of them are found
    assert 1 < found.scratch_width_px < 4 and found.dust_per_mp < 60
    assert 0.2 < found.light_marks < 0.8
    assert found.light_color == pytest.approx(scratched.light_color, abs=0.12)


def no_marks(scan: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(scan[:, :1])


@pytest.mark.parametrize("restorer_looks", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_newsprint_is_learned_with_its_dots_and_inks(restorer_looks, scenes, find_marks) -> None:
    find_marks = find_marks if restorer_looks else no_marks
    found = fit_damage(damaged_alike(scenes, NEWS, 5), content_pictures(4, 224, 3), QUICK, find_marks)
    assert found.screen == pytest.approx(NEWS.screen, rel=0.2)
    assert found.screen_px == pytest.approx(4.2, rel=0.01)
    assert found.screen_degrees == pytest.approx(45, abs=1)
    assert found.grain < 0.03 and found.saturation == 0
    learned, put_on = (torch.tensor([damage.black, damage.white]) for damage in (found, NEWS))
    for made, wanted in zip(learned, put_on, strict=True):  # how light they are depends on what is shown
        assert (made - made.mean()).tolist() == pytest.approx((wanted - wanted.mean()).tolist(), abs=0.01)


@pytest.mark.parametrize("number", [15, 30, 44])
def test_a_bent_fade_is_fitted(number: int) -> None:
    """Tones after a gamma lie where those put on do; a little is given up for a gamma nearer to 1."""
    gamma = GAMMAS[number].item()
    clean = torch.linspace(0.02, 0.98, 7).expand(3, -1)
    black, white = torch.tensor([[0.2], [0.1], [0.0]]), torch.tensor([[0.9], [0.7], [1.0]])
    aim = black + (white - black) * clean**gamma
    found = fit_tones(clean, aim)
    made = [torch.tensor(found[name]).view(3, 1) for name in ("black", "white", "gamma")]
    assert (made[0] + (made[1] - made[0]) * clean ** made[2] - aim).abs().max() < 0.04
    assert all((math.log(one) - math.log(gamma)) * math.log(gamma) <= 1e-6 for one in found["gamma"])
    assert found["gamma"] == pytest.approx((gamma,) * 3, rel=0.3)


def test_ink_and_paper_of_a_print_lie_on_its_line() -> None:
    """The tones of all colors give one gray; the tint gives each color of it."""
    gray = torch.linspace(0.05, 0.9, 7).expand(3, -1)
    black, white = torch.tensor([0.2, 0.15, 0.1]), torch.tensor([0.9, 0.75, 0.6])
    rise = (white - white.mean() - black + black.mean()) / (white.mean() - black.mean())
    tint = torch.stack([black - black.mean() - rise * black.mean(), rise])
    found = fit_tones(gray, black[:, None] + (white - black)[:, None] * gray, tint)
    assert found["black"] == pytest.approx(black.tolist(), abs=1e-4)
    assert found["white"] == pytest.approx(white.tolist(), abs=1e-4)


def test_pictures_are_damaged_alike_each_at_its_own_places(scenes) -> None:
    dusty = Damage(dust_per_mp=2000.0, dust_px=4.0)
    same = [scenes[0]] * 3
    found = damaged_alike(same, dusty, 7)
    assert all(map(torch.equal, found[:2], damaged_alike(same[:2], dusty, 7)))
    changed = [((one - scenes[0]).abs() > 0.02).any(1).float() for one in found]
    assert changed[0].mean() == pytest.approx(changed[1].mean().item(), rel=0.5)
    assert (changed[0] * changed[1]).mean() < 0.5 * changed[0].mean()
    assert not torch.equal(found[0], damaged_alike(same, dusty, 8)[0])


def test_what_is_too_weak_to_matter_is_left_out() -> None:
    faint = Damage(blur_px=0.3, grain=0.003, dust_per_mp=9.0)
    assert without_negligible(faint) == replace(faint, blur_px=0.0, grain=0.0)
    strong = Damage(blur_px=0.5, grain=0.02)
    assert without_negligible(strong) == strong
    smooth = (1.0, *(0.01,) * (len(strong.grain_spectrum) - 1))  # shades rather than grain
    assert without_negligible(replace(strong, grain_spectrum=smooth)).grain == 0
