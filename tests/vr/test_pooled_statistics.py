"""Protects pooled statistics: those of several pictures are as of one picture that holds them all."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pstyle.nets.generator import LEVELS
from pstyle.nets.layers import Statistics
from pstyle.painting.native import FULL_STRENGTH, GlobalStatistics
from pstyle.vr.pooled_statistics import pooled


def statistics_of(x: torch.Tensor) -> Statistics:
    return Statistics(x.mean((2, 3), keepdim=True), x.var((2, 3), correction=0, keepdim=True))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_they_are_those_of_all_features_together(rng, count):
    features = [
        {
            site: 3 * part + torch.randn(1, channels, 7, 9, generator=rng) * (part + 1)
            for site, channels in (("wide", 5), ("deep", 2))
        }
        for part in range(count)
    ]
    wholes = [
        GlobalStatistics(
            None, *({site: statistics_of(scale * x) for site, x in one.items()} for scale in (1, 9))
        )
        for one in features
    ]
    found = pooled(wholes)
    assert found.own is None
    for site in ("wide", "deep"):
        values = np.concatenate([one[site][0].flatten(1).numpy() for one in features], axis=1).astype("f8")
        for given, scale in ((found.painted, 1), (found.rebuilt, 9)):
            mean, variance = (value.flatten().tolist() for value in given[site])
            assert mean == pytest.approx((scale * values.mean(1)).tolist(), rel=1e-4, abs=1e-4)
            assert variance == pytest.approx((scale**2 * values.var(1)).tolist(), rel=1e-4)


def test_statistics_are_pooled_as_of_one_picture(painter, rng):
    """Those of the first site depend on no other: pooled, they are those of both pictures side by side."""
    eyes = torch.rand(2, 3, 32, 32, generator=rng) * torch.tensor([1.0, 0.3]).view(2, 1, 1, 1)
    found = pooled([painter.measure(eye[None], FULL_STRENGTH) for eye in eyes]).painted["color"]
    colors = F.avg_pool2d(eyes, 4).transpose(0, 1).flatten(1)  # (3, M)
    assert torch.allclose(found.mean.flatten(), colors.mean(1), atol=1e-5)
    assert torch.allclose(found.variance.flatten(), colors.var(1, correction=0), atol=1e-5)


def test_of_equal_pictures_they_are_those_of_one(painter, picture):
    one = painter.measure(picture, (0.5,) * LEVELS)
    found = pooled([one, one])
    assert one.own and one.rebuilt
    assert all(torch.equal(found.own[site], value) for site, value in one.own.items())
    for mine, given in ((found.painted, one.painted), (found.rebuilt, one.rebuilt)):
        assert mine.keys() == given.keys()
        assert all(torch.allclose(mine[site].variance, given[site].variance) for site in given)
