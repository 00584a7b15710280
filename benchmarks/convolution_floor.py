"""The time of a painter's convolutions and nothing else: painting cannot be faster than that."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor

Call = tuple[Tensor, Tensor, Tensor | None, dict[str, object]]


def recorded(paint: Callable[[Tensor], Tensor], image: Tensor) -> list[Call]:
    """Input, weight, bias and options of every convolution of one painting."""
    calls: list[Call] = []
    original = F.conv2d

    def conv2d(x: Tensor, weight: Tensor, bias: Tensor | None = None, **options: object) -> Tensor:
        calls.append((x, weight, bias, options))
        return original(x, weight, bias, **options)

    with mock.patch.object(F, "conv2d", conv2d):
        paint(image)
    return calls


@torch.inference_mode()
def floor_seconds(paint: Callable[[Tensor], Tensor], image: Tensor, rounds: int) -> tuple[float, float]:
    """Median time of all convolutions of one painting, one after the other, and their GFLOP."""
    calls = recorded(paint, image)
    seconds = []
    for turn in range(rounds + 1):
        start = time.perf_counter()
        outputs = [F.conv2d(x, weight, bias, **options) for x, weight, bias, options in calls]
        if turn > 0:
            seconds.append(time.perf_counter() - start)
    work = sum(
        2 * weight.numel() * output.shape[2] * output.shape[3]
        for output, (_, weight, _, _) in zip(outputs, calls, strict=True)
    )
    return statistics.median(seconds), work / 1e9
