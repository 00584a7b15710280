"""Painting a folder against a plain loop: pictures a second and a core, where time goes, what a million cost.

    python benchmarks/folder.py STYLE.safetensors --pictures 24 --size-px 512
    taskset -c 0 python benchmarks/folder.py STYLE.safetensors --threads 1
    python benchmarks/folder.py STYLE.safetensors --pictures 400 --workers 2

The pictures are drawn scenes of four sizes as JPEG. The loop opens, paints and saves one after the other; the
folder does so in stages that overlap, once with the pictures ordered by size and once by name; both write
whole files and wait for the disk. They take turns, in one process with the painter loaded; medians count. The
last row is the folder run again, when nothing is to do. Core hours are of the cores' own time, which a
machine shared with others does not swell. With --workers the same folder is painted by a Ray
cluster on this machine, whose start is told apart.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from pstyle.batch.cluster import Cluster, ClusterConfig
from pstyle.batch.folder import FolderPainter, Picture, by_size
from pstyle.batch.job import Job, Work
from pstyle.batch.manifest import NAME, known_in
from pstyle.image.reading import open_image
from pstyle.image.resizing import resize_to
from pstyle.image.writing import encoded, save_image
from pstyle.samples import content_pictures

SCENES = 4
SHAPES = ((1.0, 1.0), (0.75, 1.0), (1.0, 0.75), (0.66, 1.0))  # height and width, of --size-px
MILLION = 1_000_000


def write_pictures(folder: Path, count: int, size_px: int) -> list[Picture]:
    """Scenes of several sizes in a mixed order."""
    scenes = content_pictures(SCENES, size_px, seed=0)
    rng, found = random.Random(0), []
    for number in range(count):
        height, width = (round(size_px * share) for share in rng.choice(SHAPES))
        path = folder / f"{number:05}.jpg"
        save_image(path, resize_to(scenes[number % SCENES], height, width))
        found.append(Picture(path, f"{number:05}.png"))
    return found


def loop(work: Work, pictures: list[Picture], out: Path) -> None:
    """One picture after the other."""
    for source, name in pictures:
        save_image(out / name, work.paint(open_image(source)))


def folder(painter: FolderPainter, pictures: list[Picture], out: Path) -> None:
    """In stages that overlap."""
    painter.folder = out
    for outcome in painter(pictures, NAME, known_in(out.glob(NAME))):
        assert not outcome.reason, outcome


def seconds_of(paint: Callable[[Path], None], out: Path) -> tuple[float, float]:
    """Time on the clock, and of all cores together."""
    clock, cores = time.perf_counter(), time.process_time()
    paint(out)
    return time.perf_counter() - clock, time.process_time() - cores


def stages(work: Work, pictures: list[Picture], out: Path) -> None:
    """How long each stage takes for a picture, by itself."""
    seconds: dict[str, list[float]] = {}
    for source, name in pictures:
        marks = [time.perf_counter()]
        image = open_image(source)
        marks.append(time.perf_counter())
        painted = work.paint(image)
        marks.append(time.perf_counter())
        encoded(painted, name)
        marks.append(time.perf_counter())
        for stage, start, end in zip(("decode", "paint", "encode"), marks, marks[1:], strict=False):
            seconds.setdefault(stage, []).append(end - start)
    shown = ", ".join(f"{stage} {statistics.median(found) * 1000:.0f} ms" for stage, found in seconds.items())
    print(f"a picture: {shown}")  # noqa: T201


def tell(name: str, count: int, clock: float, busy: float, cores: int) -> None:
    """A row."""
    hours = busy / count * MILLION / 3600
    speed = f"{count / clock:6.2f} a second, {count / clock / cores:6.2f} a core"
    print(f"{name:22}{speed}; {busy / count:.3f} s of a core a picture; {hours:.0f} core hours a million")  # noqa: T201


def by_cluster(job: Job, pictures: list[Picture], out: Path, workers: int) -> None:
    """Speed of a cluster from its first shard on, and what came before."""
    shard = max(1, len(pictures) // (8 * workers))
    start = time.perf_counter()
    with Cluster(ClusterConfig(workers=workers, shard=shard)) as cluster:
        times = [time.perf_counter() for _ in cluster.paint(job, pictures, out, {})]
    speed = (len(times) - shard) / (times[-1] - times[0])
    print(f"ray, {workers} workers: first shard after {times[0] - start:.1f} s, then {speed:.2f} a second")  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("style", type=Path)
    parser.add_argument("--pictures", type=int, default=24)
    parser.add_argument("--size-px", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--workers", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cores = len(os.sched_getaffinity(0))
    job = Job(arguments.style, device="cpu")
    work = job.work()
    job = replace(job, dtype=work.painter.dtype)
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "in").mkdir()
        pictures = write_pictures(Path(place) / "in", arguments.pictures, arguments.size_px)
        print(f"{len(pictures)} pictures, {cores} cores, {arguments.threads} threads, {job.dtype}")  # noqa: T201
        stages(work, pictures, Path(place))
        painter, ordered = FolderPainter(job, Path(place)), by_size(pictures)
        ways = {
            "plain loop": lambda out: loop(work, pictures, out),
            "folder, by size": lambda out: folder(painter, ordered, out),
            "folder, by name": lambda out: folder(painter, pictures, out),
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for turn in range(arguments.rounds):
            for name, paint in ways.items():
                out = Path(place) / f"{name} {turn}"
                out.mkdir()
                found[name].append(seconds_of(paint, out))
        for name, times in found.items():
            tell(name, len(pictures), *map(statistics.median, zip(*times, strict=True)), cores)
        tell("folder, nothing to do", len(pictures), *seconds_of(ways["folder, by size"], out), cores)
        if arguments.workers:
            (Path(place) / "ray").mkdir()
            by_cluster(job, pictures, Path(place) / "ray", arguments.workers)


if __name__ == "__main__":
    main()
