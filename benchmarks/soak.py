"""Memory, threads and open files of one process that paints and learns for a long time (Linux).

    OMP_NUM_THREADS=1 python benchmarks/soak.py --paints 2000 --learns 50

Pictures of many sizes are painted in a style of the shipped generator, then styles are learned in two steps
each. Memory is what the process holds (its resident set) after each; the mean of the last quarter is told
beside that of the second, when everything that is kept has been made.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import mean

import torch

from pstyle.losses.perceptual import Perceptual
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import load_vgg
from pstyle.painting.painter import load_painter
from pstyle.samples import content_pictures, paint_as
from pstyle.style.style import save_style
from pstyle.training.learning import LearnConfig, learn

MIB = 1 << 20
SIDES_PX = (33, 64, 80, 97, 128)
QUICK = LearnConfig(steps=2, size_px=128, crop_px=64, batch=1)


def resident_mib() -> float:
    """What the process holds of memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def held() -> tuple[int, int]:
    """Threads and open files of the process."""
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))


def soak(what: str, count: int, work: Callable[[int], object]) -> None:
    """Do the work over and over, and print what became of memory, threads and files."""
    work(0)
    before, found = held(), []
    for number in range(1, count + 1):
        work(number)
        found.append(resident_mib())
    second, last = mean(found[count // 4 : count // 2]), mean(found[-(count // 4) :])
    (threads, files), change = held(), 100 * (last / second - 1)
    print(  # noqa: T201
        f"{count} {what}: {second:.1f} MiB in the second quarter, {last:.1f} in the last ({change:+.2f} %), "
        f"threads {before[0]} -> {threads}, files {before[1]} -> {files}"
    )


def main() -> None:
    """Paint, then learn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paints", type=int, default=2000, help="pictures painted")
    parser.add_argument("--learns", type=int, default=50, help="styles learned")
    args = parser.parse_args()
    contents = content_pictures(2, 128, seed=0)
    generator, vgg = load_generator(), load_vgg()
    perceptual, styles = Perceptual([vgg]), [paint_as("hatching", contents[0].clamp(0, 1), seed=1)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "style.safetensors"
        save_style(path, learn(styles, contents, generator, vgg, perceptual, QUICK).style)
        painter = load_painter(path, "cpu")

    def paint(number: int) -> torch.Tensor:
        height, width = (SIDES_PX[(number * step) % len(SIDES_PX)] for step in (1, 2))
        return painter(contents[0][..., :height, :width], strength=(number % 4) / 3)

    soak("paints", args.paints, paint)
    soak("learns", args.learns, lambda number: learn(styles, contents, generator, vgg, perceptual, QUICK))


if __name__ == "__main__":
    main()
