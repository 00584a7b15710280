"""A damage style varies as told and fades out with strength; its file is checked like all of strangers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pstyle.core.checkpoint import BadFile, load, save
from pstyle.core.config import to_json
from pstyle.core.seeding import generator_of
from pstyle.restoration.damage.damage import Damage
from pstyle.restoration.damage.damage_style import (
    TENSORS_OF_VERSION_1,
    DamageStyle,
    Spread,
    describe_damage,
    load_damage,
    save_damage,
)

HARSH = Damage(grain=0.1, dust_per_mp=900.0, white=(0.8, 0.7, 0.6), jpeg_quality=40.0)


@pytest.fixture
def style() -> DamageStyle:
    return DamageStyle(HARSH, Spread(tone=0.05, grain=0.3, quality=5.0))


def test_a_file_gives_the_style_back(style, tmp_path, picture) -> None:
    path = tmp_path / "damage.safetensors"
    save_damage(path, style)
    back = load_damage(path)
    assert (back.damage, back.spread, back.provenance) == (style.damage, style.spread, style.provenance)
    one, two = (x.damage_pictures(picture, generator_of(4)).image for x in (style, back))
    assert torch.equal(one, two)
    assert path.stat().st_size < 10_000
    with pytest.raises(BadFile, match="exists already"):
        save_damage(path, style)


@pytest.mark.parametrize(
    ("key", "text", "reason"),
    [
        ("damage", to_json(HARSH).replace("0.1,", "9.1,", 1), "Damage.grain"),
        ("damage", "{}", "lacks the fields"),
        ("spread", "[" * 100_000, "64|understood|exceed"),
        ("format", "pstyle.style", "a pstyle.style file where a pstyle.damage file is needed"),
        ("more", "text", "'more' is not expected"),
    ],
)
def test_files_of_strangers_are_refused(style, tmp_path, key: str, text: str, reason: str) -> None:
    path = tmp_path / "damage.safetensors"
    save_damage(path, style)
    with pytest.raises(BadFile, match=reason):
        save(path, {}, metadata_in(path) | {key: text}, overwrite=True)
        load_damage(path)


def metadata_in(path: Path) -> dict[str, str]:
    _, metadata = load(path, lambda _: None, version=2)
    return {name: value for name, value in metadata.items() if name != "sha256"}


def test_a_file_of_version_1_is_loaded_without_its_network(style, tmp_path) -> None:
    path = tmp_path / "damage.safetensors"
    save_damage(path, style)
    network = {name: torch.ones(shape).half() for name, shape in TENSORS_OF_VERSION_1.items()}
    save(path, network, metadata_in(path) | {"version": "1"}, overwrite=True)
    back = load_damage(path)
    assert (back.damage, back.spread, back.provenance) == (style.damage, style.spread, style.provenance)


@pytest.mark.parametrize(
    ("version", "reason"), [("1", "'latent' must be|is missing"), ("2", "'latent' is not expected")]
)
def test_other_tensors_are_refused(style, tmp_path, version: str, reason: str) -> None:
    path = tmp_path / "damage.safetensors"
    save_damage(path, style)
    tensors = {"latent": torch.zeros(9999).half()}
    save(path, tensors, metadata_in(path) | {"version": version}, overwrite=True)
    with pytest.raises(BadFile, match=reason):
        load_damage(path)


def test_strength_goes_from_nothing_to_twice(style, picture) -> None:
    def harm(strength: float) -> float:
        made = style.damage_pictures(picture, generator_of(1), strength).image
        return (made - picture).abs().mean().item()

    assert harm(0) == 0 and harm(0.5) < harm(1) < harm(2)
    twice = replace(style, spread=Spread()).draw(generator_of(0), 2)
    assert twice.grain == pytest.approx(0.2) and twice.white == pytest.approx((0.6, 0.4, 0.2))
    with pytest.raises(ValueError, match="strength must be from 0 to 2, got 2.5"):
        style.draw(generator_of(0), 2.5)


def test_draws_vary_as_the_spread_says(style) -> None:
    rng = generator_of(2)
    drawn = [style.draw(rng) for _ in range(400)]
    grain = torch.tensor([one.grain for one in drawn]).log()
    white = torch.tensor([one.white for one in drawn])
    assert grain.std().item() == pytest.approx(0.3, rel=0.15)
    assert white.std(0).tolist() == pytest.approx([0.05] * 3, rel=0.2)
    assert (white[:, 0] - white[:, 1]).std() < 1e-3  # no cast was asked for
    assert {one.dust_per_mp for one in drawn} == {900.0}


def test_every_picture_has_its_own_damage_and_a_seed_repeats_it(style, picture) -> None:
    one, two = (style.damage_pictures(picture.repeat(2, 1, 1, 1), generator_of(7)) for _ in range(2))
    assert torch.equal(one.image, two.image) and not torch.equal(one.image[0], one.image[1])


def test_it_is_described(style) -> None:
    told = describe_damage(style)
    assert told["grain"] == 0.1 and told["tone_spread"] == 0.05
