"""Protects color: Lab as scikit-image computes it, and colors that stay when only lightness is painted."""

from __future__ import annotations

import pytest
import torch
from skimage.color import lab2rgb, rgb2lab

from pstyle.image.colors import lab_to_rgb, rgb_to_lab, with_colors_of, with_light_of


def numpy_of(image):
    return image[0].permute(1, 2, 0).double().numpy()


def test_lab_is_scikit_image_s(rng):
    image = torch.rand(1, 3, 9, 11, generator=rng)
    assert abs(numpy_of(rgb_to_lab(image)) - rgb2lab(numpy_of(image))).max() < 0.02


def test_there_and_back_is_the_picture(rng):
    image = torch.rand(2, 3, 9, 11, generator=rng)
    assert torch.allclose(lab_to_rgb(rgb_to_lab(image)), image, atol=1e-4)


def test_back_is_scikit_image_s(rng):
    lab = rgb_to_lab(torch.rand(1, 3, 5, 5, generator=rng))
    assert abs(numpy_of(lab_to_rgb(lab)) - lab2rgb(numpy_of(lab))).max() < 1e-3


def test_black_and_white_are_their_definition():
    ends = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 3, 1, 1)
    found = rgb_to_lab(ends).flatten(1)
    assert torch.allclose(found, torch.tensor([[0.0, 0, 0], [100.0, 0, 0]]), atol=0.02)


def test_lightness_comes_from_one_and_color_from_the_other(rng):
    a, b = 0.3 + 0.4 * torch.rand(2, 1, 3, 8, 8, generator=rng)
    mixed = rgb_to_lab(with_colors_of(a, b))
    assert (mixed[:, 0] - rgb_to_lab(a)[:, 0]).abs().median() < 0.5
    assert (mixed[:, 1:] - rgb_to_lab(b)[:, 1:]).abs().median() < 0.5


def test_the_light_of_one_and_the_color_of_the_other(rng):
    a, b = 0.3 + 0.4 * torch.rand(2, 1, 3, 8, 8, generator=rng)
    assert torch.allclose(with_light_of(a, b), with_colors_of(b, a), atol=0.02)  # all of it in gamut


@pytest.mark.parametrize("scale", [0.02, 0.3, 1.0])
def test_what_is_kept_is_kept_where_the_gamut_ends(rng, scale):
    """Vivid colors in another picture's extreme light, which no display can show."""
    vivid = torch.rand(2, 3, 16, 16, generator=rng).round()
    other = scale * torch.rand(2, 3, 16, 16, generator=rng)
    for painted, photo in ((vivid, other), (other, vivid)):
        colors = rgb_to_lab(with_colors_of(painted, photo)) - rgb_to_lab(photo)
        assert colors[:, 1:].abs().max() < 1.5
        light = rgb_to_lab(with_light_of(painted, photo)) - rgb_to_lab(photo)
        assert light[:, 0].abs().max() < 1.5


def test_out_of_gamut_the_nearest_lightness_on_the_way_is_taken():
    """Pure blue cannot be light: against white, its lightness may hardly leave its own."""
    blue, white = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1), torch.ones(1, 3, 1, 1)
    found = rgb_to_lab(with_colors_of(white, blue))
    assert found[0, 0].item() == pytest.approx(rgb_to_lab(blue)[0, 0].item(), abs=1.5)
    assert torch.allclose(with_light_of(blue, white), white, atol=0.01)
