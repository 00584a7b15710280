"""`pstyle paint` for folders, resumable, by this process or by a cluster."""

from __future__ import annotations

import os
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..batch.cluster import Cluster, ClusterConfig
from ..batch.folder import KEPT, PAINTED, REFUSED, FolderPainter, Outcome, Picture, by_size
from ..batch.job import Job
from ..batch.manifest import NAME, PATTERN, KnownOutputs, known_in
from ..image.listing import list_pictures
from . import BAD_INPUT, complain
from .console import counter, print_line
from .flags import Parser, add_settings, settings_from
from .inputs import kept, new_folder, output_names, refuse_existing

HERE, RAY = "here", "ray"
Outcomes = Iterator[Outcome]


def folder_flags(parser: Parser) -> None:
    """`--engine`, `--address` and the settings of a cluster."""
    parser.add_argument(
        "--engine",
        choices=(HERE, RAY),
        default=HERE,
        help="paint a folder in this process, or by the workers of a Ray cluster (default here)",
    )
    parser.add_argument(
        "--address",
        metavar="HOST:PORT",
        help="address of the Ray cluster (default: start one here)",
    )
    add_settings(parser, ClusterConfig)


def is_folder(arguments: Namespace) -> bool:
    """Whether the input is a folder, or a cluster is to paint it."""
    return arguments.engine != HERE or any(Path(path).is_dir() for path in arguments.pictures)


def paint_folder(job: Job, arguments: Namespace) -> None:
    """Paint every picture that is not painted yet; refused ones are listed at the end."""
    config = settings_from(arguments, ClusterConfig)
    files = list_pictures(arguments.pictures)
    folder = _apart_from(arguments.pictures, arguments.output)
    pictures = [Picture(*both) for both in zip(files, output_names(files), strict=True)]
    known = known_in(folder.glob(PATTERN))
    others = [folder / picture.output for picture in pictures if picture.output not in known]
    refuse_existing(others, arguments.overwrite)
    with _engine(arguments, config) as (paint, cores):
        outcomes = paint(job, pictures, folder, known, arguments.overwrite)
        _follow(_kept(outcomes, folder), len(pictures), folder, cores)


@contextmanager
def _engine(arguments: Namespace, config: ClusterConfig) -> Iterator[tuple[Callable[..., Outcomes], int]]:
    """The painter of the folder, and its number of cores."""
    if arguments.engine == RAY:
        device = "cuda" if arguments.device == "cuda" else "cpu"  # workers may differ
        with Cluster(config, arguments.address, device) as cluster:
            yield cluster.paint, cluster.workers
    else:
        yield _paint_here, _cores()


def _paint_here(
    job: Job, pictures: list[Picture], folder: Path, known: KnownOutputs, overwrite: bool
) -> Outcomes:
    return FolderPainter(job, folder, overwrite)(by_size(pictures), NAME, known)


def _kept(outcomes: Outcomes, folder: Path) -> Outcomes:
    with kept(folder):
        yield from outcomes


def _follow(outcomes: Outcomes, total: int, folder: Path, cores: int) -> None:
    """Print finished pictures as they come, then the speed, and finally the refused pictures."""
    refused: list[str] = []
    counts: Counter[str] = Counter()
    start = time.perf_counter()
    with counter("painting", total, "picture") as bar:
        for outcome in outcomes:
            counts[outcome.state] += 1
            if outcome.state == PAINTED:
                print_line(str(folder / outcome.picture.output))
            elif outcome.state == REFUSED:
                refused.append(outcome.reason)
            bar.update()
    seconds = time.perf_counter() - start
    speed = counts[PAINTED] / seconds
    print_line(
        f"painted {counts[PAINTED]} pictures in {seconds:.1f} s: {speed:.2f} per second, {speed / cores:.2f} "
        f"for each of {cores} cores; {counts[KEPT]} were painted before"
    )
    for reason in refused[:-1]:
        complain(reason, BAD_INPUT)
    if refused:
        more = f" ({len(refused)} of {total} pictures were not painted)" if total > 1 else ""
        raise ValueError(refused[-1] + more)


def _apart_from(given: list[str], output: str) -> Path:
    """The folder to write into. Raises ValueError if it is the folder to paint."""
    folder = new_folder(output)
    if any(Path(path).is_dir() and Path(path).samefile(folder) for path in given):
        raise ValueError(f"{output!r} is the folder to paint: choose another to write into")
    return folder


def _cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
