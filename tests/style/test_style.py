"""Protects style files: what is saved comes back, and strangers' files are refused."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import random
import struct
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from pstyle.core import checkpoint
from pstyle.core.checkpoint import BadFile
from pstyle.core.config import to_json
from pstyle.nets.generator import LEVELS, Generator, GeneratorConfig, outline
from pstyle.style.provenance import Provenance
from pstyle.style.strength_calibration import Calibration
from pstyle.style.style import (
    KEYS,
    MAX_BYTES,
    _decode_preview,
    _encode_preview,
    describe_style,
    load_style,
    preview_of,
    save_style,
)
from pstyle.style.styled_generator import StyledGenerator
from tests.core.test_checkpoint import mutated
from tests.nets.test_generator import VALUES, hostile_configs, resign
from tests.style.conftest import equal


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


def test_a_file_larger_than_any_style_is_refused_before_it_is_read(tmp_path, style, monkeypatch):
    path = tmp_path / "s.safetensors"
    save_style(path, style)
    with open(path, "r+b") as file:
        file.truncate(MAX_BYTES + 1)  # sparse: it takes no space
    monkeypatch.setattr("pstyle.core.files.open", None, raising=False)
    with pytest.raises(BadFile, match="1000001 bytes, more than the 1000000 allowed"):
        load_style(path)


def test_an_existing_file_is_kept_unless_asked(tmp_path, style):
    path = tmp_path / "s.safetensors"
    path.write_bytes(b"mine")
    with pytest.raises(BadFile, match="exists"):
        save_style(path, style)
    assert path.read_bytes() == b"mine"
    save_style(path, style, overwrite=True)
    assert equal(load_style(path), style)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


HUGE = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 65535, 65535, 8, 2, 0, 0, 0))
HUGE += chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
CHUNKS = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"iCCP", b"zTXt", b"iTXt", b"eXIf", b"acTL", b"fdAT")
KNOTS = {"quarter": 0.25, "half": 0.5, "three_quarters": 0.75}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"generator": None}, "'generator' is missing"),
        ({"generator": "a" * 63}, "not by a SHA-256"),
        ({"tensors": {"latent": torch.zeros(3, 16).half()}}, "'latent' must be"),
        ({"preview": "aGVsbG8="}, "no 96-px PNG"),
        ({"preview": base64.b64encode(HUGE).decode()}, "no 96-px PNG.*exceeds limit"),
        ({"provenance": to_json(Provenance()).replace('"steps": 0', '"steps": NaN')}, "Provenance"),
        ({"config": json.dumps(dataclasses.asdict(GeneratorConfig()) | {"body": 10**9})}, "body"),
        ({"license": None}, "'license' is missing"),
        ({"license": "x" * 4001}, "4001 characters, above the 4000"),
        ({"license": "free\x1b[2J"}, "one line of printable"),
        ({"license": "free\nfor all"}, "one line of printable"),
        ({"license": "free \u202etxt.exe"}, "one line of printable"),
        ({"license": "free \u200ffor all"}, "one line of printable"),
        ({"calibration": None}, "'calibration' is missing"),
        ({"calibration": ""}, "Calibration"),
        ({"calibration": json.dumps(KNOTS | {"half": math.nan})}, "Calibration.* NaN"),
        ({"calibration": json.dumps(KNOTS | {"half": 0.875})}, "calibration must not fall"),
        ({"calibration": json.dumps(KNOTS | {"more": 1.0})}, "Calibration has no fields.*more"),
        ({"more": "x"}, "'more' is not expected"),
    ],
)
def test_a_stranger_s_odd_file_is_refused_by_name(tmp_path, style, change, reason):
    path = tmp_path / "s.safetensors"
    save_style(path, style)
    resign(path, **change)
    with pytest.raises(BadFile, match=rf"s\.safetensors.*{reason}"):
        load_style(path)


TEXTS = st.one_of(hostile_configs(), VALUES, st.text(), st.text("0123456789abcdef", min_size=64, max_size=64))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(st.sampled_from(KEYS), TEXTS, min_size=1, max_size=2))
def test_a_stranger_s_texts_are_refused_or_can_be_saved_again(tmp_path, changes):
    path = tmp_path / "s.safetensors"
    path.write_bytes(frozen())
    resign(path, **changes)
    try:
        found = load_style(path)
    except BadFile as error:
        assert "s.safetensors" in str(error) and str(error).isprintable()
        return
    save_style(path, found, overwrite=True)
    assert load_style(path).license == found.license


@pytest.mark.filterwarnings("ignore")  # Pillow's, of what it reads nevertheless
@settings(max_examples=300, deadline=None)
@example(name=b"iCCP", data=b"", place=-12)
@given(name=st.sampled_from(CHUNKS), data=st.binary(max_size=40), place=st.sampled_from((8, 33, -12)))
def test_a_preview_with_an_odd_chunk_is_read_or_refused(name, data, place):
    png = base64.b64decode(_encode_preview(torch.zeros(3, 96, 96, dtype=torch.uint8)))
    text = base64.b64encode(png[:place] + chunk(name, data) + png[place:]).decode()
    try:
        assert _decode_preview(text).shape == (3, 96, 96)
    except BadFile as error:
        assert "no 96-px PNG" in str(error)


@pytest.mark.parametrize("count", [300, pytest.param(100_000, marks=pytest.mark.slow)])
def test_mutated_style_files_never_load_as_another_style(tmp_path, monkeypatch, count):
    monkeypatch.setattr("pstyle.style.style.outline", cache(outline))  # most of a load, and always the same
    path, chance, counts = tmp_path / "s.safetensors", random.Random(1), Counter(refused=0, same=0, other=0)
    path.write_bytes(frozen())
    original = load_style(path)
    for _ in range(count):
        path.write_bytes(mutated(frozen(), chance))
        try:
            found = load_style(path)
        except BadFile:
            counts["refused"] += 1
        else:
            counts["same" if equal(found, original) and found.license == original.license else "other"] += 1
    print(f"mutations={count}", *(f"{what}={number}" for what, number in counts.items()))  # noqa: T201
    assert counts["other"] == 0 and counts["refused"] > 0.9 * count


@pytest.mark.parametrize("text", ["two\nlines", "\x1b[31mred", "x" * 4001])
def test_a_license_that_could_not_be_loaded_is_not_saved(tmp_path, style, text):
    with pytest.raises(BadFile, match="license"):
        save_style(tmp_path / "s.safetensors", dataclasses.replace(style, license=text))
    assert not (tmp_path / "s.safetensors").exists()


def test_the_longest_texts_and_the_largest_preview_fit_a_style_file(tmp_path, style, rng):
    longest = Provenance(sizes_px="x" * 2000, settings='"x' * 4000, versions="x" * 200, note="x" * 2000)
    noise = preview_of(torch.rand(1, 3, 96, 96, generator=rng))
    full = dataclasses.replace(style, provenance=longest, license="x" * 4000, preview=noise)
    save_style(tmp_path / "s.safetensors", full)
    assert load_style(tmp_path / "s.safetensors").provenance == longest


FROZEN_V1 = (  # zlib's of a file as the first version writes it: to be loaded for ever
    "eNrtl+tu2zYYhnUBu4hAf8e6PEgUFWA/7DSnBc2pS4piLgSKomQtruRKcpw0yD3txzBsu7qRkhPYjl0lLgpjAx3EEflIj8RX30cg"
    "pz9Y9efODoJPsuIRr3gQ2Nt3tuDDNCx4leaZvW3f9e0BH8Z9e3sLdojngq2+/XnMi0oWzRzC9Vw1KKQMpqRsEPPcexvYIs/iNGlc"
    "4TAXVzVG+qowj271gOlBUvA0exwNeSWz6nFYyZtqXMjH8XWSBJM0qgbNrWB9pzgvPvFK3WlUVrdD2am/1XwiM6lWlBcKcS4YhTTk"
    "xHUxoSJyPSGwCCEXkRcz5CMqqJAu8REkjhe5vueEiBDihq4TCVfphqmQWSmVbGcHbqEOVHOjQl6ncqLm0sveyfkEHu0neVd9jt9d"
    "DHYvEnW0r4e9ZKd7qP9WP45713oGweHu2eW5k52Qs/z8QNE33bPd3vvcH77+suudpfSXNHZ+Fm5xeuocj+lB3CO95P2b5Oqgl+/3"
    "zt7uJB/2upOj/+dcyuRvh93Xe4ej4/Ktjqv77uLy5PzI3flwePhTHXx+LTOeCdlUmCrkukr6NoaYvoLoFcR9W5dMlj+QuN8fQxiL"
    "Yqsc1YfSqetZnzVKhS60ukaxniiljPTAawZVlWZJ2Xju+n01VclRqQ9UTeP7RlKmX2QZjG6a0xx4Q5SKkBuHTXl9TX1FXcyqZVS7"
    "Ta1N8erW6sC+reu6HHDsUrU+CFFIpfBdX3JCY46xxznjnMcsphIxwRB0QxFFfkgpwUxwxjBzYhlKFhFMlWt6LyVD9j2Ytpnu+6i6"
    "HekM9xBtbqlHvzqAfQR2vTvkcayWX6pJCKjzUV3czHTqpoarHYg+VVAH+HTWoXaCQO0UX3+aZSafAoTZjErkQ93pqxxLFOp6gBw4"
    "46j3ohcuSRkA8vCiBb3Q4mGAobNoWS8bJQJqk3siy/JU71+rVHiJiVCA5yKa7sgvDEk5AJ4Laep5YUzKAchcTFPPekEpFSBzQT3o"
    "WqJylrhUVMSpH20i02Tw0CCdZrTaxQADBJAlRsdR9dn0y5wyyMfqMOXlV6TLClX3jIvwct/aj6mVAFM6u/SmkdZ3ah0gDNFFJ/qG"
    "OJUOqAzYojNIs2dYkf55atVCZWWzqy+rIr+SZcsrQniZjTnAhZAtsbU9onoLK1auhYB6ZDbNhz5eP08tBB5j7Kn1G96SFgIfNnvO"
    "vPV578ld/p60EvgIz3nzoC6Al/eSFinbfKIPtrXXroUAQTwfaR5M179Gy2uXMk63zKfG9ZteOwFCjqsiuN+y/rH+tv6y/rT+sH5X"
    "/15Ay7GoxSzf2n4maTunzTBL256h7Qnbnl//tq2vbfVt2Tw/OUMMMcSQ70MWucnFEEMM2RQxSRhiiCGbIiYJQwwxZFNkka8626Rl"
    "iCGGGGLIf5GYNAwxxJBNEZOEIYYYsinyve9mUjbEEEM2RRa5ycUQQwzZEPkX/6tgFA=="
)


def frozen() -> bytes:
    return zlib.decompress(base64.b64decode(FROZEN_V1))


def numbered(shape: Sequence[int], start: int) -> Tensor:
    return ((torch.arange(start, start + torch.Size(shape).numel()) % 13 - 6) / 8).reshape(shape)


def all_numbered(tensors: Mapping[str, Tensor], start: int) -> dict[str, Tensor]:
    return {name: numbered(tensors[name].shape, start + i) for i, name in enumerate(sorted(tensors))}


def test_a_style_of_the_first_version_loads_for_ever(tmp_path):
    path = tmp_path / "s.safetensors"
    path.write_bytes(frozen())
    found = load_style(path)
    config = GeneratorConfig(latent=8, vgg_width=0.05, body=8, texture=8, grain=8, blocks=1)
    generator = Generator(config)
    generator.load_state_dict(all_numbered(generator.state_dict(), 0))
    styled = StyledGenerator.of(generator, found)  # bound to it by its fingerprint
    assert torch.equal(styled.latent, numbered((LEVELS, 8), 0))
    offsets, weights = all_numbered(dict(styled.offsets), 1), all_numbered(generator.convs.state_dict(), 2)
    assert found.offsets.keys() == offsets.keys() and found.weights.keys() == weights.keys()
    assert all(torch.equal(value.float(), offsets[name]) for name, value in found.offsets.items())
    assert all(torch.equal(value.float(), weights[name]) for name, value in found.weights.items())
    assert found.config == config and found.license == "CC0 1.0"
    assert found.calibration == Calibration(quarter=0.125, half=0.375, three_quarters=0.875)
    assert found.provenance == Provenance(
        pictures=2,
        sizes_px="40x32, 33x48",
        seed=7,
        steps=12,
        settings='{"steps": 12}',
        date="2026-01-02",
        versions="pstyle 0.1.0",
        note="f\u00fcr sp\u00e4ter",
    )
    color = torch.tensor([10, 20, 30], dtype=torch.uint8)
    assert torch.equal(found.preview, color[:, None, None].expand(3, 96, 96))


def test_a_style_is_written_as_the_first_version_wrote_it(tmp_path):
    path = tmp_path / "s.safetensors"
    path.write_bytes(frozen())
    before = checkpoint.load(path, lambda _: None)
    save_style(path, load_style(path), overwrite=True)
    after = checkpoint.load(path, lambda _: None)
    assert before[0].keys() == after[0].keys()
    for metadata in (before[1], after[1]):  # whose bytes depend on Pillow's version
        del metadata["preview"], metadata["sha256"]
    assert before[1] == after[1]


def test_every_tensor_poisoned_is_refused_by_name(tmp_path, style):
    path = tmp_path / "s.safetensors"
    for name, value in {"latent": style.latent, **style.offsets, **style.weights}.items():
        place = (0,) * value.ndim
        value[place] = torch.nan
        with pytest.raises(BadFile, match=name):
            save_style(path, style, overwrite=True)
        value[place] = 0


def test_inspection_tells_where_it_came_from(style):
    found = describe_style(style)
    assert found["pictures"] == 2 and found["seed"] == 7 and found["steps"] == 12
    assert found["generator"] == style.generator_id and "license" in found


def test_the_preview_is_the_middle_square(rng):
    image = torch.zeros(1, 3, 96, 192)
    image[..., 48:144] = 1
    assert (preview_of(image) == 255).all()
