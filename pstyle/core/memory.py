"""Memory on the way to a painting: whether it fits, known before anything is allocated, and that what one
painting frees is kept for the next.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import torch

BYTES_PER_PX = 256  # at most, measured: 163 at strength 1, 246 at strength 0.5, 201 with the picture's colors
LINUX_MEMORY = Path("/proc/meminfo")
KEPT_BYTES = 31 << 20  # just below 32 MiB, the largest block from which the C library of Linux learns


class InsufficientMemory(ValueError):  # noqa: N818
    """A picture whose painting takes more memory than is free."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory has run out, or would."""
    if isinstance(error, InsufficientMemory | MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "allocate memory" in str(error)  # what torch says on a CPU


def empty_cache(device: torch.device) -> None:
    """Give back to a GPU what torch keeps of it for later."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def check_room(height_px: int, width_px: int, device: torch.device) -> None:
    """Refuse a picture whose painting takes more memory than is free.

    Raises InsufficientMemory with the largest size that fits.
    """
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
    """Memory that can still be taken on a device, or None where the system does not say."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + kept  # what torch has freed and keeps for the next
    if LINUX_MEMORY.is_file():  # counts what the system would give back, which sysconf does not
        found = dict(line.split(":", 1) for line in LINUX_MEMORY.read_text().splitlines())
        if "MemAvailable" in found:
            return int(found["MemAvailable"].split()[0]) * 1024
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf, macOS not this name
        return None


def keep_freed_memory() -> None:
    """Let the C library of Linux keep blocks of up to 31 MiB, and twice as much of its heap's end, that are
    freed; elsewhere nothing happens.

    By default it returns a feature map's pages to the system, which hands them out anew, cleared, for the
    next: a fifth of the time of a small painting. Freeing one large block raises its thresholds
    (M_MMAP_THRESHOLD in `man mallopt`); the block itself is never touched and takes no memory.
    """
    torch.empty(KEPT_BYTES, dtype=torch.uint8)
