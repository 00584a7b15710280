"""`pstyle paint` for a picture too large for memory, streamed from file to file."""

from __future__ import annotations

from pathlib import Path

from ..batch.job import Work
from .console import counter


def paint_large(file: Path, target: Path, work: Work, overwrite: bool) -> None:
    """Paint one picture from file to file, with progress by tiles."""
    with counter(file.name, 1, "picture") as bar:

        def on_tile(done: int, total: int) -> None:
            bar.total = total
            bar.update()

        work.paint_file(file, target, overwrite=overwrite, on_tile=on_tile)
