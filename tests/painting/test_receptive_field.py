"""Protects the overlap of tiles: as far as the network sees, and no farther."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from pstyle.image.multiband import joined, octaves_of
from pstyle.image.multiband import reach_px as regions_reach_px
from pstyle.nets.generator import STRIDE, STYLE_LAYERS, GeneratorConfig
from pstyle.nets.layers import Statistics
from pstyle.painting.receptive_field import generator_reach_px, reach_px, vgg_reach_px


def farthest_px(image: torch.Tensor, painted: torch.Tensor, column: int, span_px: int = 1) -> int:
    """From how far a picture moves its painting's pixels in a column, by the gradient."""
    grad = torch.autograd.grad(painted[..., column : column + span_px].sum(), image, retain_graph=True)[0]
    columns = grad.abs().amax((0, 1, 2)).nonzero().flatten()
    return max(column - int(columns[0]), int(columns[-1]) - (column + span_px - 1))


def test_the_generator_s_reach_is_that_of_its_gradient(tiny_generator):
    """In the whole of one stride, since a pixel's place in it decides how far it sees."""
    reach, generator = generator_reach_px(tiny_generator.config), tiny_generator.double()
    image = torch.rand(1, 3, 16, 4 * reach // STRIDE * STRIDE, dtype=torch.float64, requires_grad=True)
    modulation = generator.modulation(torch.zeros(1, 4, 16, dtype=torch.float64))
    given = Statistics(torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1))
    silent = lambda site, x: given._replace(mean=torch.full_like(given.mean, -9.0))  # noqa: E731
    painted = generator(image, generator.content(image), modulation, normalize=silent)
    middle = image.shape[3] // 2 // STRIDE * STRIDE
    assert max(farthest_px(image, painted, middle + place) for place in range(STRIDE)) == reach


def test_the_vgg_s_reach_is_that_of_its_gradient(tiny_vgg):
    reach, vgg = vgg_reach_px(tiny_vgg.width), tiny_vgg.double()
    found = 0
    for seed in range(8):  # pooling passes one of four on: which one, chance decides
        rng = torch.Generator().manual_seed(seed)
        image = torch.rand(1, 3, 16, 160, dtype=torch.float64, generator=rng, requires_grad=True)
        features = vgg(image, STYLE_LAYERS[-1:])[STYLE_LAYERS[-1]].repeat_interleave(STRIDE, dim=3)
        found = max(found, farthest_px(image, features, 80), farthest_px(image, features, 87))
    assert STRIDE < reach - STRIDE <= found <= reach


def test_more_layers_see_farther():
    one, two = (generator_reach_px(GeneratorConfig(latent=8, body=8, blocks=n)) for n in (1, 2))
    assert two - one == 2 * 8  # two convolutions at an eighth of the resolution


@pytest.mark.parametrize(("size", "expected"), [(1, 0), (3, 1), (9, 4)])
def test_a_convolution_sees_half_its_kernel(size, expected):
    kernel = torch.ones(1, 3, size, size, dtype=torch.float64)
    assert reach_px(lambda x: F.conv2d(x, kernel, padding=size // 2)) == expected


def test_what_sees_farther_than_the_first_try_is_tried_on_wider_pictures():
    kernel = torch.ones(1, 3, 1, 401, dtype=torch.float64)
    assert reach_px(lambda x: F.conv2d(x, kernel, padding=(0, 200))) == 200


def test_regions_are_joined_within_their_reach():
    octaves = octaves_of(64, 512)
    image = torch.rand(1, 3, 64, 512, dtype=torch.float64, requires_grad=True)
    mask = torch.rand(1, 1, 64, 512, dtype=torch.float64)
    found = joined(image, torch.rand_like(image), mask, octaves)
    farthest = max(farthest_px(image, found, 256 + place) for place in range(2**octaves))
    assert regions_reach_px(octaves) - 2**octaves <= farthest <= regions_reach_px(octaves)
