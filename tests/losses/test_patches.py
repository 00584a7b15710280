"""Protects the distance of patches: Wasserstein's own numbers, shares of pictures, repeatable draws."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from scipy.stats import wasserstein_distance

from pstyle.losses.patches import (
    DIRECTIONS,
    PATCH_PX,
    SAMPLES,
    SCALES,
    crop_patch_distance,
    patch_distance,
    style_patches,
    wasserstein,
)
from tests.conftest import random_picture


def seeded(seed: int = 5) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("count", "others"), [(500, 500), (64, 512), (300, 96)])
def test_it_is_wasserstein_s_distance(rng, count, others):
    a = torch.rand(3, count, generator=rng)
    b = 0.5 + 0.7 * torch.rand(3, others, generator=rng)
    expected = [wasserstein_distance(x.numpy(), y.numpy()) for x, y in zip(a, b, strict=True)]
    found = wasserstein(a, b).item()
    assert found == pytest.approx(sum(expected) / 3, abs=0.03 if count != others else 1e-6)


def test_flat_colors_are_as_far_apart_as_their_projections():
    first, second = torch.tensor([0.2, 0.5, 0.9]), torch.tensor([0.6, 0.4, 0.3])
    images = [color.view(1, 3, 1, 1).expand(1, 3, 64, 64) for color in (first, second)]
    patches = style_patches([images[1]], [1.0], seeded())
    found = patch_distance(images[0], patches, seeded())
    generator, expected = seeded(), 0.0
    step = (first - second).repeat_interleave(PATCH_PX**2)
    for _ in SCALES:
        axes = F.normalize(torch.randn(DIRECTIONS, len(step), generator=generator), dim=1)
        expected += (axes @ step).abs().mean().item() / len(SCALES)
    assert found.item() == pytest.approx(expected, abs=1e-5)


def test_a_picture_is_nearer_to_its_own_patches_and_crops_count_together(rng):
    own, other = random_picture(rng, 96, 128), random_picture(rng, 96, 128)
    patches = style_patches([own], [1.0], seeded())
    near, far = (patch_distance(image, patches, seeded()).item() for image in (own, other))
    assert near < 0.3 * far
    halves = [own[..., :64], own[..., 64:]]  # neither alone has all of it
    alone = [patch_distance(half, patches, seeded()) for half in halves]
    assert patch_distance(torch.cat(halves), patches, seeded()) < 0.7 * min(alone)


def test_crops_of_several_styles_are_each_compared_with_their_own(rng):
    styles = torch.cat([random_picture(rng, 64, 96) for _ in range(2)])
    painted = torch.cat([random_picture(rng, 48, 48) for _ in range(4)])
    found = crop_patch_distance(painted, styles, seeded(), directions=4)
    generator, expected = seeded(), []
    for scale in SCALES:
        axes = F.normalize(torch.randn(4, 75, generator=generator), dim=1)
        for index in range(2):
            columns = [
                F.unfold(F.avg_pool2d(x, scale), PATCH_PX).transpose(0, 1).flatten(1)
                for x in (painted[2 * index : 2 * index + 2], styles[index : index + 1])
            ]
            pairs = zip(*((axes @ x).numpy() for x in columns), strict=True)
            expected += [wasserstein_distance(a, b) for a, b in pairs]
    assert found.item() == pytest.approx(sum(expected) / len(expected), abs=0.02)
    assert crop_patch_distance(styles, styles, seeded()) < 1e-6


def test_pictures_take_part_by_their_weights():
    dark, light = torch.zeros(1, 3, 64, 64), torch.ones(1, 3, 80, 64)
    for samples in style_patches([dark, light], [3.0, 1.0], seeded()):
        assert samples.shape == (3 * PATCH_PX**2, SAMPLES)
        assert samples.mean().item() == pytest.approx(0.25)


def test_draws_repeat_and_the_gradient_is_finite(rng):
    patches = style_patches([random_picture(rng, 64, 64)], [1.0], seeded())
    image = random_picture(rng, 64, 64).requires_grad_()
    first, again = (patch_distance(image, patches, seeded()) for _ in range(2))
    assert torch.equal(first, again)
    first.backward()
    assert torch.isfinite(image.grad).all() and image.grad.abs().sum() > 0
