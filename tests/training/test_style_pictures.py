"""Protects the set of style pictures: how many, how small, and an order that comes from their content."""

from __future__ import annotations

import itertools

import pytest
import torch

from pstyle.training.style_pictures import ordered_by_content, style_pictures


def test_a_batch_is_single_pictures() -> None:
    found = style_pictures([torch.rand(2, 3, 64, 70), torch.rand(1, 3, 99, 64)])
    assert [tuple(picture.shape) for picture in found] == [(1, 3, 64, 70)] * 2 + [(1, 3, 99, 64)]


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        ([], "no style picture"),
        ([torch.rand(51, 3, 64, 64)], "got 51 style pictures, 1 to 50 are allowed"),
        ([torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 63)], "style picture 2 is 63x64 px, at least 64 px"),
    ],
)
def test_none_too_many_or_a_small_one_are_refused(pictures: list[torch.Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        style_pictures(pictures)


def test_any_order_becomes_one_and_weights_go_with_their_pictures() -> None:
    twin = torch.full((1, 3, 8, 8), 0.5)
    given = [(twin, 3.0), (torch.zeros(1, 3, 8, 8), 2.0), (twin.clone(), 1.0), (torch.ones(1, 3, 8, 9), 4.0)]
    found = []
    for order in itertools.permutations(given):
        pictures, weights = ordered_by_content(*map(list, zip(*order, strict=True)))
        assert all(any(p is q and w == v for q, v in given) for p, w in zip(pictures, weights, strict=True))
        found.append((weights, [picture.sum().item() for picture in pictures]))
    assert all(one == found[0] for one in found) and sorted(found[0][0]) == [1, 2, 3, 4]


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [0.0, 0.0], [1.0, float("nan")]])
def test_unusable_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weight"):
        ordered_by_content([torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)], weights)
