"""Filtering along an axis is numpy's correlation of each line."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pstyle.image.separable import filtered


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    axis=st.sampled_from([2, 3]),
    taps=st.integers(1, 7),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_it_is_the_correlation_of_each_line(seed: int, axis: int, taps: int, dtype: torch.dtype) -> None:
    rng = torch.Generator().manual_seed(seed)
    maps = torch.randn(2, 3, 9, 8, generator=rng).to(dtype)
    shares = torch.randn(taps, generator=rng).tolist()
    kept, found = maps.clone(), filtered(maps, axis, shares)
    wanted = np.apply_along_axis(np.correlate, axis, maps.double().numpy(), shares, "valid")
    assert found.dtype == dtype and torch.equal(maps, kept)
    assert np.allclose(found.numpy(), wanted, atol=1e-5)
