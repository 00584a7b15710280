"""Protects matching costs: the definitions pixel by pixel, and paths against every sequence of shifts."""

from __future__ import annotations

import itertools

import pytest
import torch

from pstyle.vr.cost_volume import (
    CENSUS_WEIGHT,
    EDGE,
    JUMP,
    MOST_COLOR,
    OUTSIDE,
    STEP,
    _bits,
    aggregate_costs,
    best_shifts,
    matching_volume,
)


def darker_neighbors(eye: torch.Tensor, row: int, column: int) -> list[bool]:
    """Which pixels of the 5x5 window around a pixel are darker than it; the border repeats."""
    light = (eye[0] * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(0)
    rows, columns = (
        [min(max(at + step, 0), side - 1) for step in range(-2, 3)]
        for at, side in zip((row, column), light.shape, strict=True)
    )
    return [(light[place] < light[row, column]).item() for place in itertools.product(rows, columns)]


@pytest.mark.parametrize("around", [False, True])
@pytest.mark.parametrize("size", [(3, 7), (5, 4), (1, 2)])
def test_a_cost_is_the_difference_of_colors_and_of_neighborhoods(rng, size, around):
    left, right = torch.rand(2, 1, 3, *size, generator=rng)
    right = left.roll(-1, 3).lerp(right, 0.1)
    volume = matching_volume(left, right, -2, 3, around)
    height, width = size
    assert volume.shape == (height, width, 6)
    for row, column, index in itertools.product(range(height), range(width), range(6)):
        other = column + index - 2
        if not around and not 0 <= other < width:
            assert volume[row, column, index] == OUTSIDE
            continue
        other %= width
        color = (left[0, :, row, other] - right[0, :, row, column]).abs().mean().item()
        signs = zip(darker_neighbors(left, row, other), darker_neighbors(right, row, column), strict=True)
        differ = sum(a != b for a, b in signs) / 24
        expected = (1 - CENSUS_WEIGHT) * min(color / MOST_COLOR, 1) + CENSUS_WEIGHT * differ
        assert volume[row, column, index].item() == pytest.approx(expected, abs=1e-5)


def least_costs(costs: torch.Tensor, light: torch.Tensor) -> torch.Tensor:
    """For each place of a line (N, D) the least cost of all sequences of shifts that end there at each shift,
    beyond the least cost of those that end at the place before.
    """
    count, shifts = costs.shape
    best = torch.full((count, shifts), torch.inf)
    for end in range(count):
        for sequence in itertools.product(range(shifts), repeat=end + 1):
            total = sum(costs[place, shift].item() for place, shift in enumerate(sequence))
            for place, (a, b) in enumerate(itertools.pairwise(sequence), start=1):
                edge = abs(light[place] - light[place - 1]).item()
                jump = max(JUMP / (1 + edge / EDGE), 1.01 * STEP)
                total += (0.0, min(STEP, jump), jump)[min(abs(a - b), 2)]
            best[end, sequence[-1]] = min(best[end, sequence[-1]].item(), total)
    return best - torch.cat([torch.zeros(1, 1), best[:-1].amin(1, keepdim=True)])


@pytest.mark.parametrize("is_row", [True, False])
def test_paths_are_the_best_of_all_sequences_of_shifts(rng, is_row):
    """Along a single line; across it each of the other directions gives a pixel's own costs. In a column one
    pixel wide slanted paths are straight ones.
    """
    costs, light = torch.rand(5, 4, generator=rng), 0.2 * torch.rand(5, generator=rng)
    there, back = least_costs(costs, light), least_costs(costs.flip(0), light.flip(0)).flip(0)
    volume = costs[None] if is_row else costs[:, None]
    guide = light.view(1, 1, *volume.shape[:2]).expand(-1, 3, -1, -1)
    found = aggregate_costs(volume, guide, around=False).reshape(5, 4)
    expected = there + back + 6 * costs if is_row else 3 * (there + back) + 2 * costs
    assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("axis", [0, 1])
def test_directions_come_in_pairs(rng, axis):
    volume, guide = torch.rand(6, 9, 5, generator=rng), torch.rand(1, 3, 6, 9, generator=rng)
    turned = aggregate_costs(volume.flip(axis), guide.flip(axis + 2), around=False).flip(axis)
    assert torch.allclose(turned, aggregate_costs(volume, guide, around=False), atol=1e-5)


def test_costs_are_least_at_the_shift_between_equal_pictures(rng):
    left = torch.rand(1, 3, 12, 30, generator=rng)
    volume = matching_volume(left, left.roll(-4, 3), 0, 7, around=True)
    shift, agreed = best_shifts(volume, 0, around=True)
    assert (volume.argmin(2) == 4).all() and agreed.all() and (shift - 4).abs().max() < 0.5


@pytest.mark.parametrize("low", [-3, 0])
def test_shifts_between_whole_pixels_are_the_vertex_of_a_parabola(rng, low):
    wanted = low + 1.1 + 3.8 * torch.rand(5, 11, generator=rng)  # inside of the 7 shifts
    shifts = torch.arange(low, low + 7)
    found, _ = best_shifts(0.3 + (shifts - wanted[..., None]).square(), low, around=True)
    assert torch.allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("around", [False, True])
def test_eyes_agree_where_both_find_the_same_shift(rng, around):
    height, width, low = 4, 9, -1
    volume = torch.rand(height, width, 4, generator=rng)
    _, agreed = best_shifts(volume, low, around)
    for row, column in itertools.product(range(height), range(width)):
        best = volume[row, column].argmin().item()
        other = column + low + best
        candidates = {}  # costs of the left eye's pixel, by the number of the shift
        for index, own in itertools.product(range(4), range(width)):
            there = own + low + index
            if (there - other) % width == 0 if around else there == other:
                candidates[index] = volume[row, own, index].item()
        inside = around or 0 <= other < width
        expected = inside and abs(min(candidates, key=candidates.get) - best) <= 1
        assert agreed[row, column].item() == expected
    assert 0 < agreed.float().mean() < 1


def test_bits_are_counted(rng):
    numbers = torch.randint(1 << 30, (1000,), generator=rng, dtype=torch.int32)
    assert _bits(numbers).tolist() == [int(number).bit_count() for number in numbers]
