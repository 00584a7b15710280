"""Protects the painter's network: StyleMod's formula, sizes, locality with frozen statistics, and its
file.
"""

from __future__ import annotations

import json

import pytest
import safetensors.torch
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.nn.modules.module import register_module_parameter_registration_hook

from pstyle.core import checkpoint
from pstyle.core.checkpoint import BadFile
from pstyle.core.config import describe, to_json
from pstyle.nets.generator import (
    LEVELS,
    MAX_NUMBERS,
    Generator,
    GeneratorConfig,
    StyleMod,
    fingerprint,
    load_generator,
    outline,
    save_generator,
    shuffled,
    style_moments,
    suppress_checkerboard,
)
from pstyle.nets.layers import RecordedStatistics, frozen_statistics

FIELDS = tuple(GeneratorConfig.__dataclass_fields__)
LARGEST = {name: metadata["maximum"] for name, metadata in describe(GeneratorConfig).items()}
SPOILED = ("NaN", "-Infinity", "1e999", "9" * 5000, "[" * 5000, "", "tru", "{}", "1.0", '"8"')
VALUES = st.one_of(
    st.sampled_from(SPOILED),
    st.integers(8, 1024).map(str),
    st.one_of(st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=9)).map(json.dumps),
    st.lists(st.dictionaries(st.text(max_size=3), st.integers()), max_size=3).map(json.dumps),
)


@st.composite
def hostile_configs(draw) -> str:
    """The JSON of an architecture in which a stranger changed, added or left out fields, or none at all."""
    values = {name: str(draw(st.sampled_from((8, most)))) for name, most in LARGEST.items()}
    values["vgg_width"] = "0.25"
    values |= draw(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3))
    values |= draw(st.dictionaries(st.text(max_size=9), VALUES, max_size=1))
    for name in draw(st.sets(st.sampled_from(FIELDS), max_size=1)):
        del values[name]
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in values.items()) + "}"


def resign(path, tensors=None, **changes) -> None:
    """Give a file other tensors or metadata (None takes one out), and a right checksum again."""
    found, metadata = checkpoint.load(path, lambda _: None)
    kept = {name: text for name, text in (metadata | changes).items() if text is not None}
    kept.pop("sha256")
    checkpoint.save(path, found | (tensors or {}), kept, overwrite=True)


def paint(generator, vgg, image, style=None, **arguments):
    latent = generator.encode(style_moments(vgg, image if style is None else style))
    return generator(image, generator.content(image), generator.modulation(latent), **arguments)


def test_style_mod_is_its_formula(rng):
    x, latent = torch.randn(2, 5, 8, 6, generator=rng), torch.randn(2, 7, generator=rng)
    layer = StyleMod(7, 5)
    torch.nn.init.normal_(layer.linear.weight, generator=rng)
    scale, bias = (latent @ layer.linear.weight.T + layer.linear.bias).view(2, 10, 1, 1).split(5, dim=1)
    assert torch.allclose(layer(x, latent), F.instance_norm(x) * (scale + 1) + bias, atol=1e-5)


def test_the_well_known_listing_of_style_mod_cannot_run(rng):
    x, latent = torch.randn(2, 5, 8, 6, generator=rng), torch.randn(2, 7, generator=rng)
    expanded = torch.nn.Linear(7, 10)(latent).unsqueeze(2).unsqueeze(3)
    with pytest.raises(RuntimeError):
        expanded.expand_as(x)  # (B, 2C, 1, 1) does not expand to C channels


def test_style_mod_starts_as_instance_norm(rng):
    x = torch.randn(2, 5, 8, 6, generator=rng)
    assert torch.allclose(StyleMod(7, 5)(x, torch.randn(2, 7, generator=rng)), F.instance_norm(x), atol=1e-5)


def test_the_shipped_architecture_is_small():
    generator = Generator()
    assert sum(weight.numel() for weight in generator.parameters()) < 1_000_000
    assert (
        2 * sum(weight.numel() for weight in generator.convs.parameters()) < 900_000
    )  # bytes in a style file


@pytest.mark.parametrize("size", [(16, 16), (32, 24), (40, 72)])
def test_output_has_the_input_s_size_and_is_finite(tiny_generator, tiny_vgg, rng, size):
    image = torch.rand(2, 3, *size, generator=rng)
    output = paint(tiny_generator, tiny_vgg, image)
    assert output.shape == image.shape and torch.isfinite(output).all()


