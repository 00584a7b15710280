"""Whether the number format that a device gets is the right one: painting timed in both, and compared.

    OMP_NUM_THREADS=2 python benchmarks/number_format.py STYLE --photo PICTURE

Both painters paint in turns at each size, and the median of each counts. The rule of
`pstyle/core/precision.py` holds where bfloat16 is the faster if the device is said to compute in it, is the
slower if not, and gives a picture within LEAST_PSNR_DB of that in float32.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import torch
from torch import Tensor

from pstyle.core.device import choose_device
from pstyle.core.precision import number_format, psnr_db
from pstyle.image.reading import open_image
from pstyle.image.resizing import resize_to
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import load_vgg
from pstyle.painting.native import FULL_STRENGTH
from pstyle.painting.painter import Painter
from pstyle.style.style import Style, load_style

LEAST_PSNR_DB = 38.0  # below it a painting in bfloat16 would look different


def painters_of(style: Style, device: torch.device) -> list[Painter]:
    """One in float32 and one in bfloat16."""
    networks = load_generator(), load_vgg()
    return [Painter(style, *networks, device, dtype) for dtype in (torch.float32, torch.bfloat16)]


def measured(painters: list[Painter], photo: Tensor, rounds: int) -> tuple[list[float], float]:
    """Median seconds of each painter over so many turns, after one to warm up, and how close they are."""
    times: list[list[float]] = [[] for _ in painters]
    for turn in range(rounds + 1):
        found = []
        for painter, seconds in zip(painters, times, strict=True):
            start = time.perf_counter()
            found.append(painter.paint(photo, FULL_STRENGTH))  # ends on the CPU, so a GPU is waited for
            if turn > 0:
                seconds.append(time.perf_counter() - start)
    return [statistics.median(seconds) for seconds in times], psnr_db(*found)


def main() -> None:
    """Print a table of sizes, and whether the rule holds."""
    parser = argparse.ArgumentParser(description="Time painting in float32 and bfloat16.")
    parser.add_argument("style", type=Path, help="a style file")
    parser.add_argument("--photo", type=Path, required=True, help="a picture; painted square at every size")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 768, 1024])
    parser.add_argument("--rounds", type=int, default=7, help="of which the median counts")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    given = parser.parse_args()
    device, photo = choose_device(given.device), open_image(given.photo)
    painters, ruled = painters_of(load_style(given.style), device), number_format(device)
    print(f"{device}, {torch.get_num_threads()} threads, torch {torch.__version__}; the rule: {ruled}\n")  # noqa: T201
    print("| size | float32 | bfloat16 | of it | PSNR | the rule holds |")  # noqa: T201
    print("|---|---|---|---|---|---|")  # noqa: T201
    for side in given.sizes:
        (exact, low), psnr = measured(painters, resize_to(photo, side, side), given.rounds)
        is_better = low < exact and psnr >= LEAST_PSNR_DB
        cells = [f"{side} px", f"{exact * 1000:.0f} ms", f"{low * 1000:.0f} ms", f"{low / exact:.2f}"]
        cells += [f"{psnr:.1f} dB", "yes" if is_better == (ruled == torch.bfloat16) else "no"]
        print("| " + " | ".join(cells) + " |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
