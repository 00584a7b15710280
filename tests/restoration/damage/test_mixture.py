"""A mixture holds the shares of learned, random and no damage that it is given."""

from __future__ import annotations

import pytest
import torch

from pstyle.core.seeding import generator_of
from pstyle.restoration.damage.damage import Damage
from pstyle.restoration.damage.damage_style import DamageStyle
from pstyle.restoration.damage.mixture import MixedDamage

RED = DamageStyle(Damage(black=(0.5, 0.0, 0.0), white=(1.0, 0.2, 0.2)))


def test_shares_are_as_asked() -> None:
    gray = torch.full((200, 3, 16, 16), 128 / 255)
    made = MixedDamage(RED)(gray, generator_of(1)).image
    red = ((made - torch.tensor([0.751, 0.1, 0.1]).view(1, 3, 1, 1)).abs().amax((1, 2, 3)) < 0.01).float()
    assert red.mean().item() == pytest.approx(0.5, abs=0.1)
    untouched = ((made - gray).abs().amax((1, 2, 3)) < 1e-3).float().mean().item()
    assert 0.05 < untouched < 0.25


def test_the_same_seed_mixes_alike(picture) -> None:
    one, two = (MixedDamage(RED)(picture, generator_of(3)).image for _ in range(2))
    assert torch.equal(one, two)


def test_impossible_shares_are_refused() -> None:
    with pytest.raises(ValueError, match="got shares 0.8 learned and 0.3 clean"):
        MixedDamage(RED, 0.8, 0.3)
