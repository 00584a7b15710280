"""Which number format a painter computes in: float32, or bfloat16 where that is measured to be faster and as
good.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

LEAST_PSNR_DB = 38.0
ROUNDS = 3
PROBE_PX = {"cpu": 256, "cuda": 1024}  # a GPU spends a small picture's time on starting its kernels

Paint = Callable[[Tensor, torch.dtype], Tensor]  # pictures (B, 3, H, W) painted in a number format, float32


def computes_bfloat16(device: torch.device) -> bool:
    """Whether a device has instructions for bfloat16; one that emulates it is not worth measuring."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def fastest(paint: Paint, device: torch.device) -> torch.dtype:
    """The format for painting on a device: measured on a small picture, in turns, after one to warm up."""
    if not computes_bfloat16(device):
        return torch.float32
    side_px = PROBE_PX[device.type]
    probe = torch.rand(1, 3, side_px, side_px, generator=torch.Generator().manual_seed(0))
    seconds: dict[torch.dtype, list[float]] = {torch.float32: [], torch.bfloat16: []}
    pictures = {}
    for turn in range(ROUNDS + 1):
        for dtype, times in seconds.items():
            start = time.perf_counter()
            pictures[dtype] = paint(probe, dtype)  # ends on the CPU, so a GPU is waited for
            if turn > 0:
                times.append(time.perf_counter() - start)
    medians = {dtype: statistics.median(times) for dtype, times in seconds.items()}
    good = psnr_db(pictures[torch.bfloat16], pictures[torch.float32]) >= LEAST_PSNR_DB
    faster = medians[torch.bfloat16] < medians[torch.float32]
    return torch.bfloat16 if good and faster else torch.float32


def psnr_db(a: Tensor, b: Tensor) -> float:
    """Peak signal-to-noise ratio of pictures in [0, 1]; infinite if equal."""
    return -10 * (a - b).square().mean().log10().item()
