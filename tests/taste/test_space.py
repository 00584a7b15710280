"""Protects the directions: where a point leads, and that known changes of pictures lie along them."""

from __future__ import annotations

import pytest
import torch

from pstyle.nets.generator import style_moments
from pstyle.painting.painter import Painter
from pstyle.style.provenance import Provenance
from pstyle.style.styled_generator import StyledGenerator
from pstyle.taste.space import TasteSpace, find_directions, known_changes
from tests.conftest import random_picture


@pytest.fixture
def origin(tiny_generator):
    latent = torch.randn(4, 16, generator=torch.Generator().manual_seed(2))
    return StyledGenerator(tiny_generator, latent).style(Provenance())


@pytest.fixture
def seen(rng):
    return [random_picture(rng, 64, 80), random_picture(rng, 72, 64)]


def test_point_zero_is_the_style_begun_with(origin):
    space = TasteSpace(origin, torch.randn(5, 16))
    assert torch.equal(space.style_at(torch.zeros(5)).latent, origin.latent)


def test_a_point_moves_every_level_along_the_directions(origin):
    directions = torch.randn(5, 16, generator=torch.Generator().manual_seed(3))
    point = torch.tensor([1.0, 0.0, -0.5, 0.0, 2.0])
    moved = TasteSpace(origin, directions).style_at(point).latent.float() - origin.latent.float()
    expected = directions[0] - 0.5 * directions[2] + 2 * directions[4]
    assert torch.allclose(moved, expected.expand(4, -1), atol=0.02)  # half precision


def test_it_paints_what_a_painter_of_that_style_paints(origin, tiny_generator, tiny_vgg, rng):
    space = TasteSpace(origin, torch.randn(4, 16, generator=rng))
    points, picture = torch.randn(3, 4, generator=rng), random_picture(rng, 32, 48)
    found = space.painter(picture, tiny_generator)(points)
    for one, point in zip(found, points, strict=True):
        painter = Painter(space.style_at(point), tiny_generator, tiny_vgg, "cpu")
        assert torch.allclose(one[None], painter(picture), atol=2e-3)


def test_directions_are_orthogonal_and_ordered_by_length(seen, tiny_generator, tiny_vgg):
    found = find_directions(seen, tiny_generator, tiny_vgg, 6)
    lengths = found.norm(dim=1)
    cosines = (found / lengths[:, None]) @ (found / lengths[:, None]).mT
    assert found.shape == (6, 16) and torch.allclose(cosines, torch.eye(6), atol=1e-4)
    assert (lengths[:-1] >= lengths[1:] - 1e-6).all() and lengths[-1] > 0


def test_known_changes_lie_within_the_directions(seen, tiny_generator, tiny_vgg):
    """Contrast and the others are reachable: most of what they do to the code is a sum of directions."""
    found = find_directions(seen[:1], tiny_generator, tiny_vgg, 8)
    unit = found / found.norm(dim=1, keepdim=True)

    def code(picture):
        return tiny_generator.encode(style_moments(tiny_vgg, picture))[0, 0]

    for changed in known_changes(seen[0]):
        change = code(changed) - code(seen[0])
        assert (change @ unit.mT).norm() > 0.9 * change.norm()


def test_the_same_pictures_give_the_same_directions_one_alone_too(seen, tiny_generator, tiny_vgg):
    once, again = (find_directions(seen[:1], tiny_generator, tiny_vgg, 4) for _ in range(2))
    assert torch.equal(once, again)


def test_known_changes_go_both_ways():
    picture = random_picture(torch.Generator().manual_seed(4), 64, 64)
    up, down = known_changes(picture)[:5], known_changes(picture)[5:]

    def saturation(x):
        return (x - x.mean(1, keepdim=True)).abs().mean()

    assert saturation(up[0]) > saturation(picture) > saturation(down[0])
    assert up[1].std() > picture.std() > down[1].std()
    assert up[2][:, 0].mean() - up[2][:, 2].mean() > down[2][:, 0].mean() - down[2][:, 2].mean()
    assert up[3].mean() > picture.mean() > down[3].mean()
    assert up[4].shape[2] > picture.shape[2] > down[4].shape[2]
