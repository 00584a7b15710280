"""Protects the two operations of every network: padding modes, and instance norm in its three equal forms."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from pstyle.image.padding import PADDINGS, pad
from pstyle.nets import layers
from pstyle.nets.layers import EPS, conv, conv_exact, modulate, rectified, statistics


def reference(x, scale, bias):
    return F.instance_norm(x, eps=1e-5) * (scale + 1) + bias


def parameters(rng, batch, channels):
    return torch.randn(2, batch, channels, 1, 1, generator=rng).unbind(0)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_modulate_is_instance_norm_with_affine(rng, batch, layout):
    x = torch.randn(3, 5, 9, 7, generator=rng).contiguous(memory_format=layout)
    scale, bias = parameters(rng, batch, 5)
    assert torch.allclose(modulate(x, scale, bias), reference(x, scale, bias), atol=1e-5)


def test_frozen_statistics_of_its_own_change_nothing(rng):
    x = torch.randn(2, 5, 9, 7, generator=rng)
    scale, bias = parameters(rng, 1, 5)
    assert torch.allclose(modulate(x, scale, bias, statistics(x)), modulate(x, scale, bias), atol=1e-5)


def test_weighed_rows_are_rows_seen_as_often(rng):
    x = torch.randn(2, 3, 4, 5, generator=rng)
    rows = torch.tensor([1.0, 0, 2, 1])
    repeated = torch.cat([x[:, :, :1], x[:, :, 2:3], x[:, :, 2:3], x[:, :, 3:]], dim=2)
    for found, expected in zip(statistics(x, rows), statistics(repeated), strict=True):
        assert torch.allclose(found, expected, atol=1e-6)
    for found, expected in zip(statistics(x, rows.repeat_interleave(8)), statistics(repeated), strict=True):
        assert torch.allclose(found, expected, atol=1e-6)  # rows of the pixels, eight to one of features


def test_frozen_statistics_make_it_local(rng):
    x = torch.randn(1, 5, 8, 8, generator=rng)
    scale, bias = parameters(rng, 1, 5)
    whole = modulate(x, scale, bias, statistics(x))
    assert torch.allclose(modulate(x[..., :3], scale, bias, statistics(x)), whole[..., :3], atol=1e-6)


@pytest.mark.parametrize("wants", ["scale", "input", "both"])
def test_gradients_equal_the_reference_s_in_channels_last(rng, wants):
    x = torch.randn(2, 4, 6, 6, generator=rng).contiguous(memory_format=torch.channels_last)
    scale, bias = parameters(rng, 1, 4)
    leaves = {"scale": [scale, bias], "input": [x], "both": [x, scale, bias]}[wants]
    leaves = [leaf.requires_grad_() for leaf in leaves]
    found = torch.autograd.grad(modulate(x, scale, bias).square().sum(), leaves)
    expected = torch.autograd.grad(reference(x, scale, bias).square().sum(), leaves)
    for a, b in zip(found, expected, strict=True):
        assert torch.allclose(a, b, atol=1e-3)


def test_a_flat_map_stays_finite():
    flat = torch.full((1, 2, 4, 4), 0.5)
    scale, bias = torch.ones(2, 1, 2, 1, 1).unbind(0)
    assert torch.allclose(modulate(flat, scale, bias), torch.ones(1, 2, 4, 4))


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 2), (7, 9)])
def test_convolution_keeps_the_size_in_every_mode_but_valid(rng, padding, size):
    x, weight = torch.randn(1, 2, *size, generator=rng), torch.randn(3, 2, 3, 3, generator=rng)
    if padding == "valid":
        if min(size) >= 3:
            assert conv(x, weight, None, padding).shape == (1, 3, size[0] - 2, size[1] - 2)
        return
    assert conv(x, weight, None, padding).shape == (1, 3, *size)


def test_reflection_is_torch_s(rng):
    x, weight = torch.randn(1, 2, 6, 5, generator=rng), torch.randn(3, 2, 3, 3, generator=rng)
    expected = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), weight)
    assert torch.equal(conv(x, weight, None, "reflect"), expected)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("amount", [0, 1, 2])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", [(5, 7), (2, 9), (8, 2)])
def test_what_is_positive_is_padded_in_one_pass_as_in_two(rng, padding, amount, layout, dtype, size):
    x = torch.randn(2, 3, *size, generator=rng).to(dtype).contiguous(memory_format=layout)
    kept = x.clone()
    found = rectified(x, amount, padding)
    assert torch.equal(found, pad(F.relu(x), amount, padding)) and torch.equal(x, kept)
    if padding == "reflect" and min(size) > amount > 0:
        assert found.is_contiguous(memory_format=layout)


def test_what_is_positive_keeps_its_gradient(rng):
    x = torch.randn(1, 2, 5, 6, generator=rng, dtype=torch.double, requires_grad=True)
    weight = torch.randn(3, 2, 3, 3, generator=rng, dtype=torch.double)
    assert torch.autograd.gradcheck(lambda x: conv(x, weight, None, rectify=True), x)


@pytest.mark.parametrize("rows", [1, 3, 100])
def test_bands_in_a_wider_format_are_the_whole(rng, monkeypatch, rows):
    x = torch.randn(2, 3, 11, 9, generator=rng).to(torch.bfloat16)
    weight, bias = torch.randn(4, 3, 3, 3, generator=rng), torch.randn(4, generator=rng)
    monkeypatch.setattr(layers, "WIDENED", rows * 2 * 3 * 9)
    found = conv_exact(x, weight, bias)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, F.conv2d(x.float(), weight, bias))


def test_circular_convolution_commutes_with_a_turn(rng):
    x, weight = torch.randn(1, 2, 6, 8, generator=rng), torch.randn(3, 2, 3, 3, generator=rng)
    turned = conv(x.roll(3, 3), weight, None, "circular")
    assert torch.allclose(turned, conv(x, weight, None, "circular").roll(3, 3), atol=1e-6)


@pytest.mark.parametrize("size", [(64, 65), (150, 173), (512, 512), (7, 5000)])
def test_large_maps_are_normalized_as_in_double_precision(rng, size):
    x = 2 + torch.rand(1, 6, *size, generator=rng).to(memory_format=torch.channels_last)
    scale, bias = torch.rand(2, 1, 6, 1, 1, generator=rng)
    variance, mean = torch.var_mean(x.double(), dim=(2, 3), correction=0, keepdim=True)
    expected = (x - mean) / (variance + EPS).sqrt() * (scale + 1) + bias
    assert (modulate(x, scale, bias) - expected).abs().max() < 1e-4
