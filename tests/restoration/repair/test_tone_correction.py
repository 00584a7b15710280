"""Tones are read off quantiles, written as a polynomial, and learned from pictures that fade."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pstyle.image.colors import luma
from pstyle.restoration.damage.damage import Damage, damaged
from pstyle.restoration.damage.random_damage import FADED
from pstyle.restoration.repair.tone_correction import (
    CLEAN,
    QUANTILES,
    SIGNALS,
    WORN,
    as_print,
    color_quantiles,
    is_toned,
    undone,
    with_tones,
    worn_share,
)
from tests.conftest import random_picture
from tests.restoration.tiny_restorer import new_restorer


def test_a_map_of_colors_is_its_polynomial(rng) -> None:
    image, tones = torch.rand(2, 3, 4, 5, generator=rng), torch.randn(2, 3, 10, generator=rng)
    found = with_tones(image, tones)
    for b, y, x in ((0, 0, 0), (1, 3, 4)):
        pixel = image[b, :, y, x]
        terms = torch.cat([torch.ones(1), pixel, pixel**2, pixel**3])
        assert torch.allclose(found[b, :, y, x], pixel + tones[b] @ terms, atol=1e-5)


@pytest.mark.parametrize("height, width", [(9, 7), (32, 48)])
def test_quantiles_are_those_of_the_known_pixels(rng, height: int, width: int) -> None:
    image = torch.rand(2, 3, height, width, generator=rng)
    mask = (torch.rand(2, 1, height, width, generator=rng) < 0.3).float()
    found = color_quantiles(image, mask).unflatten(1, (SIGNALS, len(QUANTILES)))
    for b in range(2):
        pixels = image[b].numpy()[:, mask[b, 0].numpy() == 0]
        lightness = 0.299 * pixels[0] + 0.587 * pixels[1] + 0.114 * pixels[2]
        signals = np.concatenate([pixels, pixels - lightness + 0.5])
        slack = 1.5 / pixels.shape[1]  # places are rounded
        shares = [np.clip(np.array(QUANTILES) + side, 0, 1) for side in (-slack, slack)]
        low, high = (np.quantile(signals, share, axis=1).T for share in shares)
        assert (found[b].numpy() >= low - 1e-5).all() and (found[b].numpy() <= high + 1e-5).all()


def test_where_all_is_lost_quantiles_are_middle_gray(rng) -> None:
    image = torch.rand(1, 3, 8, 8, generator=rng)
    assert torch.equal(color_quantiles(image, torch.ones(1, 1, 8, 8)), torch.full((1, 66), 0.5))


def toned_prints(rng, damage: Damage) -> tuple[torch.Tensor, torch.Tensor]:
    """Gray pictures, and prints of them."""
    clean = luma(torch.cat([random_picture(rng, 64, 48) for _ in range(3)])).expand(-1, 3, -1, -1)
    return clean, damaged(clean, [damage] * 3, rng).image


SEPIA = Damage(saturation=0.0, black=(0.2, 0.15, 0.1), white=(0.9, 0.8, 0.66))


@pytest.mark.parametrize(
    "damage, expected",
    [
        (SEPIA, True),
        (replace(SEPIA, grain=0.02), True),
        (replace(SEPIA, black=(0.2,) * 3, white=(0.8,) * 3), False),  # gray: nothing tells that it has faded
        (Damage(), False),
    ],
)
def test_a_toned_print_is_known_by_its_colors(rng, damage: Damage, expected: bool) -> None:
    _, prints = toned_prints(rng, damage)
    assert is_toned(prints, torch.zeros_like(prints[:, :1])).tolist() == [expected] * 3


def test_a_picture_with_color_is_no_toned_print_however_faded(rng) -> None:
    color = torch.cat([random_picture(rng, 64, 48) for _ in range(4)])
    faded = damaged(color, [replace(SEPIA, saturation=0.5)] * 4, rng).image
    for image in (color, faded):
        assert not is_toned(image, torch.zeros_like(image[:, :1])).any()


def test_a_red_spot_on_a_toned_print_is_color(rng) -> None:
    _, prints = toned_prints(rng, SEPIA)
    prints[..., 20:28, 20:26] += torch.tensor([0.06, -0.05, -0.05]).view(3, 1, 1)  # 1.6 % of it
    assert not is_toned(prints, torch.zeros_like(prints[:, :1])).any()


def test_what_is_lost_does_not_tell_whether_a_print_is_toned(rng) -> None:
    _, prints = toned_prints(rng, SEPIA)
    mask = torch.zeros_like(prints[:, :1])
    mask[..., :12] = 1
    prints[..., :12] = torch.rand(3, 3, 64, 12, generator=rng)
    assert is_toned(prints, mask).all() and not is_toned(prints, 0 * mask).any()
    assert not is_toned(prints, torch.ones_like(mask)).any()


def test_a_toned_print_comes_back_gray_and_nearer_to_its_picture(rng) -> None:
    clean, prints = toned_prints(rng, SEPIA)
    tones = new_restorer().tone_reader
    found = with_tones(prints, tones(torch.cat([prints, torch.zeros_like(prints[:, :1])], dim=1)))
    assert (found - luma(found)).abs().max() < 1e-4
    assert (found - clean).abs().mean() < 0.5 * (prints - clean).abs().mean()
    assert torch.equal(as_print(torch.ones(2, 10), torch.tensor([False, False])), torch.ones(2, 10))


def test_unknown_colors_change_no_tones_but_through_convolutions(rng) -> None:
    image, mask = torch.rand(1, 3, 16, 16, generator=rng), torch.zeros(1, 1, 16, 16)
    mask[..., 4:9] = 1
    other = torch.where(mask > 0, torch.rand(image.shape, generator=rng), image)
    assert torch.equal(color_quantiles(image, mask), color_quantiles(other, mask))


@pytest.mark.parametrize(
    "fade, most",
    [
        (Damage(black=(0.2, 0.15, 0.1), white=(0.9, 0.8, 0.66)), 0.002),
        (Damage(black=(0.1, 0.0, 0.1), white=(0.9, 1.0, 0.8), gamma=(0.8, 1.2, 0.95), saturation=0.7), 0.01),
    ],
)
def test_a_fading_is_undone_by_its_own_numbers(rng, fade: Damage, most: float) -> None:
    clean = 0.05 + 0.9 * torch.rand(1, 3, 32, 32, generator=rng)
    black, white, gamma = (torch.tensor(getattr(fade, name)) for name in ("black", "white", "gamma"))
    color = -torch.tensor([fade.saturation]).log()
    fading = torch.cat([torch.ones(6), gamma.log(), color])[None]
    ends = torch.stack([black, white], dim=1)[None]
    faded = damaged(clean, [fade], rng).image
    assert (with_tones(faded, undone(fading, ends)) - clean).abs().max() < most + 2 / 255
    assert (faded - clean).abs().mean() > 0.05


@pytest.mark.parametrize(("wear", "share"), [(0.0, 0.0), (CLEAN, 0.0), ((CLEAN + WORN) / 2, 0.5), (1.0, 1.0)])
def test_the_more_repair_changes_the_more_is_a_picture_worn(wear: float, share: float) -> None:
    assert worn_share(wear) == pytest.approx(share)


def test_a_worn_picture_is_read_by_a_reader_of_its_own(rng) -> None:
    """Untrained readers say only what their bias says: 0.2 of auto levels the one, 0.6 the other."""
    tones, small = new_restorer().tone_reader.requires_grad_(False), torch.zeros(1, 4, 24, 30)
    small[:, :3] = 0.2 + 0.5 * random_picture(rng, 24, 30)
    for last, levels in ((tones.fresh.out, 0.2), (tones.worn[-1], 0.6)):
        last.bias[:6] = levels
    ends = color_quantiles(small[:, :3], small[:, 3:]).unflatten(1, (6, -1))[:, :3, [0, -1]]
    for wear, levels in ((0.0, 0.2), (0.5, 0.4), (1.0, 0.6)):
        fading = torch.zeros(1, 10)
        fading[:, :6] = levels
        assert torch.allclose(tones(small, wear), undone(fading, ends), atol=1e-6)


def test_no_fading_leaves_colors_as_they_are(rng) -> None:
    image = torch.rand(2, 3, 8, 8, generator=rng)
    ends = torch.rand(2, 3, 2, generator=rng)
    assert torch.equal(with_tones(image, undone(torch.zeros(2, 10), ends)), image)


def test_what_is_worn_has_always_faded(rng) -> None:
    damages = [FADED.draw(rng) for _ in range(50)]
    assert all(damage.white != (1.0, 1.0, 1.0) for damage in damages)
    assert len({damage.white for damage in damages}) == 50
