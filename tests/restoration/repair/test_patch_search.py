"""Protects the search for patches: brute force finds the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.ndimage import binary_dilation

from pstyle.restoration.repair.patch_search import (
    Places,
    grown,
    nearest,
    patches_at,
    places_of,
    weighted_costs,
)


def test_the_nearest_patch_is_found_by_hand(rng) -> None:
    maps = torch.rand(30, 34, 3, generator=rng)
    places = Places(torch.tensor([5, 20, 11]), torch.tensor([6, 9, 25]))
    patches = patches_at(maps, places)
    assert torch.equal(patches[1], maps[16:25, 5:14].flatten())
    wanted, weights = patches[[2, 0]] + 0.01, torch.rand(2, patches.shape[1], generator=rng)
    index, costs = nearest(wanted, weights, patches)
    assert index.tolist() == [2, 0]
    assert costs.tolist() == pytest.approx((weights.sum(1) * 1e-4).tolist(), rel=0.1)


@pytest.mark.parametrize("chunk", [1, 3, 4096])
def test_no_other_patch_is_nearer(rng, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr("pstyle.restoration.repair.patch_search.CHUNK", chunk)
    wanted, weights = torch.rand(2, 7, 20, generator=rng)
    weights[0] = 0  # so that all are as near
    known = torch.rand(31, 20, generator=rng)
    index, costs = nearest(wanted, weights, known)
    every = (weights[:, None] * (wanted[:, None] - known).square()).sum(2)  # (N, M)
    assert torch.allclose(costs, every.amin(1), atol=1e-5)
    assert torch.equal(index[1:], every[1:].argmin(1))
    assert torch.allclose(weighted_costs(wanted, weights, known[index]), costs, atol=1e-5)


@pytest.mark.parametrize(("height", "width", "channels"), [(9, 9, 3), (9, 14, 1), (20, 11, 4)])
def test_patches_are_those_of_unfold(rng, height: int, width: int, channels: int) -> None:
    maps = torch.rand(height, width, channels, generator=rng)
    inner = torch.zeros(height, width, dtype=torch.bool)
    inner[4:-4, 4:-4] = True
    places = places_of(inner)
    theirs = F.unfold(maps.permute(2, 0, 1)[None], 9)[0].T.view(-1, channels, 81).transpose(1, 2).flatten(1)
    assert torch.equal(patches_at(maps, places), theirs)
    assert torch.equal(places.of(maps), theirs.view(-1, 81, channels)[:, 40])


def test_places_move_and_are_chosen(rng) -> None:
    chosen = torch.rand(12, 15, generator=rng) < 0.3
    places = places_of(chosen)
    marks = torch.zeros(20, 20, dtype=torch.bool)
    moved = places.moved(5, 3)
    marks[moved.row, moved.column] = True
    assert torch.equal(marks[5:17, 3:18], chosen) and marks.sum() == chosen.sum()
    left = places.chosen(places.column < 7)
    assert len(left.row) == chosen[:, :7].sum() and left.column.max() < 7


@pytest.mark.parametrize("radius_px", [0, 1, 4])
@pytest.mark.parametrize("size", [(13, 17), (1, 8)])
def test_grown_is_scipy_s_dilation(rng, radius_px: int, size: tuple[int, int]) -> None:
    chosen = torch.rand(*size, generator=rng) < 0.1
    square = np.ones((2 * radius_px + 1,) * 2)
    assert grown(chosen, radius_px).tolist() == binary_dilation(chosen.numpy(), square).tolist()
