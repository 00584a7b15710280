"""Protects repair of any part of a picture: tiles are the whole, and the reach is exact."""

from __future__ import annotations

import pytest
import torch

from pstyle.image.padding import crop_back, pad_to_multiple
from pstyle.painting.boxes import Box
from pstyle.painting.sources import InMemory, loaded
from pstyle.restoration.repair.restorer import Restorer
from pstyle.restoration.repair.tiled_repair import MarkMap, Repaired, restorer_reach_px, tones_of
from pstyle.restoration.repair.tone_correction import with_tones
from tests.conftest import random_picture
from tests.restoration.tiny_restorer import TINY, new_restorer, random_restorer


@pytest.mark.parametrize("side_px", [64, 100])
def test_tiles_are_the_whole(rng, side_px: int) -> None:
    restorer, image = random_restorer(), torch.rand(1, 3, 90, 460, generator=rng)
    whole = Repaired(restorer, InMemory(image))
    tiled, at_once = loaded(whole, side_px), whole.read(Box(0, 0, 90, 460))
    assert torch.allclose(tiled, at_once, atol=1e-4)
    assert (at_once - image).abs().mean() > 0.01


def test_the_reach_is_as_far_as_the_network_sees() -> None:
    """By gradients through positive weights, where nothing cancels."""
    restorer = Restorer(TINY).double().eval()
    for weight in restorer.parameters():
        torch.nn.init.constant_(weight, 0.02)
    reach, width = restorer_reach_px(TINY), 480
    image = torch.ones(1, 3, 16, width, dtype=torch.float64, requires_grad=True)
    tones, mask = image.new_zeros(1, 3, 10), image.new_zeros(1, 1, 16, width)
    farthest = 0
    for column in range(224, 240):
        (seen,) = torch.autograd.grad(restorer(image, mask, tones).image[..., column].sum(), image)
        columns = seen.abs().sum((0, 1, 2)).nonzero()[:, 0]
        farthest = max(farthest, column - columns[0].item(), columns[-1].item() - column)
    assert farthest == reach


def test_tones_of_tiles_are_those_of_the_whole(rng, monkeypatch: pytest.MonkeyPatch) -> None:
    restorer, image = random_restorer(), torch.rand(1, 3, 200, 333, generator=rng)
    whole = restorer.tones(image, torch.zeros_like(image[:, :1]))
    monkeypatch.setattr("pstyle.restoration.repair.tiled_repair.TILE_PX", 50)
    assert torch.allclose(tones_of(restorer, InMemory(image)), whole, atol=1e-5)


def test_what_worn_pictures_reader_says_counts_where_repair_changes_much_and_nowhere_else(rng) -> None:
    """A gray picture between 0.3 and 0.6: its levels are stretched if repair finds much to change in it."""
    image = 0.3 + 0.3 * random_picture(rng, 300, 620)
    restorer = new_restorer().requires_grad_(False)
    restorer.tone_reader.worn[-1].bias[:6] = 0.6
    clean = Repaired(restorer, InMemory(image))
    assert not clean.tones.any() and torch.equal(clean.read(Box(0, 0, 300, 620)), image)
    torch.nn.init.normal_(restorer.last.weight, std=0.02, generator=rng)
    found = Repaired(restorer, InMemory(image))
    assert torch.allclose(found.tones, tones_of(restorer, InMemory(image), 1.0))
    stretched = with_tones(image, found.tones)
    assert stretched.max() > image.max() + 0.1 and stretched.min() < image.min() - 0.05


@pytest.mark.parametrize(("height", "width"), [(90, 210), (33, 17), (1, 40)])
def test_a_map_of_marks_is_that_of_the_whole(rng, height: int, width: int) -> None:
    restorer, image = random_restorer(), torch.rand(1, 3, height, width, generator=rng)
    marks = MarkMap(restorer, InMemory(image))
    padded, own = pad_to_multiple(image, 16)
    logits = restorer(padded, torch.zeros_like(padded[:, :1]), marks.tones).marks
    found = loaded(marks, 64, channels=1)
    assert torch.allclose(found, crop_back(logits, own).sigmoid(), atol=1e-4) and found.std() > 0


@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_strength_goes_from_the_picture_to_its_repair(rng, strength: float) -> None:
    restorer, image = random_restorer(), torch.rand(1, 3, 40, 60, generator=rng)
    box = Box(3, 5, 39, 60)
    found, all_ = (Repaired(restorer, InMemory(image), amount).read(box) for amount in (strength, 1.0))
    assert torch.allclose(found, (1 - strength) * box.of(image) + strength * all_, atol=1e-6)


@pytest.mark.parametrize("box", [Box(0, 0, 5, 7), Box(300, 401, 333, 420), Box(700, 790, 720, 801)])
def test_all_that_is_seen_from_a_box_is_read(rng, box: Box) -> None:
    """Including what a random network hardly notices; and not much more."""
    read = []

    class Recorded(InMemory):
        def read(self, window: Box) -> torch.Tensor:
            read.append(window)
            return super().read(window)

    repaired = Repaired(random_restorer(), Recorded(torch.rand(1, 3, 720, 801, generator=rng)))
    read.clear()
    assert repaired.read(box).shape == (1, 3, box.height, box.width)
    (window,), reach = read, restorer_reach_px(TINY)
    least, most = (box.grown(margin_px).clipped(720, 801) for margin_px in (reach, reach + 15))
    assert all(most[side] <= window[side] <= least[side] for side in (0, 1))
    assert all(least[side] <= window[side] <= most[side] for side in (2, 3))
