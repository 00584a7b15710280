"""The number format of the networks: bfloat16 where the device has instructions for it, else float32.

The choice depends on the device alone, so one machine gives the same bytes every time.
`benchmarks/number_format.py` measures whether it is the faster one.
"""

from __future__ import annotations

import torch
from torch import Tensor


def number_format(device: torch.device) -> torch.dtype:
    """The number format to compute in on a device."""
    return torch.bfloat16 if computes_bfloat16(device) else torch.float32


def computes_bfloat16(device: torch.device) -> bool:
    """Whether a device has instructions for bfloat16 products.

    On a CPU these are AVX512-BF16 or AMX. CPUs that emulate bfloat16, such as those with plain AVX-512, are
    slower in it than in float32.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and any(map(_cpu_has, ("avx512_bf16", "amx_tile")))


def _cpu_has(instructions: str) -> bool:
    """Whether torch finds the instructions on this CPU; before torch 2.6 the answer is always no."""
    is_supported = getattr(torch.cpu, f"_is_{instructions}_supported", None)
    return is_supported is not None and is_supported()


def psnr_db(a: Tensor, b: Tensor) -> float:
    """Peak signal-to-noise ratio of pictures in [0, 1], in dB; infinite if they are equal."""
    return -10 * (a - b).square().mean().log10().item()
