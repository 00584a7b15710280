"""Protects damage at random: every kind as often and within what it says, the same for the same seed."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pstyle.core.config import from_json, to_json
from pstyle.restoration.damage.damage import Damage, damaged
from pstyle.restoration.damage.random_damage import RandomDamage, random_damage
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
