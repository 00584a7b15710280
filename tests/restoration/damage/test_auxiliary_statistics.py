"""Protects the statistics of damage: what was put on clean pictures is measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pstyle.image.colors import luma
from pstyle.restoration.damage.auxiliary_statistics import (
    SHARES,
    auxiliary_statistics,
    measure_chroma,
    measure_jpeg,
    measure_softness,
    measure_tint,
    measure_tones,
)
from pstyle.restoration.damage.damage import Damage, damaged
from pstyle.restoration.damage.fitting import damaged_alike
from tests.restoration.damage.conftest import OLD


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


def test_tones_are_quantiles_of_squares() -> None:
    picture = torch.rand(1, 3, 200, 320, generator=torch.Generator().manual_seed(3)) ** 2  # 4000 squares
    squares = picture[0].double().numpy().reshape(3, 50, 4, 80, 4).mean((2, 4)).reshape(3, -1)
    expected = np.quantile(squares, SHARES, axis=1).T
    assert measure_tones([picture]).numpy() == pytest.approx(expected, abs=1e-5)


def test_tones_of_large_and_small_pictures_count_alike() -> None:
    dark, light = torch.full((1, 3, 64, 65), 0.1), torch.full((1, 3, 300, 310), 0.9)
    tones = measure_tones([dark, light])[0]
    assert tones[[0, 2]].tolist() == pytest.approx([0.1] * 2) and tones[[4, 6]].tolist() == pytest.approx(
        [0.9] * 2
    )
    assert tones[3].item() == pytest.approx(0.5)  # half of them are dark


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.0])
def test_chroma_is_in_proportion_to_what_is_beside_gray(scenes, factor: float) -> None:
    gray = luma(scenes[1])
    found = measure_chroma(gray + factor * (scenes[1] - gray))
    assert found == pytest.approx(factor * measure_chroma(scenes[1]), rel=1e-3, abs=1e-5)


def test_the_tint_of_a_print_is_that_of_its_ink_and_paper(scenes) -> None:
    black, white = torch.tensor([0.2, 0.15, 0.1]), torch.tensor([0.95, 0.8, 0.6])
    gray = luma(scenes[0])
    printed = black.view(1, 3, 1, 1) + (white - black).view(1, 3, 1, 1) * gray
    at_black, rise = measure_tint(printed)
    for ink in (black, white):  # both lie on the line through what is beside gray
        assert (at_black + rise * ink.mean()).tolist() == pytest.approx((ink - ink.mean()).tolist(), abs=1e-4)


def test_statistics_of_several_pictures_are_taken_together(scenes) -> None:
    none = torch.zeros(1, 1, 224, 224)
    one, other = (auxiliary_statistics([scene], lambda picture: none) for scene in scenes[:2])
    both = auxiliary_statistics(scenes[:2], lambda picture: none)
    turned = auxiliary_statistics(scenes[1::-1], lambda picture: none)
    assert both.chroma == pytest.approx((one.chroma + other.chroma) / 2)
    assert both.softness == pytest.approx((one.softness + other.softness) / 2)
    assert both.tint is None and both.dots == 0 and both.marks == one.marks
    assert torch.allclose(both.tones, turned.tones, atol=1e-5)
    assert (both.tones <= torch.maximum(one.tones, other.tones) + 1e-4).all()
    assert (both.tones >= torch.minimum(one.tones, other.tones) - 1e-4).all()


def test_flat_pictures_have_no_edges_and_no_chroma() -> None:
    flat = torch.full((1, 3, 64, 71), 0.4)
    assert measure_softness(flat) == 0 and measure_chroma(flat) < 1e-2


def test_ink_whose_color_turns_with_lightness_has_no_chroma(rng) -> None:
    """Along a curve of third degree, across which the brightness does not change."""
    gray = torch.rand(1, 1, 20, 21, generator=rng).repeat_interleave(4, 2).repeat_interleave(4, 3)
    turn = torch.tensor([0.587, -0.299, 0.0]).view(1, 3, 1, 1)
    assert measure_chroma(gray + 4 * turn * (gray - 0.2) * (gray - 0.5) * (gray - 0.8)) < 1e-3
