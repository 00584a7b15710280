"""Protects the search for patches: brute force finds the same."""

from __future__ import annotations

import pytest
import torch

from pstyle.restoration.repair.patch_search import Places, nearest, patches_at


def test_the_nearest_patch_is_found_by_hand(rng) -> None:
    maps = torch.rand(30, 34, 3, generator=rng)
    places = Places(torch.tensor([5, 20, 11]), torch.tensor([6, 9, 25]))
    patches = patches_at(maps, places)
    assert torch.equal(patches[1], maps[16:25, 5:14].flatten())
    wanted, weights = patches[[2, 0]] + 0.01, torch.rand(2, patches.shape[1], generator=rng)
    index, costs = nearest(wanted, weights, patches)
    assert index.tolist() == [2, 0]
    assert costs.tolist() == pytest.approx((weights.sum(1) * 1e-4).tolist(), rel=0.1)
