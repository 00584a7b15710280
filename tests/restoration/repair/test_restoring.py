"""Restoring: tiles as the whole, masks to the bit, and bad input in one sentence."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from pstyle.image.padding import crop_back, pad_to_multiple
from pstyle.painting.sources import InMemory
from pstyle.restoration.repair.restorer import Restorer
from pstyle.restoration.repair.restoring import RepairConfig, RestorationPipeline, painted_into
from pstyle.restoration.repair.tiled_repair import tones_of
from tests.conftest import random_picture
from tests.restoration.tiny_restorer import new_restorer, random_restorer

MASK_ONLY = RepairConfig(strength=0.0)


@pytest.fixture
def pipeline() -> RestorationPipeline:
    return RestorationPipeline(random_restorer(), "cpu")


def hole(height: int, width: int) -> torch.Tensor:
    mask = torch.zeros(1, 1, height, width)
    mask[..., height // 3 : height // 2, width // 4 : width // 2] = 1
    return mask


def tones_for(restorer: Restorer, image: torch.Tensor) -> torch.Tensor:
    """The tones of a picture up to 256 px a side, by hand: wear tells how far each reader counts."""
    padded, own = pad_to_multiple(image, 16)
    found = restorer(padded, torch.zeros_like(padded[:, :1]), torch.zeros(1, 3, 10)).image
    change = (crop_back(found, own) - image).transpose(0, 1)
    box = torch.ones(1, 1, 9, 9)
    around = F.conv2d(change, box, padding=4) / F.conv2d(torch.ones_like(change), box, padding=4)
    wear = (change - around).square().mean().sqrt().item()
    return tones_of(restorer, InMemory(image), min(1, max(0, (wear - 0.006) / 0.006)))


@pytest.mark.parametrize("size", [(70, 230), (1, 1), (17, 5), (131, 33)])
def test_it_is_what_the_network_says_of_the_whole(pipeline, rng, size: tuple[int, int]) -> None:
    image = torch.rand(1, 3, *size, generator=rng)
    padded, own = pad_to_multiple(image, 16)
    tones = tones_for(pipeline.restorer, image)
    expected = pipeline.restorer(padded, torch.zeros_like(padded[:, :1]), tones).image.clamp(0, 1)
    assert torch.allclose(pipeline(image), crop_back(expected, own), atol=1e-6)


def test_outside_of_the_mask_not_a_bit_changes(pipeline, rng) -> None:
    image, mask = random_picture(rng, 60, 71), hole(60, 71)
    found = pipeline(image, mask, MASK_ONLY)
    assert torch.equal(found * (1 - mask), image * (1 - mask))
    assert (found - image).abs().max() > 0.05


def test_strength_is_how_much_is_repaired(pipeline, rng) -> None:
    image = random_picture(rng, 40, 50)
    none, half, all_ = (pipeline(image, config=RepairConfig(strength=s)) for s in (0.0, 0.5, 1.0))
    assert torch.equal(none, image)
    assert torch.allclose(half, (image + all_) / 2, atol=1e-6)


def test_a_restorer_that_sees_no_damage_returns_the_picture(rng) -> None:
    image = random_picture(rng, 33, 47)
    assert torch.equal(RestorationPipeline(new_restorer(), "cpu")(image), image)


def test_a_hole_is_filled_before_all_is_repaired(pipeline, rng) -> None:
    image, mask = random_picture(rng, 60, 70), hole(60, 70)
    blank = torch.where(mask > 0, 1.0, image)
    assert torch.equal(pipeline(blank, mask), pipeline(image, mask))  # what is in the hole cannot be seen


def test_a_style_paints_the_hole_alone(pipeline, painter, rng) -> None:
    image, mask = random_picture(rng, 60, 70), hole(60, 70)
    plain, styled = (pipeline(image, mask, MASK_ONLY, with_style) for with_style in (None, painter))
    assert torch.equal(styled * (1 - mask), image * (1 - mask))
    assert (styled - plain).abs().max() > 0.02
    assert torch.equal(styled, painted_into(plain, mask > 0, painter))


def test_each_picture_has_its_own_mask_or_all_one(pipeline, rng) -> None:
    images = torch.cat([random_picture(rng, 40, 48) for _ in range(2)])
    masks = torch.cat([hole(40, 48), torch.zeros(1, 1, 40, 48)])
    found = pipeline(images, masks, MASK_ONLY)
    assert torch.equal(found[1], images[1]) and not torch.equal(found[0], images[0])
    both = pipeline(images, hole(40, 48), MASK_ONLY)
    assert torch.equal(both[0], found[0]) and not torch.equal(both[1], images[1])


def test_transparency_stays_and_gray_becomes_color(pipeline, rng) -> None:
    clear = torch.rand(1, 4, 20, 24, generator=rng)
    assert torch.equal(pipeline(clear)[:, 3:], clear[:, 3:])
    assert pipeline(clear[:, :1]).shape == (1, 3, 20, 24)


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (torch.zeros(1, 1, 30, 40), "the mask is 40x30 px, the picture 48x40 px"),
        (torch.ones(1, 1, 40, 48), "the mask covers the whole picture"),
        (torch.zeros(3, 1, 40, 48), "got 3 masks for 1 pictures"),
        (torch.full((1, 1, 40, 48), torch.nan), "mask 1 of 1 has"),
    ],
)
def test_bad_masks_are_refused(pipeline, rng, mask: torch.Tensor, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        pipeline(random_picture(rng, 40, 48), mask)


def test_a_style_needs_a_mask(pipeline, painter, rng) -> None:
    with pytest.raises(ValueError, match="give a mask as well"):
        pipeline(random_picture(rng, 40, 48), painter=painter)


def test_marks_are_what_the_network_is_sure_of(pipeline, rng) -> None:
    image = torch.rand(2, 3, 40, 52, generator=rng)
    found = pipeline.find_marks(image)
    assert found.shape == (2, 1, 40, 52) and {*found.unique().tolist()} <= {0.0, 1.0}
    padded, own = pad_to_multiple(image[:1], 16)
    tones = tones_for(pipeline.restorer, image[:1])
    logits = pipeline.restorer(padded, torch.zeros_like(padded[:, :1]), tones).marks
    assert torch.equal(found[:1], (crop_back(logits, own) > 0).float())
