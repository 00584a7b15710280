"""Protects the training loss: layers from the right network, zero for a match, gradients where colors
saturate.
"""

from __future__ import annotations

import pytest
import torch

from pstyle.losses.perceptual import Perceptual, clamp_through, perceptual_with, weighted
from pstyle.losses.style_content import style_distance
from pstyle.nets.moments import Moments, mix, moments
from pstyle.nets.vgg import VGG, load_loss_vgg
from tests.tiny_networks import ship, write_networks


def test_each_layer_comes_from_the_first_network_that_reaches_it(tiny_vgg, picture):
    shallow = VGG(0.25, "relu2_1")
    found = Perceptual([shallow, tiny_vgg]).features(picture)
    assert torch.equal(found["relu2_1"], shallow(picture)["relu2_1"])
    assert torch.equal(found["relu4_1"], tiny_vgg(picture)["relu4_1"])
    assert list(found) == ["relu1_1", "relu2_1", "relu3_1", "relu4_1"]


def test_the_shipped_loss_takes_deep_layers_from_the_slim_network(tiny_vgg, picture, tmp_path, monkeypatch):
    write_networks(tmp_path)
    ship(tmp_path, monkeypatch)
    found = perceptual_with(tiny_vgg).features(picture)
    assert torch.equal(found["relu3_1"], load_loss_vgg()(picture)["relu3_1"])
    assert torch.equal(found["relu4_1"], tiny_vgg(picture)["relu4_1"])
    given = VGG(0.25, "relu2_1")
    assert torch.equal(
        perceptual_with(tiny_vgg, given).features(picture)["relu2_1"], given(picture)["relu2_1"]
    )


def test_a_picture_is_at_no_distance_from_itself(tiny_vgg, picture):
    loss = Perceptual([tiny_vgg])
    terms = loss.terms(picture, loss.content(picture), loss.style(picture))
    assert terms["style"] < 1e-10 and terms["content"] < 1e-10 and terms["range"] == 0


def test_a_group_is_judged_as_one_picture(tiny_vgg, rng):
    loss, output = Perceptual([tiny_vgg]), torch.rand(4, 3, 32, 32, generator=rng)
    target = loss.style(torch.rand(2, 3, 48, 48, generator=rng))
    found = loss.terms(output, loss.content(output), target, group=2)["style"]
    features = loss.features(output)
    pairs = []
    for index in range(2):
        pair = {
            name: mix([moments(value[2 * index + k][None]) for k in range(2)], [1, 1])
            for name, value in features.items()
        }
        own = {n: Moments(m.mean[index : index + 1], m.gram[index : index + 1]) for n, m in target.items()}
        pairs.append(style_distance(pair, own))
    assert torch.allclose(found, torch.stack(pairs).mean(), rtol=1e-4)


@pytest.mark.parametrize(("direction", "expected"), [(1.0, [0.0, 1.0, 1.0]), (-1.0, [-1.0, -1.0, 0.0])])
def test_clamping_lets_only_gradients_through_that_lead_back_inside(direction, expected):
    x = torch.tensor([-0.5, 0.5, 1.5], requires_grad=True)
    y = clamp_through(x)
    (direction * y).sum().backward()  # descent moves every pixel against `direction`
    assert torch.equal(y.detach(), torch.tensor([0.0, 0.5, 1.0]))
    assert torch.equal(x.grad, torch.tensor(expected))


def test_values_out_of_range_cost(tiny_vgg, picture):
    loss = Perceptual([tiny_vgg])
    terms = loss.terms(picture + 2, loss.content(picture), loss.style(picture))
    assert terms["range"] > 1


def test_no_network_is_refused():
    with pytest.raises(ValueError, match="VGG"):
        Perceptual([])


def test_a_loss_is_the_sum_of_terms_times_weights_and_knows_each_term():
    terms = {name: torch.tensor(value) for name, value in (("style", 0.5), ("content", 3.0), ("range", 0.25))}
    assert weighted(terms, {"style": 10.0}).item() == 5.0 + 3.0 + 0.5
    assert weighted(terms, {"style": 10.0, "range": 4.0}).item() == 5.0 + 3.0 + 1.0
    with pytest.raises(KeyError, match="odd"):
        weighted(terms | {"odd": torch.tensor(1.0)}, {"style": 10.0})
