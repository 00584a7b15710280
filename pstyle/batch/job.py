"""The work to do on every picture: as a request (`Job`), and with everything loaded (`Work`)."""

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
    """A loaded job: paints one picture after the other."""

    painter: Painter
    settings: PaintSettings
    mask: Tensor | None
    second: Painter | None
    size: SizeConfig

    def paint(self, image: Tensor) -> Tensor:
        """Paint pictures (B, C, H, W) in memory."""
        return paint_checked(image, *self)

    def paint_file(
        self, path: Path, target: Path, *, overwrite: bool = False, on_tile: OnTile | None = None
    ) -> None:
        """Paint a picture too large for memory from file to file, like `streaming.paint_file`."""
        painter, settings, mask, second, size = self

        def paint_source(source: Source) -> Source:
            where = mask if mask is None else resized(InMemory(mask), source.height, source.width)
            return painted(source, painter, settings, where, second, size)

        paint_file(path, target, paint_source, overwrite=overwrite, on_tile=on_tile)


@dataclass(frozen=True)
class Job:
    """A painting request: files, settings and device; small enough to send to other machines.

    `dtype` is as in `Painter`; machines that share a job are given the same one, so that all paint alike.
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
        """Load painters and mask. Raises BadFile for unusable files."""
        second = self._painter(self.second) if self.second else None
        mask = open_mask(self.mask) if self.mask else None
        return Work(self._painter(self.style), self.settings, mask, second, self.size)

    def digest(self, work: Work) -> bytes:
        """A digest of the job: the files' bytes, the generator, the settings and the number format."""
        files = [self.style, *(file for file in (self.mask, self.second) if file)]
        parts = [hashlib.sha256(read_file(file, MAX_FILE_BYTES)).hexdigest() for file in files]
        parts += [work.painter.style.generator_id, to_json(self.settings), to_json(self.size)]
        parts.append(str(work.painter.dtype))
        return hashlib.sha256("\n".join(parts).encode()).digest()

    def _painter(self, style: Path) -> Painter:
        return Painter(load_style(style), load_generator(), load_vgg(), self.device, self.dtype)


def key_of(job_digest: bytes, picture_sha256: str) -> str:
    """The key of a painting, which changes with the picture's bytes and with the job."""
    return hashlib.sha256(job_digest + picture_sha256.encode()).hexdigest()
