"""Protects the losses: the paper's formulas by hand, gradients in double precision, and what relative
forms promise.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.measure import block_reduce
from skimage.metrics import structural_similarity

from pstyle.losses.style_content import (
    content_distance,
    content_loss,
    light_distance,
    structure_distance,
    style_distance,
    style_loss,
    total_loss,
    total_variation,
)
from pstyle.nets.moments import Moments, moments
from tests.conftest import random_picture


def test_content_loss_by_hand():
    assert content_loss(torch.tensor([[[[3.0, 1.0]]]]), torch.tensor([[[[1.0, 0.0]]]])).item() == 2.5


def test_style_loss_is_the_paper_s_sum(rng):
    x, s = torch.randn(1, 4, 5, 6, generator=rng), torch.randn(1, 4, 5, 6, generator=rng)
    maps, size = 4, 30
    total = 0.0
    for i in range(maps):
        for j in range(maps):
            total += ((x[0, i] * x[0, j]).sum() - (s[0, i] * s[0, j]).sum()) ** 2
    expected = total / (4 * maps**2 * size**2)
    assert torch.allclose(style_loss(x, s), expected, rtol=1e-4)


def test_style_loss_by_hand():
    ones, zeros = torch.ones(1, 2, 2, 2), torch.zeros(1, 2, 2, 2)
    assert style_loss(ones, zeros).item() == 4 / (4 * 2**2)  # four Gram entries of 1, divided by 4 N^2


@pytest.mark.parametrize("size", [(32, 40), (37, 51)])
def test_structure_distance_is_ssim_with_a_box(rng, size):
    content = random_picture(rng, *size)
    output = (0.7 * content + 0.3 * torch.rand(1, 3, *size, generator=rng)).clamp(0, 1)
    weights = torch.tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)
    x, y = ((image * weights).sum(1)[0].double().numpy() for image in (output, content))
    _, whole = structural_similarity(x, y, win_size=11, data_range=1, full=True, use_sample_covariance=False)
    inner = whole[5:-5:2, 5:-5:2]  # every other window that lies inside
    assert structure_distance(output, content).item() == pytest.approx(1 - inner.mean(), abs=1e-4)


def test_structure_distance_is_none_to_itself_and_defined_for_tiny_pictures(rng):
    picture = random_picture(rng, 8, 8)
    assert structure_distance(picture, picture).abs() < 1e-6
    assert 0 < structure_distance(1 - picture, picture) < 2


@pytest.mark.parametrize("size", [(40, 48), (45, 52), (64, 8)])
def test_light_distance_is_twice_what_correlation_lacks(rng, size):
    """Of the means of blocks of 8x8 pixels, as scikit-image and numpy have them; of gray pictures, so that it
    does not matter how colors are weighed.
    """
    height, width = size
    blocks = torch.rand(2, 1, -(-height // 8), -(-width // 8), generator=rng)
    blocks[1] = 0.4 * blocks[0] + 0.6 * blocks[1]
    large = blocks.repeat_interleave(8, 2).repeat_interleave(8, 3)[..., :height, :width]
    grays = 0.8 * large + 0.2 * torch.rand(2, 1, height, width, generator=rng)
    content, output = grays[:, None].expand(-1, -1, 3, -1, -1)
    x, y = (
        block_reduce(gray[0, : height // 8 * 8, : width // 8 * 8].numpy(), (8, 8), np.mean) for gray in grays
    )
    lacking = 1 - np.corrcoef(x.ravel(), y.ravel())[0, 1]
    assert lacking > 0.1
    assert light_distance(output, content).item() == pytest.approx(2 * lacking, rel=0.05)


def test_light_distance_is_blind_to_what_lies_within_a_block(rng):
    content, output = torch.rand(2, 1, 3, 16, 24, generator=rng)
    mixed = output.reshape(1, 3, 2, 8, 3, 8).flip(3, 5).reshape(1, 3, 16, 24)
    expected = light_distance(output, content)
    assert not torch.equal(mixed, output) and torch.allclose(
        light_distance(mixed, content), expected, atol=1e-5
    )
    assert not torch.allclose(light_distance(output.roll(8, 3), content), expected, atol=1e-2)


def test_light_distance_forgives_a_darker_flatter_picture_and_sees_one_turned_over(rng):
    picture = random_picture(rng, 64, 64)
    own = light_distance(picture, picture)
    assert own < 1e-6 and light_distance(0.1 + 0.5 * picture, picture) < 0.1
    assert light_distance(1 - picture, picture) > 1


def test_total_is_the_weighted_sum():
    assert total_loss(torch.tensor(2.0), torch.tensor(3.0), alpha=0.5, beta=10.0).item() == 31.0


def test_gradients_of_the_raw_losses_in_double_precision(rng, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "float", lambda self: self)  # keep the double precision of the check
    x = torch.randn(1, 3, 4, 4, generator=rng, dtype=torch.float64, requires_grad=True)
    s = torch.randn(1, 3, 4, 4, generator=rng, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda v: content_loss(v, s), x)
    assert torch.autograd.gradcheck(lambda v: style_loss(v, s), x)
    assert torch.autograd.gradcheck(lambda v: style_distance({"a": moments(v)}, {"a": moments(s)}), x)
    assert torch.autograd.gradcheck(lambda v: content_distance({"a": v}, {"a": s}), x)


def test_style_distance_is_zero_for_itself_and_one_for_nothing(rng):
    style = moments(torch.randn(1, 4, 8, 8, generator=rng).abs() + 0.5)
    nothing = Moments(torch.zeros_like(style.mean), torch.zeros_like(style.gram))
    assert style_distance({"a": style}, {"a": style}).item() == 0
    assert abs(style_distance({"a": nothing}, {"a": style}, gram_weight=1.0).item() - 2) < 0.05


def test_style_distance_does_not_depend_on_the_network_s_scale(rng):
    a, b = torch.randn(1, 4, 8, 8, generator=rng), torch.randn(1, 4, 8, 8, generator=rng)
    small = style_distance({"x": moments(a)}, {"x": moments(b)})
    large = style_distance({"x": moments(a * 100)}, {"x": moments(b * 100)})
    assert torch.allclose(small, large, rtol=1e-3)


def test_content_distance_ignores_brightness_and_contrast(rng):
    a = {"x": torch.randn(1, 4, 8, 8, generator=rng) * 3}
    moved = {"x": a["x"] * 5 + 2}
    assert content_distance(moved, a).item() < 1e-5
    assert content_distance({"x": torch.randn(1, 4, 8, 8, generator=rng)}, a).item() > 1


def test_flat_features_have_finite_losses_and_gradients():
    flat = torch.full((1, 3, 4, 4), 0.3, requires_grad=True)
    target = moments(torch.zeros(1, 3, 4, 4))
    loss = style_distance({"a": moments(flat)}, {"a": target}) + content_distance(
        {"a": flat}, {"a": flat.detach()}
    )
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(flat.grad).all()


def test_total_variation_of_a_ramp():
    ramp = torch.arange(4.0).expand(1, 1, 4, 4)
    assert total_variation(ramp).item() == 0.5  # 1 across, 0 down


def test_gram_weight_zero_leaves_means_and_deviations(rng):
    a, b = moments(torch.randn(1, 2, 6, 6, generator=rng)), moments(torch.randn(1, 2, 6, 6, generator=rng))
    energy = (b.mean.square() + b.std.square()).sum()
    expected = ((a.mean - b.mean).square().sum() + (a.std - b.std).square().sum()) / energy
    assert torch.allclose(style_distance({"x": a}, {"x": b}, gram_weight=0.0), expected, rtol=1e-5)
