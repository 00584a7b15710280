"""Protects the division of pictures: checks see what is not trained on, pictures count by their weight."""

from __future__ import annotations

import pytest
import torch

from pstyle.finetuning.validation_split import center_square, hold_out, spread
from pstyle.image.crops import random_crops


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numbered(count: int, height: int = 140, width: int = 200) -> list[torch.Tensor]:
    """Pictures whose every pixel tells picture (red) and column (green)."""
    column = (torch.arange(width) / 1000).expand(1, 1, height, width)
    return [
        torch.cat([torch.full_like(column, index / 100), column, torch.zeros_like(column)], 1)
        for index in range(count)
    ]


def seen(images: torch.Tensor) -> tuple[set[int], set[int]]:
    """Pictures and columns that crops (B, 3, S, S) show."""
    indices = (images[:, 0] * 100).round().long().flatten().tolist()
    return set(indices), set((images[:, 1] * 1000).round().long().flatten().tolist())


@pytest.mark.parametrize("count", [1, 5])
def test_of_few_pictures_a_quarter_of_each_is_held_out(count):
    training, validation = hold_out(numbered(count), [1.0] * count, numbered(1), 48, seeded())
    known, fresh = (
        seen(torch.cat([training.draw(8, 48, seeded(i))[0] for i in range(40)])),
        seen(validation.fresh),
    )
    assert known[0] == set(range(count)) and fresh[1] <= set(range(75, 125))
    assert known[1] <= {*range(75), *range(125, 200)} and {0, 199} <= known[1]
    assert not seen(validation.known)[1] & fresh[1]


def test_of_many_pictures_a_fifth_is_held_out_whole():
    training, validation = hold_out(numbered(21), [1.0] * 21, numbered(1), 64, seeded(1))
    known = seen(torch.cat([training.draw(20, 64, seeded(i))[0] for i in range(5)]))[0]
    fresh = seen(validation.fresh)[0]
    assert len(known) == 17 and len(training.reals) == 17 and fresh and not known & fresh
    assert not seen(validation.known)[0] & fresh


def test_parts_count_by_the_crops_they_hold():
    training, _ = hold_out(numbered(2), [0.2, 0.8], numbered(1), 48, seeded())
    assert [part.shape[3] for part in training.reals] == [75, 75, 75, 75]
    assert training.shares == pytest.approx([0.1, 0.1, 0.4, 0.4])
    odd, _ = hold_out(numbered(1, width=203), [1.0], numbered(1), 48, seeded())
    assert [part.shape[3] for part in odd.reals] == [76, 77]
    assert odd.shares == pytest.approx([29 / 59, 30 / 59])


def test_a_band_is_wide_enough_for_a_crop_and_at_the_side_of_a_narrow_picture():
    training, validation = hold_out(numbered(1, 128, 128), [1.0], numbered(1), 64, seeded())
    assert validation.fresh.shape == (8, 3, 64, 64) and min(seen(validation.fresh)[1]) == 64
    assert max(seen(training.draw(8, 64, seeded())[0])[1]) == 63


@pytest.mark.parametrize(("count", "trained", "scored"), [(1, 1, 1), (2, 1, 1), (8, 6, 2), (40, 32, 8)])
def test_contents_are_held_out_where_there_are_two(count, trained, scored):
    training, validation = hold_out(numbered(1), [1.0], numbered(count), 48, seeded())
    assert (len(training.contents), len(validation.contents)) == (trained, scored)
    unseen = seen(validation.content)[0]
    assert unseen <= {round(image[0, 0, 0, 0].item() * 100) for image in validation.contents}
    assert count == 1 or not unseen & {round(image[0, 0, 0, 0].item() * 100) for image in training.contents}


def test_weights_are_shares_of_crops_and_zero_leaves_out():
    training, validation = hold_out(numbered(3), [0.0, 0.1, 0.9], numbered(1), 48, seeded())
    drawn = random_crops(training.reals, 200, 8, seeded(2), training.shares)
    share = ((drawn[:, 0, 0, 0] * 100).round() == 2).float().mean().item()
    assert 0.8 < share < 0.97
    for images in (drawn, validation.known, validation.fresh):
        assert 0 not in seen(images)[0]
    assert [round(image[0, 0, 0, 0].item() * 100) for image in validation.styles] == [2, 1]


def test_at_most_eight_favorites_are_scored():
    weights = [1.0 + (index * 7) % 40 for index in range(40)]  # all different
    _, validation = hold_out(numbered(40), weights, numbered(1), 48, seeded())
    scored = [weights[round(image[0, 0, 0, 0].item() * 100)] for image in validation.styles]
    drawn = {weights[index] for index in seen(validation.fresh)[0]}
    assert len(scored) == 8 and scored == sorted(scored, reverse=True) and max(drawn) <= scored[0]


@pytest.mark.parametrize("count", [1, 3, 6, 40])
def test_what_is_scored_against_is_never_drawn(count):
    training, validation = hold_out(numbered(count), [1.0] * count, numbered(1), 48, seeded())
    assert 1 <= len(validation.styles) <= 8
    for style in validation.styles:
        for known in training.reals:
            same = style[0, 0, 0, 0] == known[0, 0, 0, 0]
            assert not same or not set(style[0, 1, 0].tolist()) & set(known[0, 1, 0].tolist())


def test_the_center_square_has_a_side_the_painter_takes():
    found = center_square(numbered(1, 139, 201)[0])
    assert found.shape == (1, 3, 136, 136)
    assert (found[0, 1, 0, 0] * 1000).round().item() == 32


def test_contents_of_every_kind_are_held_out():
    contents = numbered(20)
    training, validation = hold_out(numbered(1), [1.0], contents, 48, seeded())
    held_out = {round(picture[0, 0, 0, 0].item() * 100) for picture in validation.contents}
    kept = {round(picture[0, 0, 0, 0].item() * 100) for picture in training.contents}
    assert held_out == {0, 4, 8, 12, 16} and kept == set(range(20)) - held_out
    assert spread(contents[:3], 8) == contents[:3]
