"""Pooled statistics of several pictures painted alike, such as both eyes of a stereo pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ..nets.layers import Statistics
from ..painting.native import GlobalStatistics


def pooled(wholes: Sequence[GlobalStatistics]) -> GlobalStatistics:
    """The statistics of several pictures of one size, as if they were parts of one."""
    own = [whole.own for whole in wholes if whole.own is not None]
    return GlobalStatistics(
        {site: _mean([one[site] for one in own]) for site in own[0]} if own else None,
        _pooled([whole.painted for whole in wholes]),
        _pooled([whole.rebuilt for whole in wholes]),
    )


def _pooled(parts: Sequence[Mapping[str, Statistics]]) -> dict[str, Statistics]:
    found = {}
    for site in parts[0]:
        mean = _mean([part[site].mean for part in parts])
        within = _mean([part[site].variance for part in parts])
        between = _mean([(part[site].mean - mean).square() for part in parts])
        found[site] = Statistics(mean, within + between)
    return found


def _mean(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean(0)
