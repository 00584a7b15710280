"""A picture of any size in a plain file of bytes on disk, read and written piece by piece."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import torch
from torch import Tensor

from ..core.files import BadFile
from .boxes import Box

CHANNELS = 3


class Spool:
    """A picture as rows of RGB bytes in a file that exists for the duration of a `with` block.

    A source and a sink; pixels are rounded to 8 bits. Raises BadFile if the disk lacks room.
    """

    def __init__(self, path: Path, height: int, width: int) -> None:
        self.path, self.height, self.width = path, height, width

    def __enter__(self) -> Spool:
        needed, free = self.height * self.width * CHANNELS, shutil.disk_usage(self.path.parent).free
        if needed > free:
            raise BadFile(
                f"painting {self.width}x{self.height} px takes {needed / 2**30:.1f} GiB in the folder "
                f"{str(self.path.parent)!r}, where {free / 2**30:.1f} GiB are free: make room there"
            )
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)  # left by a run that was killed
        self.file = open(self.path, "x+b", buffering=0)  # noqa: SIM115 (closed on leaving)
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        with contextlib.suppress(OSError):
            os.unlink(self.path)

    def read(self, box: Box) -> Tensor:
        """The pixels (1, 3, h, w) of a box, in [0, 1]."""
        pixels = torch.empty(box.height, box.width, CHANNELS, dtype=torch.uint8)
        for row, values in zip(range(box.top, box.bottom), pixels.numpy(), strict=True):
            self.file.seek((row * self.width + box.left) * CHANNELS)
            if self.file.readinto(memoryview(values).cast("B")) != values.size:
                raise BadFile(f"{str(self.path)!r} ends too early: it was cut while it was read")
        return pixels.permute(2, 0, 1)[None].float().div_(255).contiguous()

    def write(self, box: Box, pixels: Tensor) -> None:
        """Write the pixels (1, 3, h, w) of a box. Raises OSError if the disk is full."""
        rounded = pixels[0].mul(255).round_().clamp_(0, 255).to(torch.uint8)
        values = rounded.permute(1, 2, 0).contiguous().numpy()
        for row, line in zip(range(box.top, box.bottom), values, strict=True):
            self.file.seek((row * self.width + box.left) * CHANNELS)
            rest = memoryview(line).cast("B")
            while rest:  # the system may write less than it is given
                rest = rest[self.file.write(rest) :]
