"""Protects the nodes that look: features are the network's own, drawn over the picture's size."""

from __future__ import annotations

import pytest
import torch

from pstyle.nets.moments import gram
from pstyle.nets.vgg import LAYERS, VGG, load_vgg
from pstyle.plots.feature_maps import gram_picture, heat_map


def test_features_are_the_shipped_networks(nodes, image: torch.Tensor) -> None:
    (found,) = nodes.PStyleVGGFeatures().see(image)
    expected = load_vgg()(image.movedim(-1, 1))
    assert list(found.layers) == list(LAYERS) and (found.height, found.width) == (72, 80)
    assert all(torch.allclose(found.layers[name], value, atol=1e-5) for name, value in expected.items())


def test_a_given_network_looks_instead(nodes, image: torch.Tensor) -> None:
    with torch.inference_mode(False):
        network = VGG(0.25, "relu2_1")
    (found,) = nodes.PStyleVGGFeatures().see(image, network)
    assert {name: value.shape[1] for name, value in found.layers.items()} == {"relu1_1": 16, "relu2_1": 32}
    with pytest.raises(ValueError, match="no layer 'relu3_1': choose one of relu1_1, relu2_1"):
        nodes.PStyleLookAtFeatures().draw(found, "relu3_1")


def test_each_picture_gets_its_heat_map_and_its_gram(nodes, image: torch.Tensor) -> None:
    (features,) = nodes.PStyleVGGFeatures().see(image)
    heat, grams = nodes.PStyleLookAtFeatures().draw(features, "relu3_1")
    layer = features.layers["relu3_1"]
    assert torch.equal(heat, heat_map(layer, 72, 80).movedim(1, -1))
    second = gram_picture(gram(layer[1:]), title="Gram matrix of relu3_1")
    assert torch.equal(grams[1:], second.movedim(1, -1))
    assert heat.shape == image.shape and len(grams) == 2
    assert heat.min() >= 0 and heat.max() <= 1
