"""Protects the discriminator: frozen features, exact spectral norm, patches that see little."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pstyle.losses.adversarial import hinge, realness
from pstyle.nets.discriminator import Discriminator, SpectralConv, logit_map, spectral_norm, split
from pstyle.nets.vgg import VGG


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def logits(*values: list[float]) -> dict[str, torch.Tensor]:
    return {f"head{i}": torch.tensor(row).view(-1, 1, 1, 1) for i, row in enumerate(values)}


def test_the_mixing_has_orthonormal_rows_and_is_no_parameter(tiny_vgg):
    discriminator = Discriminator(tiny_vgg, hidden=12, seed=3)
    learned = {name for name, _ in discriminator.named_parameters()}
    for name, head in discriminator.heads.items():
        rows = head.mixing[:, :, 0, 0]
        assert torch.allclose(rows @ rows.T, torch.eye(len(rows)), atol=1e-5)
        assert f"heads.{name}.mixing" not in learned and f"heads.{name}.scale" not in learned


def test_every_convolution_has_spectral_norm_one_also_after_steps(tiny_vgg):
    discriminator = Discriminator(tiny_vgg)
    optimizer = torch.optim.Adam(discriminator.parameters(), lr=0.1)
    image = torch.rand(2, 3, 32, 32, generator=seeded())
    for _ in range(3):
        optimizer.zero_grad()
        hinge(discriminator(tiny_vgg(image)), 1).backward()
        optimizer.step()
    convs = [module for module in discriminator.modules() if isinstance(module, SpectralConv)]
    assert len(convs) == 5
    for module in convs:
        largest = np.linalg.svd(module.normalized().detach().flatten(1).numpy(), compute_uv=False)[0]
        assert largest == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("shape", [(8, 72), (72, 8), (1, 9)])
def test_spectral_norm_and_its_gradient_are_those_of_the_svd(shape):
    matrix = torch.randn(shape, generator=seeded(1), dtype=torch.float64, requires_grad=True)
    u, s, v = np.linalg.svd(matrix.detach().numpy(), full_matrices=False)
    found = spectral_norm(matrix)
    found.backward()
    assert found.item() == pytest.approx(s[0], rel=1e-9)
    np.testing.assert_allclose(matrix.grad.numpy(), np.outer(u[:, 0], v[0]), atol=1e-8)


def test_the_scale_of_a_weight_changes_nothing(rng):
    layer = SpectralConv(3, 4, rng)
    x = torch.randn(1, 3, 8, 8, generator=rng)
    before = layer(x)
    with torch.no_grad():
        layer.weight.mul_(7)
    assert torch.allclose(layer(x), before, atol=1e-5)


def test_gradients_reach_heads_and_picture_but_not_the_network(tiny_vgg):
    discriminator = Discriminator(tiny_vgg)
    before = {name: value.clone() for name, value in tiny_vgg.state_dict().items()}
    image = torch.rand(1, 3, 32, 32, generator=seeded(), requires_grad=True)
    realness(discriminator(tiny_vgg(image))).backward()
    assert image.grad.abs().sum() > 0
    assert all(weight.grad is not None for weight in discriminator.parameters())
    assert all(weight.grad is None for weight in tiny_vgg.parameters())
    assert all(torch.equal(value, before[name]) for name, value in tiny_vgg.state_dict().items())
    assert not any("vgg" in name for name in discriminator.state_dict())


def test_measured_features_come_in_with_mean_zero_and_mean_square_one(tiny_vgg):
    discriminator = Discriminator(tiny_vgg)
    features = tiny_vgg(torch.rand(3, 3, 48, 40, generator=seeded()), discriminator.layers)
    discriminator.measure(features)
    for name, head in discriminator.heads.items():
        seen = (features[name] - head.mean) * head.scale
        assert seen.square().mean().item() == pytest.approx(1, rel=1e-3)
        assert seen.mean((0, 2, 3)).abs().max() < 1e-3


def test_a_seed_is_all_its_randomness(tiny_vgg):
    state = torch.get_rng_state()
    one, same, other = (Discriminator(tiny_vgg, seed=seed).state_dict() for seed in (5, 5, 6))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, same[name]) for name, value in one.items())
    assert not torch.equal(one["heads.relu2_1.mixing"], other["heads.relu2_1.mixing"])


@pytest.mark.parametrize(("last", "layers"), [("relu2_1", 1), ("relu3_1", 2), ("relu5_1", 3)])
def test_heads_sit_on_the_layers_that_are_there(last, layers):
    vgg = VGG(0.125, last)
    found = Discriminator(vgg)(vgg(torch.rand(2, 3, 40, 32, generator=seeded())))
    sizes = [(2, 1, 20, 16), (2, 1, 10, 8), (2, 1, 5, 4)]
    assert [tuple(value.shape) for value in found.values()] == sizes[:layers]


def test_a_network_that_ends_too_early_is_refused():
    with pytest.raises(ValueError, match="ends at relu1_2: a discriminator needs one that reaches relu2_1"):
        Discriminator(VGG(0.125, "relu1_2"))


def test_a_patch_sees_no_further_than_its_receptive_field(tiny_vgg):
    discriminator = Discriminator(tiny_vgg)
    image = torch.rand(1, 3, 160, 160, generator=seeded(), requires_grad=True)
    for name, field_px in (("relu2_1", 18), ("relu3_1", 40), ("relu4_1", 84)):
        value = discriminator(tiny_vgg(image))[name]
        middle = value.shape[2] // 2
        (gradient,) = torch.autograd.grad(value[0, 0, middle, middle], image)
        rows = gradient[0].abs().sum((0, 2)).nonzero()
        assert (rows.max() - rows.min() + 1).item() <= field_px


def test_split_gives_each_part_its_own_pictures():
    first, none, last = split(logits([1.0, 2.0, 3.0]), [2, 0, 1])
    assert first["head0"].flatten().tolist() == [1, 2]
    assert none["head0"].numel() == 0 and last["head0"].item() == 3


def test_the_logit_map_covers_a_picture_of_any_size(tiny_vgg):
    discriminator = Discriminator(VGG(0.125, "relu2_1"))
    vgg = VGG(0.125, "relu2_1")
    image = torch.rand(2, 3, 45, 38, generator=seeded())
    found = logit_map(discriminator, vgg, image)
    assert found.shape == (2, 1, 45, 38) and not found.requires_grad
    alone = discriminator(vgg(image))["relu2_1"]
    assert found.mean().item() == pytest.approx(alone.mean().item(), abs=0.05)
    assert logit_map(Discriminator(tiny_vgg), tiny_vgg, image).shape == (2, 1, 45, 38)


def test_the_plain_kind_is_one_convolution_from_channels_to_a_logit(tiny_vgg, rng):
    plain = Discriminator(tiny_vgg, kind="plain")
    (name,) = plain.layers
    features = tiny_vgg(torch.rand(2, 3, 64, 64, generator=rng), [name])
    plain.measure(features)
    head, channels = plain.heads[name], features[name].shape[1]
    assert name == "relu3_1" and head.weight.shape == (1, channels, 3, 3)
    assert sum(value.numel() for value in plain.parameters()) == 9 * channels + 1
    centered = (features[name] - features[name].mean((0, 2, 3), keepdim=True)) * head.scale
    padded = torch.nn.functional.pad(centered, (1, 1, 1, 1), mode="reflect").unfold(2, 3, 1).unfold(3, 3, 1)
    expected = torch.einsum("bchwij,ocij->bohw", padded, head.weight)
    assert torch.allclose(plain(features)[name], expected, atol=1e-5)
