"""Protects style files: what is saved comes back, strangers' files are refused, and blends lie between."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from pstyle import checkpoint
from pstyle.checkpoint import BadFile
from pstyle.generator import LEVELS, Generator, style_moments
from pstyle.style import (
    MAX_BYTES,
    Provenance,
    StyledGenerator,
    blend,
    describe_style,
    load_style,
    preview_of,
    save_style,
)


@pytest.fixture
def style(tiny_generator, tiny_vgg, picture, rng):
    styled = StyledGenerator(tiny_generator, tiny_generator.encode(style_moments(tiny_vgg, picture))[0])
    for weight in [styled.latent, *styled.offsets.values(), *styled.generator.convs.parameters()]:
        weight.data += 0.05 * torch.randn(weight.shape, generator=rng)
    provenance = Provenance(pictures=2, sizes_px="40x32, 33x48", seed=7, steps=12, date="2026-01-02")
    return styled.style(provenance, preview_of(picture))


def equal(a, b) -> bool:
    tensors = [(a.latent, b.latent)]
    tensors += [(a.offsets[name], b.offsets[name]) for name in a.offsets]
    tensors += [(a.weights[name], b.weights[name]) for name in a.weights]
    return all(torch.equal(x, y) for x, y in tensors)


def test_a_style_comes_back_whole(tmp_path, style):
    save_style(tmp_path / "s.safetensors", style)
    found = load_style(tmp_path / "s.safetensors")
    assert equal(found, style) and torch.equal(found.preview, style.preview)
    assert found.provenance == style.provenance and found.license == style.license
    assert found.generator_id == style.generator_id and found.config == style.config


def test_a_style_of_the_shipped_architecture_is_under_one_megabyte(tmp_path, rng):
    generator = Generator()
    noise = torch.rand(1, 3, 96, 96, generator=rng)  # the preview that compresses worst
    style = StyledGenerator(generator, torch.randn(4, 256, generator=rng)).style(
        Provenance(), preview_of(noise)
    )
    save_style(tmp_path / "s.safetensors", style)
    assert (tmp_path / "s.safetensors").stat().st_size < MAX_BYTES


def test_an_existing_file_is_kept_unless_asked(tmp_path, style):
    path = tmp_path / "s.safetensors"
    path.write_bytes(b"mine")
    with pytest.raises(BadFile, match="exists"):
        save_style(path, style)
    assert path.read_bytes() == b"mine"
    save_style(path, style, overwrite=True)
    assert equal(load_style(path), style)


@pytest.mark.parametrize("fault", ["generator", "latent", "preview", "provenance", "config", "license"])
def test_a_stranger_s_odd_file_is_refused(tmp_path, style, fault):
    path = tmp_path / "s.safetensors"
    save_style(path, style)
    tensors, metadata = checkpoint.load(path, lambda _: None)
    metadata.pop("sha256")
    if fault == "latent":
        tensors["latent"] = torch.zeros(3, 16, dtype=torch.float16)
    elif fault == "preview":
        metadata["preview"] = "aGVsbG8="
    elif fault == "provenance":
        metadata["provenance"] = metadata["provenance"].replace('"steps": 12', '"steps": NaN')
    elif fault == "config":
        metadata["config"] = metadata["config"].replace('"body": 8', '"body": 1000000000')
    else:
        del metadata[fault]
    checkpoint.save(path, tensors, metadata, overwrite=True)
    with pytest.raises(BadFile):
        load_style(path)


def test_every_tensor_poisoned_is_refused_by_name(tmp_path, style):
    path = tmp_path / "s.safetensors"
    for name, value in {"latent": style.latent, **style.offsets, **style.weights}.items():
        place = (0,) * value.ndim
        value[place] = torch.nan
        with pytest.raises(BadFile, match=name):
            save_style(path, style, overwrite=True)
        value[place] = 0


def test_a_style_of_another_generator_is_refused(tiny_generator, style):
    tiny_generator.convs["strokes"].bias.data += 0.5
    with pytest.raises(ValueError, match="another generator"):
        StyledGenerator.of(tiny_generator, style)


def test_dressing_a_generator_restores_what_was_learned(tiny_generator, style):
    styled = StyledGenerator.of(tiny_generator, style)
    assert equal(styled.style(style.provenance, style.preview), style)


def test_strength_zero_has_the_base_s_convolutions(tiny_generator, style):
    found = StyledGenerator.of(tiny_generator, style, (0.0,) * LEVELS).generator.convs.state_dict()
    for name, value in tiny_generator.convs.state_dict().items():
        assert torch.equal(found[name], value)


def test_blending_with_itself_and_with_no_weight_changes_nothing(style):
    other = dataclasses.replace(style, latent=style.latent + 1)
    assert torch.allclose(blend([style, style], [1, 3]).latent.float(), style.latent.float(), atol=1e-2)
    assert equal(blend([style, other], [1, 0]), style)


def test_a_blend_lies_between(style):
    other = dataclasses.replace(style, latent=style.latent + 1)
    found = blend([style, other], [3, 1]).latent.float() - style.latent.float()
    assert torch.allclose(found, torch.full_like(found, 0.25), atol=1e-2)


def test_styles_of_two_generators_do_not_blend(style):
    with pytest.raises(ValueError, match="different generators"):
        blend([style, dataclasses.replace(style, generator_id="0" * 64)], [1, 1])


def test_inspection_tells_where_it_came_from(style):
    found = describe_style(style)
    assert found["pictures"] == 2 and found["seed"] == 7 and found["steps"] == 12
    assert found["generator"] == style.generator_id and "license" in found


def test_the_preview_is_the_middle_square(rng):
    image = torch.zeros(1, 3, 96, 192)
    image[..., 48:144] = 1
    assert (preview_of(image) == 255).all()
