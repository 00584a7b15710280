"""Protects the features everything rests on: VGG-19's own numbers, the layer names, the files it is read
from.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pstyle.core.checkpoint import BadFile, save
from pstyle.nets.pretrained import import_torchvision_models
from pstyle.nets.vgg import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    LAYERS,
    VGG,
    channels,
    convolutions,
    load_vgg,
    save_vgg,
)

# Configuration E of arXiv 1409.1556, table 1: the independent answer to what VGG-19 is.
TABLE_1 = [64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M"]
FIRSTS = {
    "relu1_1": 1,
    "relu2_1": 6,
    "relu3_1": 11,
    "relu4_1": 20,
    "relu5_1": 29,
}  # torchvision's ReLU indices


def sequential() -> nn.Sequential:
    layers, previous = [], 3
    for entry in TABLE_1:
        if entry == "M":
            layers.append(nn.MaxPool2d(2, 2))
        else:
            layers += [nn.Conv2d(previous, entry, 3, padding=1), nn.ReLU()]
            previous = entry
    return nn.Sequential(*layers)


def normalized(image: torch.Tensor) -> torch.Tensor:
    return (image - torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1)) / torch.tensor(IMAGENET_STD).view(
        1, 3, 1, 1
    )


@torch.no_grad()
def assert_same_features(reference: nn.Sequential, picture: torch.Tensor) -> None:
    vgg = VGG(1.0)
    state = {f"features.{key}": value for key, value in reference.state_dict().items()}
    vgg.load_state_dict({key: state[key] for key in vgg.state_dict()})
    found = vgg(picture, padding="zeros")
    for name, index in FIRSTS.items():
        expected = reference[: index + 1](normalized(picture))
        assert torch.allclose(found[name], expected, atol=1e-5), name


def test_equals_the_paper_s_table_with_random_weights_and_zero_padding(picture):
    assert_same_features(sequential(), picture)


def test_equals_torchvision_with_the_same_random_weights(picture):
    try:
        models = import_torchvision_models()
    except ImportError as error:
        pytest.skip(f"torchvision is not installed ({error}); the paper's table is compared above")
    assert_same_features(models.vgg19(weights=None).features, picture)


def test_indices_are_torchvision_s():
    assert [index for _, index in convolutions("relu5_1")] == [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28]


@pytest.mark.parametrize("width", [0.25, 0.5, 1.0])
def test_every_layer_has_its_channels_and_size(width):
    image = torch.rand(2, 3, 64, 48)
    for level, (name, value) in enumerate(VGG(width)(image).items()):
        assert name == LAYERS[level]
        assert value.shape == (2, channels(width, name), 64 >> level, 48 >> level)


def test_reflection_leaves_no_dark_border_where_zeros_do(tiny_vgg):
    flat = torch.full((1, 3, 32, 32), 0.8)
    reflected, zeros = (tiny_vgg(flat, ["relu3_1"], padding)["relu3_1"] for padding in ("reflect", "zeros"))
    assert reflected.std((2, 3)).max() < 1e-5
    assert zeros.std((2, 3)).max() > 1e-3


def test_is_frozen_where_it_is_made():
    vgg = VGG(0.125)
    assert not vgg.training and not any(weight.requires_grad for weight in vgg.parameters())


def test_a_layer_out_of_reach_is_named(tiny_vgg, picture):
    with pytest.raises(ValueError, match=r"ends at relu4_1.*relu5_1"):
        tiny_vgg(picture, ["relu1_1", "relu5_1"])


def test_a_saved_vgg_is_read_again_in_half_precision(tmp_path, tiny_vgg, picture):
    save_vgg(tmp_path / "v.safetensors", tiny_vgg, "random")
    found = load_vgg(tmp_path / "v.safetensors")
    assert (found.width, found.last) == (tiny_vgg.width, tiny_vgg.last)
    expected = tiny_vgg(picture)
    for name, value in found(picture).items():
        assert torch.allclose(value, expected[name], atol=1e-2)


def test_a_narrow_inside_changes_the_layers_between_and_comes_back_from_its_file(tmp_path, picture):
    vgg = VGG(0.25, "relu3_1", inner=0.5)
    shapes = [tuple(layer.weight.shape[:2]) for layer in vgg.features.values()]
    assert shapes == [(16, 3), (8, 16), (32, 8), (16, 32), (64, 16)]
    path = tmp_path / "narrow.safetensors"
    save_vgg(path, vgg, "random")
    loaded = load_vgg(path)
    assert (loaded.width, loaded.last, loaded.inner) == (0.25, "relu3_1", 0.5)
    for name, value in loaded(picture).items():
        assert torch.allclose(value, vgg(picture)[name], atol=1e-2)


def test_a_file_in_torchvision_s_layout_needs_no_metadata(tmp_path, tiny_vgg):
    from safetensors.torch import save_file

    tensors = {name: value.contiguous() for name, value in tiny_vgg.state_dict().items()}
    save_file(tensors, tmp_path / "plain.safetensors")
    assert load_vgg(tmp_path / "plain.safetensors").last == "relu4_1"


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64, torch.uint8, torch.bool])
def test_weights_that_are_no_floats_are_refused_by_name(tmp_path, tiny_vgg, dtype):
    from safetensors.torch import save_file

    tensors = {name: value.contiguous() for name, value in tiny_vgg.state_dict().items()}
    tensors["features.7.weight"] = tensors["features.7.weight"].to(dtype)
    save_file(tensors, tmp_path / "bad.safetensors")
    with pytest.raises(BadFile, match=rf"'features\.7\.weight' must hold floats, got {dtype}"):
        load_vgg(tmp_path / "bad.safetensors")


@pytest.mark.parametrize("fault", ["missing", "extra", "shape", "nan", "other"])
def test_a_file_that_is_no_vgg_is_refused_by_name(tmp_path, tiny_vgg, fault):
    tensors = {name: value.contiguous().clone() for name, value in tiny_vgg.state_dict().items()}
    if fault == "missing":
        del tensors["features.7.bias"]
    elif fault == "extra":
        tensors["classifier.weight"] = torch.zeros(2, 2)
    elif fault == "shape":
        tensors["features.7.weight"] = torch.zeros(16, 16, 5, 5)
    elif fault == "nan":
        tensors["features.7.weight"][0, 0, 0, 0] = torch.nan
    else:
        tensors = {"latent": torch.zeros(4)}
    from safetensors.torch import save_file

    save_file(tensors, tmp_path / "bad.safetensors")
    with pytest.raises(BadFile, match="bad.safetensors"):
        load_vgg(tmp_path / "bad.safetensors")


def test_an_edited_file_of_ours_is_refused(tmp_path, tiny_vgg):
    path = tmp_path / "v.safetensors"
    save(
        path, {n: v.half() for n, v in tiny_vgg.state_dict().items()}, {"format": "pstyle.vgg", "origin": "a"}
    )
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadFile, match="checksum"):
        load_vgg(path)


def test_a_file_of_another_kind_or_with_more_metadata_is_refused_by_name(tmp_path, tiny_vgg):
    path, tensors = tmp_path / "v.safetensors", {n: v.half() for n, v in tiny_vgg.state_dict().items()}
    faults = {
        "a pstyle.style file where a pstyle.vgg file is needed": {"format": "pstyle.style", "origin": "a"},
        "'more' is not expected": {"format": "pstyle.vgg", "origin": "a", "more": "b"},
    }
    for reason, metadata in faults.items():
        save(path, tensors, metadata, overwrite=True)
        with pytest.raises(BadFile, match=reason):
            load_vgg(path)
