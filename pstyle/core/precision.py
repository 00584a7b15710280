"""The number format that networks compute in: bfloat16 where the device multiplies matrices in it, else
float32.

The choice depends on the device alone, so that one machine gives the same bytes every time.
`benchmarks/number_format.py` measures whether it is the right one.
"""

from __future__ import annotations

import torch
from torch import Tensor


def number_format(device: torch.device) -> torch.dtype:
    """What to compute in on a device."""
    return torch.bfloat16 if computes_bfloat16(device) else torch.float32


def computes_bfloat16(device: torch.device) -> bool:
    """Whether a device has instructions for products in bfloat16.

    On a CPU those are AVX512-BF16 or AMX. One that emulates bfloat16, such as any with plain AVX-512, is
    slower in it than in float32.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and any(map(_cpu_has, ("avx512_bf16", "amx_tile")))


def _cpu_has(instructions: str) -> bool:
    """Whether torch finds instructions on this CPU; before 2.6 it cannot tell, and float32 is taken."""
    is_supported = getattr(torch.cpu, f"_is_{instructions}_supported", None)
    return is_supported is not None and is_supported()


def psnr_db(a: Tensor, b: Tensor) -> float:
    """Peak signal-to-noise ratio of pictures in [0, 1]; infinite if equal."""
    return -10 * (a - b).square().mean().log10().item()
