"""What is to be done to every picture, as it is asked for (`Job`) and with all that it takes (`Work`)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ..core.config import to_json
from ..core.files import read_file
from ..image.reading import MAX_FILE_BYTES, open_mask
from ..nets.generator import load_generator
from ..nets.vgg import load_vgg
from ..painting.paint import SizeConfig, check_regions, paint_checked, painted
from ..painting.painter import Painter
from ..painting.resampling import resized
from ..painting.sources import InMemory, OnTile, Source
from ..painting.streaming import paint_file
from ..style.paint_settings import PaintSettings
from ..style.style import load_style


class Work(NamedTuple):
    """What is to be done to each picture."""

    painter: Painter
    settings: PaintSettings
    mask: Tensor | None
    second: Painter | None
    size: SizeConfig

    def paint(self, image: Tensor) -> Tensor:
        """Paint pictures (B, C, H, W) as a file's reader gives them, in memory."""
        return paint_checked(image, *self)

    def paint_file(
        self, path: Path, target: Path, *, overwrite: bool = False, on_tile: OnTile | None = None
    ) -> None:
        """Paint a picture too large for memory from file to file, as `streaming.paint_file`."""
        painter, settings, mask, second, size = self

        def paint_source(source: Source) -> Source:
            where = mask if mask is None else resized(InMemory(mask), source.height, source.width)
            return painted(source, painter, settings, where, second, size)

        paint_file(path, target, paint_source, overwrite=overwrite, on_tile=on_tile)


@dataclass(frozen=True)
class Job:
    """A painting as it is asked for: files, settings and where to compute; small, to be sent to others.

    `dtype` is as in `Painter`; machines that share a job are given one, so that all paint the same.
    """

    style: Path
    settings: PaintSettings = field(default_factory=PaintSettings)
    size: SizeConfig = field(default_factory=SizeConfig)
    mask: Path | None = None
    second: Path | None = None
    device: str = "auto"
    dtype: torch.dtype | None = None

    def __post_init__(self) -> None:
        check_regions(self.mask, self.second)

    def work(self) -> Work:
        """Painters and mask, loaded. Raises BadFile for files that cannot be used."""
        second = self._painter(self.second) if self.second else None
        mask = open_mask(self.mask) if self.mask else None
        return Work(self._painter(self.style), self.settings, mask, second, self.size)

    def digest(self, work: Work) -> bytes:
        """What sets this job apart: the files' bytes, the generator, the settings and the number format."""
        files = [self.style, *(file for file in (self.mask, self.second) if file)]
        parts = [hashlib.sha256(read_file(file, MAX_FILE_BYTES)).hexdigest() for file in files]
        parts += [work.painter.style.generator_id, to_json(self.settings), to_json(self.size)]
        parts.append(str(work.painter.dtype))
        return hashlib.sha256("\n".join(parts).encode()).digest()

    def _painter(self, style: Path) -> Painter:
        return Painter(load_style(style), load_generator(), load_vgg(), self.device, self.dtype)


def key_of(job_digest: bytes, picture_sha256: str) -> str:
    """What a painting comes of: other bytes of the picture, or another job, give another key."""
    return hashlib.sha256(job_digest + picture_sha256.encode()).hexdigest()
