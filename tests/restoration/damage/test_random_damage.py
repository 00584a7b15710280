"""Protects damage at random: every kind as often and within what it says, the same for the same seed."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pstyle.core.config import from_json, to_json
from pstyle.restoration.damage.damage import Damage, damaged
from pstyle.restoration.damage.random_damage import FADED, KINDS, Dice, RandomDamage, random_damage
from tests.conftest import random_picture


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), height=st.integers(17, 50), width=st.integers(17, 50))
def test_any_damage_of_any_size_is_a_picture_and_a_file(seed: int, height: int, width: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    damage = random_damage(rng)
    found = damaged(random_picture(rng, height, width), [damage], rng)
    assert found.image.shape == (1, 3, height, width) and found.image.isfinite().all()
    assert found.image.min() >= 0 and found.image.max() <= 1
    assert torch.equal((found.image * 255).round() / 255, found.image)
    assert from_json(Damage, to_json(damage)) == damage


def test_the_same_seed_damages_alike_and_a_share_stays_clean(rng) -> None:
    image = random_picture(rng, 32, 32).repeat(40, 1, 1, 1)
    image = (image * 255).round() / 255
    one, two = (RandomDamage(0.4)(image, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one.image, two.image)
    untouched = ((one.image - image).abs().amax((1, 2, 3)) < 1e-3).float().mean()
    assert 0.25 < untouched < 0.6


def test_kinds_are_there_as_often_as_they_say() -> None:
    kinds = ((0.1, lambda dice: {"blur_px": 1.0}), (0.7, lambda dice: {"grain": dice.between(0.02, 0.03)}))
    rng, count = torch.Generator().manual_seed(2), 3000
    for harshness in (1.0, 0.5):
        found = [random_damage(rng, harshness, kinds) for _ in range(count)]
        for share, name in ((0.1, "blur_px"), (0.7, "grain")):
            wanted = share * harshness
            seen = sum(getattr(damage, name) > 0 for damage in found) / count
            assert seen == pytest.approx(wanted, abs=4 * math.sqrt(wanted * (1 - wanted) / count))
    assert random_damage(rng, 0.0) == Damage()


def test_all_kinds_at_once_are_a_damage_and_later_ones_win(rng) -> None:
    """Each takes its numbers from one stream, which does not run dry."""
    every = [(1.0, kind) for _, kind in KINDS]
    for _ in range(50):
        found = random_damage(rng, 1.0, every)
        assert min(found.blur_px, found.grain, found.dust_per_mp, found.hole_share, found.screen) > 0
    twice = [(1.0, lambda dice: {"grain": 0.5, "blur_px": 1.0}), (1.0, lambda dice: {"grain": 0.1})]
    assert random_damage(rng, 1.0, twice) == Damage(grain=0.1, blur_px=1.0)


def test_amounts_are_even_between_two_numbers_or_in_the_logarithm(rng) -> None:
    draws = [(Dice(rng).between(-2, 6), Dice(rng).factor(0.1, 10)) for _ in range(4000)]
    even, factors = torch.tensor(draws).T
    marks = torch.tensor([0.25, 0.5, 0.75])
    assert torch.quantile(even, marks).tolist() == pytest.approx([0, 2, 4], abs=0.25)
    assert torch.quantile(factors.log10(), marks).tolist() == pytest.approx([-0.5, 0, 0.5], abs=0.06)
    assert even.min() >= -2 and even.max() <= 6 and factors.min() >= 0.1 and factors.max() <= 10
    near = torch.tensor([Dice(rng).around(0.4, 0.1) for _ in range(300)])
    assert near.min() >= 0.3 and near.max() <= 0.5 and near.mean().item() == pytest.approx(0.4, abs=0.01)
    assert abs(torch.corrcoef(near.T)[0, 1]) < 0.2


def test_worn_pictures_are_faded_and_nothing_else(rng) -> None:
    for _ in range(30):
        found = FADED.draw(rng)
        assert (found.black, found.white) != (Damage().black, Damage().white)
        kept = ("grain", "dust_per_mp", "scratches_per_mp", "hole_share", "jpeg_quality", "blur_px", "screen")
        assert all(getattr(found, name) == getattr(Damage(), name) for name in kept)
