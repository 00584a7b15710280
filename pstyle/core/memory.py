"""Memory for painting: a check before anything is allocated, and reuse of what one painting frees."""

from __future__ import annotations

import math
import os
from pathlib import Path

import torch

BYTES_PER_PX = 256  # upper bound; measured 163 at strength 1, 246 at 0.5, 201 with the picture's colors
LINUX_MEMORY = Path("/proc/meminfo")
KEPT_BYTES = 31 << 20  # just below 32 MiB, the largest block that moves glibc's dynamic thresholds


class InsufficientMemory(ValueError):  # noqa: N818
    """Painting this picture takes more memory than is free."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory has run out, or would."""
    if isinstance(error, InsufficientMemory | MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "allocate memory" in str(error)  # torch's message on a CPU


def empty_cache(device: torch.device) -> None:
    """Return torch's cached GPU memory to the system."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def check_room(height_px: int, width_px: int, device: torch.device) -> None:
    """Raise InsufficientMemory, naming the largest size that fits, if painting takes more than is free."""
    free = free_bytes(device)
    needed = height_px * width_px * BYTES_PER_PX
    if free is None or needed <= free:
        return
    factor = math.sqrt(free / needed)
    largest = f"{math.floor(width_px * factor)}x{math.floor(height_px * factor)}"
    raise InsufficientMemory(
        f"painting {width_px}x{height_px} px takes about {needed / 2**30:.1f} GiB of memory, and "
        f"{free / 2**30:.1f} GiB are free: reduce the picture to {largest} px, or close other programs"
    )


def free_bytes(device: torch.device) -> int | None:
    """Free memory of a device, or None where the system does not report it."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + kept  # plus what torch has freed but still holds
    if LINUX_MEMORY.is_file():  # includes reclaimable memory, which sysconf does not
        found = dict(line.split(":", 1) for line in LINUX_MEMORY.read_text().splitlines())
        if "MemAvailable" in found:
            return int(found["MemAvailable"].split()[0]) * 1024
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf, macOS lacks this name
        return None


def keep_freed_memory() -> None:
    """Make glibc keep freed blocks of up to 31 MiB, and twice that at the top of its heap.

    By default it returns the pages of every feature map to the system, which clears them before handing them
    out again: a fifth of the time of a small painting. Freeing one large block raises the thresholds
    (M_MMAP_THRESHOLD in `man mallopt`); the block itself is never touched and takes no memory. Does nothing
    outside Linux.
    """
    torch.empty(KEPT_BYTES, dtype=torch.uint8)