def test_one_style_for_a_batch_equals_one_at_a_time(tiny_generator, tiny_vgg, rng):
    images, style = torch.rand(3, 3, 32, 32, generator=rng), torch.rand(1, 3, 40, 40, generator=rng)
    together = paint(tiny_generator, tiny_vgg, images, style)
    singly = torch.cat([paint(tiny_generator, tiny_vgg, image[None], style) for image in images])
    assert torch.allclose(together, singly, atol=1e-4)


def test_a_style_per_picture_equals_one_at_a_time(tiny_generator, tiny_vgg, rng):
    images, styles = torch.rand(2, 2, 3, 32, 32, generator=rng)
    together = paint(tiny_generator, tiny_vgg, images, styles)
    singly = [paint(tiny_generator, tiny_vgg, a[None], b[None]) for a, b in zip(images, styles, strict=True)]
    assert torch.allclose(together, torch.cat(singly), atol=1e-4)


def test_frozen_statistics_of_its_own_change_nothing(tiny_generator, tiny_vgg, picture):
    own = RecordedStatistics()
    free = paint(tiny_generator, tiny_vgg, picture)
    assert torch.allclose(paint(tiny_generator, tiny_vgg, picture, normalize=own), free, atol=1e-4)
    assert own.found.keys() == tiny_generator.sites.keys()
    frozen = paint(tiny_generator, tiny_vgg, picture, normalize=frozen_statistics(own.found))
    assert torch.allclose(free, frozen, atol=1e-4)


def test_with_frozen_statistics_a_far_change_does_not_reach(tiny_generator, tiny_vgg, rng):
    image = torch.rand(1, 3, 32, 256, generator=rng)
    own, changed = RecordedStatistics(), image.clone()
    style = image
    whole = paint(tiny_generator, tiny_vgg, image, style, normalize=own)
    changed[..., 240:] = 0
    local = paint(tiny_generator, tiny_vgg, changed, style, normalize=frozen_statistics(own.found))
    assert torch.allclose(local[..., :64], whole[..., :64], atol=1e-4)
    assert not torch.allclose(local[..., 240:], whole[..., 240:], atol=1e-2)


def test_a_tile_with_its_origin_equals_that_part_of_the_whole(tiny_generator, tiny_vgg, rng):
    image, own = torch.rand(1, 3, 32, 384, generator=rng), RecordedStatistics()
    whole = paint(tiny_generator, tiny_vgg, image, normalize=own)[..., 256:]
    tile = image[..., 96:]  # what is kept lies 160 px from the cut, beyond its reach
    whole_s = frozen_statistics(own.found)
    found = paint(tiny_generator, tiny_vgg, tile, image, normalize=whole_s, origin=(0, 96))[..., 160:]
    assert torch.allclose(found, whole, atol=1e-4)
    elsewhere = paint(tiny_generator, tiny_vgg, tile, image, normalize=whole_s)[..., 160:]
    assert not torch.allclose(elsewhere, whole, atol=1e-3)


def test_a_flat_picture_is_not_painted_flat(tiny_generator, tiny_vgg):
    flat = paint(tiny_generator, tiny_vgg, torch.full((1, 3, 64, 64), 0.5))
    assert flat.std(dim=(2, 3)).min() > 1e-3


def test_circular_padding_commutes_with_a_turn(tiny_generator, tiny_vgg, rng):
    image = torch.rand(1, 3, 32, 64, generator=rng)

    def around(x, column=0):
        latent = tiny_generator.encode(style_moments(tiny_vgg, image))
        features = tiny_generator.content(x, "circular")
        modulation = tiny_generator.modulation(latent)
        return tiny_generator(x, features, modulation, padding="circular", origin=(0, column))

    assert torch.allclose(around(image.roll(16, 3), -16), around(image).roll(16, 3), atol=1e-4)


def test_the_latent_of_a_level_moves_only_its_sites(tiny_generator, rng):
    latent = torch.randn(1, LEVELS, 16, generator=rng)
    before = tiny_generator.modulation(latent)
    latent[:, 1] += 1
    after = tiny_generator.modulation(latent)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {name for name, level in tiny_generator.sites.items() if level == 1}


def test_a_saved_generator_is_the_same(tmp_path, tiny_generator, tiny_vgg, picture):
    save_generator(tmp_path / "g.safetensors", tiny_generator, "random")
    found = load_generator(tmp_path / "g.safetensors")
    assert found.config == tiny_generator.config and fingerprint(found) == fingerprint(tiny_generator)
    assert (paint(found, tiny_vgg, picture) - paint(tiny_generator, tiny_vgg, picture)).abs().max() < 0.02


