"""Protects the map: everything is where its place is, at one scale, with its name beside it."""

from __future__ import annotations

import pytest
import torch

from pstyle.plots.place_map import place_map


def test_what_is_nearly_on_a_line_lies_on_it() -> None:
    """Two things have no second component but rounding, which must not fill the plane."""
    color = torch.tensor([200, 30, 160], dtype=torch.uint8).view(3, 1, 1)

    def drawn(second: float) -> torch.Tensor:
        places = [torch.tensor([0.0, 0.0]), torch.tensor([1.0, second])]
        return place_map([(place, color.expand(3, 24, 24)) for place in places], {}, [], 300)

    def height(picture: torch.Tensor) -> torch.Tensor:
        """Deviation of the rows that show a thumbnail."""
        return ((picture[0] - color / 255).abs().amax(0) < 0.01).nonzero()[:, 0].float().std()

    assert height(drawn(1e-7)) == pytest.approx(height(drawn(0.0)).item(), abs=1)
    assert height(drawn(0.8)) > 2 * height(drawn(0.0))


def test_a_style_is_blue_a_chosen_candidate_orange_and_what_is_absent_is_in_no_legend() -> None:
    place, blue, orange = torch.zeros(2), (31, 119, 180), (255, 127, 14)

    def count(color: tuple[int, int, int], **given: object) -> int:
        drawn = place_map(**{"pictures": [], "styles": {}, "candidates": []} | given, side_px=300)
        return int(((drawn[0] * 255 - torch.tensor(color).view(3, 1, 1)).abs().amax(0) < 2).sum())

    assert count(blue, styles={"mine": (place, None)}) > 100
    assert count(orange, candidates=[(place, True)]) > 80
    for color in (blue, orange):
        assert count(color, candidates=[(place, False)]) == 0


def test_names_beside_each_other_do_not_cover_each_other() -> None:
    near = {f"style {number}": (torch.tensor([0.02 * number, 0.0]), None) for number in range(3)}
    far = {"first": (torch.zeros(2), None), "last": (torch.tensor([1.0, 0.0]), None)}
    ink = [int((place_map([], styles, [], 600)[0].mean(0) < 0.6).sum()) for styles in (near | far, far)]
    assert ink[0] > ink[1] + 3 * 150  # as many dark pixels as three names have, and their marks
