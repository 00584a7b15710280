"""Protects pictures of features: bright is strong, and what goes together is bright."""

from __future__ import annotations

import pytest
import torch

from pstyle.plots.feature_maps import gram_picture, heat_map
from tests.plots.looks import check_picture, near


def test_heat_map_is_bright_where_features_are_strong():
    features = torch.zeros(2, 6, 10, 20)
    features[0, :, 2, 3], features[1, :, 7, 15] = 5, 0.01  # each picture is scaled to itself
    small = heat_map(features)
    check_picture(small[:1], 10, 20)
    brightness = small.mean(1).flatten(1).argmax(1)
    assert brightness.tolist() == [2 * 20 + 3, 7 * 20 + 15]
    large = heat_map(features, 100, 200)
    check_picture(large[:1], 100, 200)
    row, column = divmod(large[0].mean(0).argmax().item(), 200)
    assert abs(row - 25) <= 5 and abs(column - 35) <= 5
    with pytest.raises(ValueError, match=r"got \(6, 10, 20\)"):
        heat_map(features[0])


def test_a_heat_map_of_nothing_is_dark():
    assert heat_map(torch.zeros(1, 2, 4, 4)).max() < 0.05


def test_gram_picture_shows_which_maps_go_together():
    together = torch.tensor([[4.0, 4.0, 0.0], [4.0, 4.0, 0.0], [0.0, 0.0, 1.0]])
    image = gram_picture(together[None], size_px=300)
    check_picture(image, 300, 300)
    bright = near(image[:, :, :, :200], (0.987, 0.991, 0.750)).sum().item()  # the top of the color map
    dark = near(image[:, :, :, :200], (0.001, 0.000, 0.014)).sum().item()
    assert bright / (bright + dark) == pytest.approx(5 / 9, abs=0.08)
    for bad in (torch.zeros(2, 3), torch.zeros(2, 3, 3), torch.zeros(0, 0)):
        with pytest.raises(ValueError, match="a Gram matrix is"):
            gram_picture(bad)
