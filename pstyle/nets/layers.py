"""The two operations of every network: convolution with a padding mode, and instance norm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..image.padding import pad

EPS = 1e-5
EXACT_PIXELS = 2**12  # of the largest map that group norm sums accurately
BAND_PIXELS = 2**10
WIDENED = 2**20  # numbers in one band of a map that is copied to a wider dtype


class Statistics(NamedTuple):
    """Mean and biased variance of a feature map over its pixels, both (B, C, 1, 1)."""

    mean: Tensor
    variance: Tensor


Normalize = Callable[[str, Tensor], Statistics | None]  # site name, features -> statistics to use instead


class StopForward(Exception):  # noqa: N818
    """Raised by a `Normalize` to end the forward pass once it has all it needs."""


def rectified(x: Tensor, amount: int, mode: str) -> Tensor:
    """`pad(relu(x))` of (B, C, H, W), in a single pass over memory where possible."""
    is_plain = mode != "reflect" or min(x.shape[2:]) <= amount or amount == 0
    if is_plain or (x.requires_grad and torch.is_grad_enabled()):
        return pad(F.relu(x), amount, mode)
    batch, channels, height, width = x.shape
    size = (batch, channels, height + 2 * amount, width + 2 * amount)
    is_last = x.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if is_last else torch.contiguous_format
    found = torch.empty(size, dtype=x.dtype, device=x.device, memory_format=layout)
    torch.clamp_min(x, 0, out=found[:, :, amount:-amount, amount:-amount])
    for axis, length in ((2, height), (3, width)):
        for border, source in ((0, amount + 1), (amount + length, length - 1)):
            line = found.narrow(axis, source, amount)
            found.narrow(axis, border, amount).copy_(line.flip(axis) if amount > 1 else line)
    return found


def conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: str = "reflect",
    stride: int = 1,
    rectify: bool = False,
) -> Tensor:
    """Convolve x (B, C, H, W), or with `rectify` relu(x), with a square odd kernel.

    The result has the size of x divided by `stride`, unless padding is "valid".
    """
    radius = weight.shape[-1] // 2
    if padding == "zeros" and not rectify:
        return F.conv2d(x, weight, bias, padding=radius, stride=stride)
    return F.conv2d((rectified if rectify else pad)(x, radius, padding), weight, bias, stride=stride)


def conv_exact(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve x (B, C, H, W), without padding, in the dtype of weight and bias.

    Works on bands of rows: a wider copy of a whole map would not fit the cache and would take most of the
    time.
    """
    reach = weight.shape[-1] - 1
    height = x.shape[2] - reach
    rows = height if x.dtype == weight.dtype else max(1, WIDENED // x[:, :, 0].numel())
    bands = (x[:, :, top : top + rows + reach] for top in range(0, height, rows))
    return torch.cat([F.conv2d(band.to(weight.dtype), weight, bias) for band in bands], dim=2)


def statistics(x: Tensor, rows: Tensor | None = None) -> Statistics:
    """Mean and biased variance per picture and channel, always in float32.

    `rows` (H * k,) are optional weights of the pixel rows that x (B, C, H, W) was computed from: in a
    panorama, rows near the poles show little of the world.
    """
    if rows is None:
        variance, mean = torch.var_mean(x.float(), dim=(2, 3), correction=0, keepdim=True)
        return Statistics(mean, variance)
    shares = rows.to(x.device, torch.float32).unflatten(0, (x.shape[2], -1)).mean(1)
    shares = (shares / shares.sum()).view(1, 1, -1, 1)
    mean = (x.float().mean(3, keepdim=True) * shares).sum(2, keepdim=True)
    variance = ((x - mean).float().square().mean(3, keepdim=True) * shares).sum(2, keepdim=True)
    return Statistics(mean, variance)


class RecordedStatistics:
    """A `Normalize` that uses the features' own statistics, optionally row-weighted, and records them."""

    def __init__(self, rows: Tensor | None = None) -> None:
        self.rows = rows
        self.found: dict[str, Statistics] = {}

    def __call__(self, site: str, x: Tensor) -> Statistics:
        """The statistics of features x (B, C, H, W) at a site."""
        self.found[site] = statistics(x, self.rows)
        return self.found[site]


def frozen_statistics(found: Mapping[str, Statistics]) -> Normalize | None:
    """A `Normalize` that uses the given statistics by site; None, for the features' own, without any."""
    return (lambda site, x: found[site]) if found else None


def modulate(x: Tensor, scale: Tensor, bias: Tensor, frozen: Statistics | None = None) -> Tensor:
    """Instance-normalize x and apply x * (1 + scale) + bias.

    x is (B, C, H, W); scale and bias are (1 or B, C, 1, 1). With `frozen` statistics every pixel is computed
    independently, which tiles and video rely on. Group norm with one group per channel is the same as
    instance norm, several times faster on a CPU, and keeps channels_last.
    """
    if frozen is not None:
        gain = (scale + 1) * torch.rsqrt(frozen.variance + EPS)
        return torch.addcmul((bias - frozen.mean * gain).to(x.dtype), x, gain.to(x.dtype))
    if _sums_are_rough(x):
        return modulate(x, scale, bias, statistics_of_bands(x))
    channels = x.shape[1]
    # torch 2.13 crashes in the backward pass of group norm if the weight requires a gradient and the
    # channels_last input does not.
    if scale.shape[0] == 1 and not scale.requires_grad:
        gain, offset = (scale + 1).reshape(-1), bias.reshape(-1)
        if x.is_cuda and x.shape[0] == 1:
            # The same arithmetic for one picture. CUDA's group norm loses channels_last and uses only one
            # block of threads per channel.
            return F.batch_norm(x, None, None, gain.float(), offset.float(), training=True, eps=EPS)
        return F.group_norm(x, channels, gain, offset, EPS)
    return F.group_norm(x, channels, eps=EPS) * (scale + 1) + bias


def _sums_are_rough(x: Tensor) -> bool:
    """Whether group norm's variance of x (B, C, H, W) would be inaccurate.

    On a CPU it sums the squares of a channels_last map in float32, which changed a painting of 1100x800 px by
    1.7e-4; with bands the change is 4e-6.
    """
    is_large = x.shape[2] * x.shape[3] > EXACT_PIXELS
    is_summed = x.is_contiguous(memory_format=torch.channels_last) and x.shape[1] > 1
    return is_large and is_summed and x.dtype == torch.float32 and not x.is_cuda and not x.requires_grad


def statistics_of_bands(x: Tensor) -> Statistics:
    """Statistics of a large channels_last map, from bands small enough for group norm to sum accurately.

    It takes the time of a group norm, a fraction of that of `statistics`.
    """
    batch, channels, height, width = x.shape
    pixels = height * width
    count = next(n for n in range(-(-pixels // BAND_PIXELS), pixels + 1) if pixels % n == 0)
    bands = x.permute(0, 2, 3, 1).reshape(batch * count, -1, 1, channels).permute(0, 3, 1, 2)  # a view
    size = (batch * count, channels, pixels // count)
    found = torch.native_group_norm(bands, None, None, *size, channels, EPS)[1:]
    mean, root = (value.view(batch, count, channels, 1, 1).double() for value in found)
    whole = mean.mean(1, keepdim=True)
    variance = (root.square().reciprocal() - EPS + (mean - whole).square()).mean(1)
    return Statistics(whole[:, 0].float(), variance.clamp_min(0).float())


def channels_last(image: Tensor) -> Tensor:
    """The picture in channels_last layout, the fastest for CPU convolutions."""
    return image.contiguous(memory_format=torch.channels_last)
