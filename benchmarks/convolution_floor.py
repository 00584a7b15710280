"""The time of a painter's convolutions and nothing else: painting cannot be faster than that."""

from __future__ import annotations

from collections.abc import Callable
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor

Paint = Callable[[Tensor], Tensor]
Call = tuple[Tensor, Tensor, Tensor | None, dict[str, object]]


def recorded(paint: Paint, image: Tensor) -> list[Call]:
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
def convolutions_of(paint: Paint, image: Tensor) -> tuple[Callable[[Tensor], None], float]:
    """What does all convolutions of one painting of a picture, one after the other, and their GFLOP."""
    calls = recorded(paint, image)

    @torch.inference_mode()
    def convolve(image: Tensor) -> None:
        for x, weight, bias, options in calls:
            F.conv2d(x, weight, bias, **options)

    outputs = [F.conv2d(x, weight, bias, **options) for x, weight, bias, options in calls]
    work = sum(
        2 * weight.numel() * output.shape[2] * output.shape[3]
        for output, (_, weight, _, _) in zip(outputs, calls, strict=True)
    )
    return convolve, work / 1e9
