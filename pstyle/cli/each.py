"""The loop of commands that write one picture for each picture that they read."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from .console import counter, print_line
from .inputs import new_folder, output_names, refuse_existing


def write_each(
    files: Sequence[Path],
    arguments: Namespace,
    doing: str,
    done: str,
    write: Callable[[Path, Path, int], None],
    suffix: str = ".png",
) -> None:
    """Call `write(file, target, number)` for each picture, with targets in the folder `--output`.

    Unreadable pictures are skipped; a ValueError at the end reports them.
    """
    folder = new_folder(arguments.output)
    targets = [(folder / name).with_suffix(suffix) for name in output_names(files)]
    refuse_existing(targets, arguments.overwrite)
    refused: list[str] = []
    with counter(doing, len(files), "picture") as bar:
        for number, (file, target) in enumerate(zip(files, targets, strict=True)):
            try:
                write(file, target, number)
                print_line(str(target))
            except ValueError as error:
                refused.append(str(error) if str(file) in str(error) else f"{file.name}: {error}")
            bar.update()
    if refused:
        more = f" ({len(refused)} of {len(files)} pictures were not {done})" if len(files) > 1 else ""
        raise ValueError(refused[0] + more)
