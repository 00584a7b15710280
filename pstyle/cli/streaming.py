"""What `pstyle paint` does with a picture too large for memory: it goes from file to file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from ..canvas.any_size import SizeConfig, painted
from ..canvas.resized import resized
from ..canvas.sources import InMemory, Source
from ..canvas.streaming import LARGE_PIXELS, paint_file, size_of
from ..look import Look
from ..painter import Painter
from .screen import counter


class Work(NamedTuple):
    """What is to be done to each picture."""

    painter: Painter
    look: Look
    mask: Tensor | None
    second: Painter | None
    size: SizeConfig


def is_large(file: Path) -> bool:
    """Whether a picture is to be streamed, and can be."""
    size = size_of(file)
    return size is not None and size[0] * size[1] > LARGE_PIXELS


def paint_large(file: Path, target: Path, work: Work, overwrite: bool) -> None:
    """Paint one picture from file to file."""
    painter, look, mask, second, size = work

    def paint(source: Source) -> Source:
        where = mask if mask is None else resized(InMemory(mask), source.height, source.width)
        return painted(source, painter, look, where, second, size)

    with counter(file.name, 1, "picture") as bar:

        def on_tile(done: int, total: int) -> None:
            bar.total = total
            bar.update()

        paint_file(file, target, paint, overwrite=overwrite, on_tile=on_tile)
