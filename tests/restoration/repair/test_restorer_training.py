"""Training repairs a damage that can be repaired, goes on after a kill, and tells what it should find."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from pstyle.image.crops import Crops
from pstyle.restoration.damage.damage import Damage, damaged
from pstyle.restoration.damage.random_damage import noise_on
from pstyle.restoration.repair import restorer_training
from pstyle.restoration.repair.restorer import Repair
from pstyle.restoration.repair.restorer_training import (
    RestoreConfig,
    examples,
    repair_terms,
    train_restorer,
)
from pstyle.restoration.repair.tone_training import ToneConfig, train_tones
from tests.conftest import random_picture
from tests.restoration.tiny_restorer import new_restorer

CONFIG = RestoreConfig(steps=6, batch=2, size_px=64, ema=0.5)


@pytest.fixture
def pictures(rng) -> Crops:
    return Crops([random_picture(rng, 96, 110) for _ in range(3)], (96,))


def dimmed(image, rng):
    """Every picture at half its contrast: a damage that tones alone can repair."""
    return damaged(image, [Damage(black=(0.2,) * 3, white=(0.7,) * 3)] * len(image), rng)


def test_it_learns_to_undo_a_fade(pictures, tiny_vgg, rng) -> None:
    config = replace(CONFIG, told_share=0.0, feature_weight=0.0, adversarial_ratio=0.0)
    restorer = new_restorer()
    restorer.tone_reader = train_tones(restorer.tone_reader, pictures, dimmed, False, ToneConfig(steps=30))
    trained = train_restorer(restorer, pictures, tiny_vgg, config, dimmed)
    clean = pictures.draw(4, 64, rng)
    faded, mask = dimmed(clean, rng).image, torch.zeros(4, 1, 64, 64)
    before, after = F.mse_loss(faded, clean), F.mse_loss(trained(faded, mask).image, clean)
    assert after < 0.5 * before


@pytest.mark.parametrize("killed_at", [1, 4, 5])
def test_a_killed_run_goes_on_where_it_was(
    pictures, tiny_vgg, tmp_path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    """Also where a discriminator has just begun to learn, from the fourth step on."""
    monkeypatch.setattr(restorer_training, "SAVE_EVERY", 1)
    path, config = tmp_path / "state.safetensors", replace(CONFIG, adversarial_share=0.5)

    def kill(record):
        if record["step"] == killed_at:
            raise KeyboardInterrupt

    whole = train_restorer(new_restorer(), pictures, tiny_vgg, config)
    with pytest.raises(KeyboardInterrupt):
        train_restorer(new_restorer(), pictures, tiny_vgg, config, None, path, kill)
    resumed = train_restorer(new_restorer(), pictures, tiny_vgg, config, None, path)
    for one, two in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, two)


def test_features_and_a_discriminator_come_last(pictures, tiny_vgg) -> None:
    records = []
    config = replace(CONFIG, feature_share=0.5, adversarial_share=0.34)
    train_restorer(new_restorer(), pictures, tiny_vgg, config, on_step=records.append)
    assert ["features" in record for record in records] == [False] * 3 + [True] * 3
    assert ["discriminator" in record for record in records] == [False] * 4 + [True] * 2


def test_what_is_told_is_not_to_be_found(pictures, rng) -> None:
    clean = pictures.draw(30, 64, rng)

    def scratched(image, rng):
        kinds = [Damage(scratches_per_mp=900.0, hole_share=0.1, hole_px=20.0)] * len(image)
        return damaged(image, kinds, noise_on(image.device, rng))

    for share in (0.0, 1.0):
        found = examples(clean, scratched, replace(CONFIG, told_share=share), rng)
        assert not (found.mask * found.marks).any()
        assert found.mask.any() == bool(share) and found.marks.any()
    assert found.mask.unique().tolist() == found.marks.unique().tolist() == [0, 1]


def test_terms_of_a_perfect_repair_are_none(pictures, tiny_vgg, rng) -> None:
    clean = pictures.draw(2, 64, rng)
    example = examples(clean, dimmed, CONFIG, rng)
    perfect = Repair(clean, (example.marks - 0.5) * 100)
    terms = repair_terms(perfect, example, tiny_vgg)
    assert all(value < 1e-6 for value in terms.values())


def test_a_wrong_shade_is_no_wrong_detail(pictures, rng) -> None:
    clean = pictures.draw(2, 64, rng)
    example = examples(clean, dimmed, CONFIG, rng)
    terms = repair_terms(Repair(clean + 0.1, example.marks), example, None)
    assert terms["detail"] < 1e-6 < 0.01 < terms["pixels"]


@pytest.mark.parametrize("size_px", [72, 32])
def test_crops_must_fit_the_network(size_px: int) -> None:
    with pytest.raises(ValueError, match="size_px must be"):
        RestoreConfig(size_px=size_px)
