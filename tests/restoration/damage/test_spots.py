"""Marks of known place, size and number are told by their shapes."""

from __future__ import annotations

import math

import pytest
import torch

from pstyle.restoration.damage.spots import measure_marks

HEIGHT, WIDTH = 240, 260
MEGAPIXELS = HEIGHT * WIDTH / 1e6
DOWN, ACROSS = torch.meshgrid(torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij")


def disc(row: float, column: float, radius_px: float) -> torch.Tensor:
    return (DOWN - row) ** 2 + (ACROSS - column) ** 2 <= radius_px**2


def line(length_px: float, width_px: float, degrees: float) -> torch.Tensor:
    turn = math.radians(degrees)
    down, across = DOWN - HEIGHT / 2 - 0.3, ACROSS - WIDTH / 2 - 0.3  # off the lattice of pixels
    along = across * math.cos(turn) + down * math.sin(turn)
    beside = down * math.cos(turn) - across * math.sin(turn)
    return (along.abs() <= length_px / 2) & (beside.abs() <= width_px / 2)


def arc(radius_px: float, width_px: float) -> torch.Tensor:
    """Half of a circle's outline."""
    away = torch.hypot(DOWN - HEIGHT / 2, ACROSS - WIDTH / 2) - radius_px
    return (away.abs() <= width_px / 2) & (DOWN < HEIGHT / 2)


def marked(*marks: tuple[torch.Tensor, tuple[float, float, float]]) -> tuple[torch.Tensor, torch.Tensor]:
    """A soft gray gradient with marks of a color on it, and where they are."""
    picture = torch.linspace(0.3, 0.6, HEIGHT).view(1, 1, -1, 1).expand(1, 3, HEIGHT, WIDTH).clone()
    mask = torch.zeros(1, 1, HEIGHT, WIDTH)
    for place, color in marks:
        picture[0, :, place] = torch.tensor(color)[:, None]
        mask[0, 0, place] = 1
    return picture, mask


WHITE, BLACK = (1.0, 1.0, 0.9), (0.1, 0.05, 0.0)


@pytest.mark.parametrize("radius_px", [2.0, 3.5, 6.0])
def test_specks_are_counted_with_size_color_and_light(radius_px: float) -> None:
    places = [(40, 40), (100, 120), (180, 200)]
    picture, mask = marked(*((disc(*place, radius_px), WHITE) for place in places), (disc(60, 200, 3), BLACK))
    marks = measure_marks([picture], [mask])
    assert marks.dust_per_mp == pytest.approx(4 / MEGAPIXELS) and marks.scratches_per_mp == 0
    side = math.sqrt(math.pi) * (3 * radius_px + 3) / 4  # of a square of a disc's area
    assert marks.dust_px == pytest.approx(side, rel=0.06) and marks.light == 0.75
    assert marks.light_color == pytest.approx(WHITE) and marks.dark_color == pytest.approx(BLACK)


@pytest.mark.parametrize("degrees", [0, 20, 45, 70, 90])
@pytest.mark.parametrize("width_px", [2.0, 3.0, 5.0])
def test_a_line_has_its_length_and_width_however_it_lies(degrees: float, width_px: float) -> None:
    marks = measure_marks(*([one] for one in marked((line(100, width_px, degrees), BLACK))))
    assert marks.scratches_per_mp == pytest.approx(1 / MEGAPIXELS) and marks.dust_per_mp == 0
    assert marks.scratch_length_px == pytest.approx(100, rel=0.08)
    assert marks.scratch_width_px == pytest.approx(width_px, abs=0.8)
    assert marks.light == 0 and marks.light_color is None


def test_a_bent_line_is_one_as_well() -> None:
    marks = measure_marks(*([one] for one in marked((arc(60, 2.5), WHITE))))
    assert marks.scratches_per_mp == pytest.approx(1 / MEGAPIXELS)
    assert marks.scratch_length_px == pytest.approx(math.pi * 60, rel=0.06)


def test_a_line_seen_in_pieces_is_one_and_dots_are_none() -> None:
    broken = line(100, 3.0, 0) & (ACROSS % 20 > 4)
    marks = measure_marks(*([one] for one in marked((broken, WHITE), (disc(30.5, 30.5, 0.8), WHITE))))
    assert marks.scratches_per_mp == pytest.approx(1 / MEGAPIXELS) and marks.dust_per_mp == 0


def test_no_marks_have_no_sizes_and_no_colors() -> None:
    assert measure_marks(*([one] for one in marked())) == (0, 0, 0, 0, 0, 0, None, None)
