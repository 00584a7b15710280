"""Readers of tones learn to undo fading, go on after a kill, and leave the other reader alone."""

from __future__ import annotations

import pytest
import torch

from pstyle.image.crops import Crops
from pstyle.restoration.damage.damage import Damage, damaged
from pstyle.restoration.damage.random_damage import TONAL, RandomDamage
from pstyle.restoration.repair import tone_training
from pstyle.restoration.repair.restorer import Restorer
from pstyle.restoration.repair.tone_correction import BELIEF, with_tones
from pstyle.restoration.repair.tone_training import (
    ToneConfig,
    fitted_tones,
    pull_to_levels,
    some_gray,
    train_tones,
)
from tests.conftest import random_picture
from tests.restoration.tiny_restorer import TINY, new_restorer

FADED = Damage(black=(0.25, 0.2, 0.1), white=(0.7, 0.8, 0.6))


def fading(image, rng):
    """Every second picture faded, the others left alone."""
    return damaged(image, [FADED if number % 2 else Damage() for number in range(len(image))], rng)


@pytest.fixture
def pictures(rng) -> Crops:
    return Crops([random_picture(rng, 96, 110) for _ in range(6)], (96,))


SPARSE = {"stride": 2, "weight_decay": 0.1, "ema": 0.5}  # every second pixel: a quarter of the time


@pytest.mark.parametrize("more", [pytest.param({}, marks=pytest.mark.slow), SPARSE], ids=["all", "sparse"])
@pytest.mark.parametrize("wear", [False, True])
def test_a_reader_learns_to_undo_fading_and_to_leave_others_alone(rng, pictures, wear: bool, more) -> None:
    config, records = ToneConfig(steps=40, gray_share=0.0, **more), []
    start = new_restorer().tone_reader
    tones = train_tones(start, pictures, fading, wear, config, on_step=records.append)
    assert [record["step"] for record in records] == list(range(1, 41))
    clean = pictures.draw(24, 96, rng)
    seen = fading(clean, rng).image
    small = torch.cat([seen, torch.zeros_like(seen[:, :1])], dim=1)
    toned = with_tones(seen, tones(small, wear))
    before, after = ((x - clean).square().mean((1, 2, 3)) for x in (seen, toned))
    assert after[1::2].mean() < 0.5 * before[1::2].mean() and after[::2].mean() < 0.3 * before[1::2].mean()
    other = with_tones(seen, tones(small, not wear))
    assert torch.equal(other, seen)  # the other reader has learned nothing


def test_a_killed_lesson_goes_on_where_it_was(pictures, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tone_training, "SAVE_EVERY", 2)
    path, config = tmp_path / "state.safetensors", ToneConfig(steps=5, batch=4, ema=0.9, pull=0.3)

    def kill(record):
        if record["step"] == 4:
            raise KeyboardInterrupt

    lesson = lambda *more, **given: train_tones(  # noqa: E731
        new_restorer().tone_reader, pictures, fading, True, config, *more, **given
    )
    whole = lesson()
    with pytest.raises(KeyboardInterrupt):
        lesson(path, kill)
    resumed = lesson(path)
    for one, two in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, two)


def test_averaged_weights_are_not_the_last_ones(pictures) -> None:
    last, mean = (
        train_tones(
            new_restorer().tone_reader, pictures, fading, False, ToneConfig(steps=9, batch=4, ema=ema)
        )
        for ema in (0.0, 0.9)
    )
    assert not torch.equal(last.fresh.out.weight, mean.fresh.out.weight)
    assert torch.equal(last.worn[-1].weight, mean.worn[-1].weight)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_pulled_layer_answers_between_its_own_and_auto_levels(rng, share: float) -> None:
    last = torch.nn.Linear(8, 10).requires_grad_(False)
    code = torch.rand(3, 8, generator=rng)
    levels = torch.tensor([BELIEF] * 6 + [0.0] * 4)
    wanted = (1 - share) * last(code) + share * levels
    pull_to_levels(last, share)
    assert torch.allclose(last(code), wanted, atol=1e-6)


def test_small_pictures_are_enough(rng) -> None:
    small = Crops([torch.rand(1, 3, 64, 70, generator=rng)])
    train_tones(
        Restorer(TINY).tone_reader, small, RandomDamage(kinds=TONAL), False, ToneConfig(steps=1, batch=2)
    )


def test_a_fitted_map_undoes_a_fade_that_is_one_and_ignores_what_has_no_weight(rng) -> None:
    clean = random_picture(rng, 64, 48)
    mixing = torch.eye(3) * 0.6 + 0.1
    faded = torch.einsum("ij,bjhw->bihw", mixing, clean) + torch.tensor([0.1, 0.05, 0.0]).view(1, 3, 1, 1)
    weight = torch.ones(1, 1, 64, 48)
    weight[..., :16] = 0
    faded[..., :16] = torch.rand(1, 3, 64, 16, generator=rng)
    toned = with_tones(faded, fitted_tones(faded, clean, weight))
    before, after = ((x - clean)[..., 16:].square().mean() for x in (faded, toned))
    assert after < 0.02 * before


def test_a_share_is_gray(rng) -> None:
    image = torch.rand(200, 3, 4, 4, generator=rng)
    found = some_gray(image, 0.3, rng)
    gray = (found.std(1) < 1e-6).all((1, 2))
    assert 0.2 < gray.float().mean() < 0.4 and torch.equal(found[~gray], image[~gray])
