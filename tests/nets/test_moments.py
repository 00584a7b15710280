"""Protects the statistics that stand for a style: closed forms, and mixtures that equal the pictures put
together.
"""

from __future__ import annotations

import pytest
import torch

from pstyle.nets.moments import _RawMoments, gram, mix, moments, normalized_weights, pooled


def test_gram_of_ones_is_one_everywhere():
    assert torch.equal(gram(torch.ones(2, 3, 5, 7)), torch.ones(2, 3, 3))


def test_gram_of_a_hand_computed_case():
    features = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[0.0, 1.0], [0.0, -1.0]]]])  # (1, 2, 2, 2)
    expected = torch.tensor([[[30.0, -2.0], [-2.0, 2.0]]]) / 4
    assert torch.allclose(gram(features), expected)


def test_activations_that_overflow_half_precision_stay_finite():
    assert torch.isfinite(gram(torch.full((1, 4, 64, 64), 6e4, dtype=torch.float16))).all()


def test_statistics_equal_numpy_s(rng):
    features = torch.randn(2, 4, 9, 11, generator=rng).double()
    found, flat = moments(features), features.flatten(2).numpy()
    assert torch.allclose(found.mean.double(), torch.from_numpy(flat.mean(2)), atol=1e-6)
    assert torch.allclose(found.std.double(), torch.from_numpy(flat.std(2)), atol=1e-4)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_gradient_is_the_limit_of_differences(rng, layout):
    features = torch.randn(2, 3, 4, 5, generator=rng, dtype=torch.float64).contiguous(memory_format=layout)
    features.requires_grad_()
    assert torch.autograd.gradcheck(_RawMoments.apply, features)
    assert torch.autograd.gradgradcheck(_RawMoments.apply, features)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_gradient_is_autograd_s_of_the_formulas(rng, layout):
    features = torch.randn(2, 3, 6, 5, generator=rng).contiguous(memory_format=layout).requires_grad_()
    found, flat = moments(features), features.flatten(2)
    weights = torch.randn(3, 3, generator=rng)
    ours = (found.mean.square().sum() + (weights * found.gram).sum(), features)
    product = flat @ flat.mT / flat.shape[2]
    theirs = (flat.mean(2).square().sum() + (weights * product).sum(), features)
    assert torch.allclose(torch.autograd.grad(*ours)[0], torch.autograd.grad(*theirs)[0], atol=1e-6)


def test_a_flat_picture_has_a_finite_gradient():
    features = torch.full((1, 3, 4, 4), 0.5, requires_grad=True)
    moments(features).std.sum().backward()
    assert torch.isfinite(features.grad).all()


def test_two_pictures_mix_as_if_they_were_one(rng):
    a, b = torch.randn(1, 3, 4, 8, generator=rng), torch.randn(1, 3, 12, 8, generator=rng) + 2
    together = moments(torch.cat([a, b], dim=2))
    mixed = mix([moments(a), moments(b)], [4, 12])  # weights in proportion to their pixels
    assert torch.allclose(mixed.mean, together.mean, atol=1e-5)
    assert torch.allclose(mixed.gram, together.gram, atol=1e-5)
    assert torch.allclose(mixed.std, together.std, atol=1e-5)


def test_mixing_deviations_would_be_wrong(rng):
    a, b = moments(torch.zeros(1, 1, 4, 4)), moments(torch.ones(1, 1, 4, 4))
    assert mix([a, b], [1, 1]).std.item() == pytest.approx(0.5, abs=1e-4)  # although both deviations are 0


def test_a_batch_pooled_is_its_pictures_mixed_equally(rng):
    batch = torch.randn(3, 2, 4, 4, generator=rng)
    expected = mix([moments(picture[None]) for picture in batch], [1, 1, 1])
    assert torch.allclose(pooled(moments(batch)).gram, expected.gram, atol=1e-6)


def test_order_does_not_matter(rng):
    parts = [moments(torch.randn(1, 2, 3, 3, generator=rng)) for _ in range(3)]
    forward, backward = mix(parts, [1, 2, 3]), mix(parts[::-1], [3, 2, 1])
    assert torch.allclose(forward.gram, backward.gram, atol=1e-7)


@pytest.mark.parametrize(
    "weights", [[], [1.0], [1.0, -0.1], [0.0, 0.0], [1.0, float("nan")], [1.0, float("inf")], [1e308, 1e308]]
)
def test_unusable_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weight"):
        normalized_weights(weights, 2)
