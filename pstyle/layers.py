"""The two operations every network here is made of: convolution with a padding mode, instance norm with
given statistics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

PADDINGS = ("reflect", "replicate", "circular", "zeros", "valid")
EPS = 1e-5


class Statistics(NamedTuple):
    """Mean and biased variance of a feature map over its pixels, both (B, C, 1, 1)."""

    mean: Tensor
    variance: Tensor


Normalize = Callable[[str, Tensor], Statistics | None]  # site name, features -> what normalizes them


class Enough(Exception):  # noqa: N818
    """Raised by a `Normalize` that has seen what it wanted, to end the pass."""


def pad(x: Tensor, amount: int, mode: str) -> Tensor:
    """Pad height and width of (B, C, H, W) by `amount` pixels; reflection falls back to replication where
    it cannot.
    """
    if mode == "valid" or amount == 0:
        return x
    if mode == "zeros":
        return F.pad(x, (amount,) * 4)
    if mode == "circular":  # the panorama's x axis wraps; its poles do not
        x = F.pad(x, (amount, amount, 0, 0), mode="circular")
        return F.pad(x, (0, 0, amount, amount), mode="replicate")
    if mode == "reflect" and min(x.shape[2:]) <= amount:
        mode = "replicate"
    return F.pad(x, (amount,) * 4, mode=mode)


def conv(x: Tensor, weight: Tensor, bias: Tensor | None, padding: str = "reflect", stride: int = 1) -> Tensor:
    """Convolve (B, C, H, W) with a square odd kernel, keeping H and W divided by `stride` unless padding is
    "valid".
    """
    radius = weight.shape[-1] // 2
    if padding == "zeros":
        return F.conv2d(x, weight, bias, padding=radius, stride=stride)
    return F.conv2d(pad(x, radius, padding), weight, bias, stride=stride)


def statistics(x: Tensor, rows: Tensor | None = None) -> Statistics:
    """Mean and biased variance per picture and channel, in float32 whatever the input's type.

    `rows` (H * k,), if given, weighs the rows of pixels that x (B, C, H, W) was computed from: those near the
    poles of a panorama show little of the world.
    """
    if rows is None:
        variance, mean = torch.var_mean(x.float(), dim=(2, 3), correction=0, keepdim=True)
        return Statistics(mean, variance)
    shares = rows.to(x.device, torch.float32).unflatten(0, (x.shape[2], -1)).mean(1)
    shares = (shares / shares.sum()).view(1, 1, -1, 1)
    mean = (x.float().mean(3, keepdim=True) * shares).sum(2, keepdim=True)
    variance = ((x - mean).float().square().mean(3, keepdim=True) * shares).sum(2, keepdim=True)
    return Statistics(mean, variance)


class Measured:
    """Normalizes by the features' own statistics, with rows weighed if asked, and keeps them in `found`."""

    def __init__(self, rows: Tensor | None = None) -> None:
        self.rows = rows
        self.found: dict[str, Statistics] = {}

    def __call__(self, site: str, x: Tensor) -> Statistics:
        """Statistics of the features x (B, C, H, W) that come to a site."""
        self.found[site] = statistics(x, self.rows)
        return self.found[site]


def fixed(found: Mapping[str, Statistics]) -> Normalize | None:
    """Normalizes by these statistics by site, or by the features' own if there are none."""
    return (lambda site, x: found[site]) if found else None


def modulate(x: Tensor, scale: Tensor, bias: Tensor, frozen: Statistics | None = None) -> Tensor:
    """Instance-normalize x and apply x * (1 + scale) + bias.

    x is (B, C, H, W); scale and bias are (1 or B, C, 1, 1). With `frozen` statistics the operation is local
    to a pixel, which is what tiles and video need. Group norm with one group per channel is the same
    arithmetic as instance norm, several times faster on CPU, and keeps channels_last.
    """
    if frozen is not None:
        gain = (scale + 1) * torch.rsqrt(frozen.variance + EPS)
        return x * gain.to(x.dtype) + (bias - frozen.mean * gain).to(x.dtype)
    channels = x.shape[1]
    # torch 2.13 crashes in the backward of group norm where its weight needs a gradient and a channels_last
    # input does not.
    if scale.shape[0] == 1 and not scale.requires_grad:
        gain, offset = (scale + 1).reshape(-1), bias.reshape(-1)
        if x.is_cuda and x.shape[0] == 1:
            # The same arithmetic for one picture. CUDA's group norm leaves channels_last, and reads a feature
            # map with one block of threads a channel.
            return F.batch_norm(x, None, None, gain.float(), offset.float(), training=True, eps=EPS)
        return F.group_norm(x, channels, gain, offset, EPS)
    return F.group_norm(x, channels, eps=EPS) * (scale + 1) + bias
