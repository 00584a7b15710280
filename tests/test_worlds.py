"""Protects procedural worlds: one sphere whatever the resolution, pairs whose disparity is exact."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from benchmarks.worlds import stereo_pair, world
from pstyle.vr.sphere import pixel_directions


def test_a_world_depends_on_direction_and_seed_only():
    fine, coarse = (world(*pixel_directions(height)) for height in (96, 32))
    assert torch.allclose(fine[..., 1::3, 1::3], coarse, atol=1e-5)  # every third pixel looks the same way
    assert torch.equal(world(*pixel_directions(32)), coarse)
    assert not torch.allclose(world(*pixel_directions(32), seed=1), coarse, atol=0.1)
    longitude, latitude = pixel_directions(32)
    assert torch.allclose(world(longitude + 2 * torch.pi, latitude), coarse, atol=1e-4)
    assert fine.min() >= 0 and fine.max() <= 1 and fine.std() > 0.1


def test_a_pair_has_the_disparity_it_tells():
    """Where nothing is hidden, the right eye sees at x - d what the left one sees at x."""
    pair = stereo_pair(64, 128)
    assert pair.left.shape == pair.right.shape == (1, 3, 64, 128) and len(pair.disparity.unique()) == 4
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(128), indexing="ij")
    landing = columns - pair.disparity[0, 0]
    grid = torch.stack([(2 * landing + 1) / 128 - 1, (2 * rows + 1) / 64 - 1], dim=-1)[None].float()
    error = (F.grid_sample(pair.right, grid, align_corners=False) - pair.left).abs().mean(1)[0]
    assert error[landing >= 0].median() < 0.01 and (error[landing >= 0] < 0.05).float().mean() > 0.8
    assert torch.equal(stereo_pair(64, 128).left, pair.left)