def test_the_fingerprint_sees_every_weight(tiny_generator):
    before = fingerprint(tiny_generator)
    tiny_generator.convs["strokes"].bias.data[0] += 0.25
    assert fingerprint(tiny_generator) != before


def test_a_style_file_is_not_taken_for_a_generator(tmp_path, tiny_vgg):
    from pstyle.nets.vgg import save_vgg

    save_vgg(tmp_path / "v.safetensors", tiny_vgg, "random")
    with pytest.raises(BadFile, match=r"pstyle\.vgg file where a pstyle\.generator"):
        load_generator(tmp_path / "v.safetensors")


@pytest.mark.parametrize("field", ["latent", "body", "texture", "grain", "blocks"])
@pytest.mark.parametrize("value", [0, -1, 10**9, 1.5, float("nan"), True, "8", None])
def test_an_architecture_out_of_range_is_refused_before_memory_is_taken(field, value):
    with pytest.raises(ValueError, match=field):
        GeneratorConfig(**{field: value})


@pytest.fixture
def made():
    """Whether each weight that is made takes no memory, in order of making."""
    found = []
    hook = register_module_parameter_registration_hook(
        lambda module, name, value: found.append(value.is_meta)
    )
    yield found
    hook.remove()


def test_an_architecture_above_the_numbers_allowed_is_refused_without_memory(tmp_path, made):
    path = tmp_path / "g.safetensors"
    metadata = {"format": "pstyle.generator", "config": to_json(GeneratorConfig(**LARGEST)), "origin": ""}
    checkpoint.save(path, {}, metadata)
    with pytest.raises(BadFile, match=rf"g\.safetensors.* numbers is above the {MAX_NUMBERS} allowed"):
        load_generator(path)
    assert made and all(made)  # it would be half a gigabyte


def test_an_architecture_below_the_numbers_allowed_passes():
    wide = outline(GeneratorConfig(latent=512, body=256, texture=192, grain=96, blocks=5))
    assert 10_000_000 < sum(value.numel() for value in wide.state_dict().values()) < MAX_NUMBERS


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(config=hostile_configs() | st.text(max_size=40))
def test_a_stranger_s_config_is_refused_and_takes_no_memory(tmp_path, made, config):
    path = tmp_path / "g.safetensors"
    metadata = {"format": "pstyle.generator", "version": "1", "config": config, "origin": "", "sha256": ""}
    path.write_bytes(safetensors.torch.save({"latent": torch.zeros(1)}, metadata))
    with pytest.raises(BadFile, match=r"g\.safetensors"):
        load_generator(path)
    assert all(made)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"config": None}, "'config' is missing"),
        ({"origin": None}, "'origin' is missing"),
        ({"more": "x"}, "'more' is not expected"),
        ({"more\x1b[31m": "x"}, "'more.*' is not expected"),
    ],
)
def test_a_generator_s_metadata_are_exactly_those_known(tmp_path, tiny_generator, change, reason):
    path = tmp_path / "g.safetensors"
    save_generator(path, tiny_generator, "random")
    resign(path, **change)
    with pytest.raises(BadFile, match=rf"g\.safetensors.*{reason}"):
        load_generator(path)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_shuffle_is_torch_s(rng, layout):
    x = torch.rand(2, 12, 5, 7, generator=rng).contiguous(memory_format=layout)
    assert torch.equal(shuffled(x), F.pixel_shuffle(x, 2)) and shuffled(x).is_contiguous()


def test_flat_features_become_a_flat_color_whatever_was_trained(rng):
    weight, bias = torch.randn(12, 5, 3, 3, generator=rng), torch.randn(12, generator=rng)
    features = torch.randn(1, 5, 1, 1, generator=rng).expand(1, 5, 6, 6)
    flat = shuffled(F.conv2d(features, *suppress_checkerboard(weight, bias)))
    assert (flat - flat.mean((2, 3), keepdim=True)).abs().max() < 1e-4
    grid = shuffled(F.conv2d(features, weight, bias))
    assert torch.allclose(flat[..., 0, 0], grid.mean((2, 3)), atol=1e-4)  # its color is that of the grid
    assert (grid - grid.mean((2, 3), keepdim=True)).abs().max() > 1


def test_weights_without_a_grid_stay_as_they_are(rng):
    once = suppress_checkerboard(torch.randn(12, 5, 3, 3, generator=rng), torch.randn(12, generator=rng))
    assert all(
        torch.allclose(a, b, atol=1e-6) for a, b in zip(suppress_checkerboard(*once), once, strict=True)
    )
