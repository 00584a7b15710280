"""Time to paint one picture on the CPU, ours beside MicroAST (arXiv 2211.15313) and AdaIN (arXiv 1703.06868),
and the memory it takes.

    python benchmarks/paint_speed.py STYLE.safetensors --microast FOLDER

Every painter paints the same picture in turns, in one process, with its model loaded and its style computed;
the median counts. MicroAST runs as published, and again in a faster memory format it does not use itself;
AdaIN has the published size and random weights. The floor is the time of our convolutions alone, in turns
with painting. Peak memory is that of a second process, which loads our painter and paints one picture
(Linux); a cold start is `pstyle paint` of one picture from the command line to its end.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from convolution_floor import convolutions_of
from PIL import Image
from torch import Tensor

Paint = Callable[[Tensor], object]

FLOOR_ROUNDS = 25  # of our painter and of its convolutions alone, in turns
PAINT_ONCE = """
import sys
import torch
from pstyle import load_painter
paint = load_painter(sys.argv[1], device="cpu")
paint(torch.rand(1, 3, int(sys.argv[2]), int(sys.argv[2])))
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def peak_mib(style: Path, size_px: int) -> float:
    """Peak resident memory in MiB of a process that loads a painter and paints one square picture.

    Read from /proc, because the peak that getrusage tells begins with that of the process which started it.
    """
    command = [sys.executable, "-c", PAINT_ONCE, str(style), str(size_px)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


def median_seconds(painters: dict[str, Paint], size_px: int, rounds: int) -> dict[str, float]:
    """Median time of each painter for one square picture, in turns after one round to warm up."""
    image = torch.rand(1, 3, size_px, size_px, generator=torch.Generator().manual_seed(0))
    seconds: dict[str, list[float]] = {name: [] for name in painters}
    for turn in range(rounds + 1):
        for name, paint in painters.items():
            start = time.perf_counter()
            paint(image)
            if turn > 0:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def load_painters(style: Path, microast: Path | None) -> dict[str, Paint]:
    """Our painter and, given its folder, the peer's two."""
    from pstyle import load_painter
    from pstyle.painting.paint import SizeConfig

    own_size = SizeConfig(look_size_px=0)  # all paint as many pixels
    painters: dict[str, Paint] = {"pstyle": partial(load_painter(style, device="cpu"), size=own_size)}
    if microast:
        from adain import adain_painter
        from microast import load_microast, microast_painter

        example = torch.rand(1, 3, 512, 512, generator=torch.Generator().manual_seed(1))
        painters["MicroAST"] = microast_painter(load_microast(microast), example)
        faster = microast_painter(load_microast(microast, channels_last=True), example)
        painters["MicroAST, channels last"] = lambda image: faster(
            image.to(memory_format=torch.channels_last)
        )
        painters["AdaIN"] = adain_painter(example)
    return painters


def cold_start_seconds(style: Path, rounds: int = 3) -> float:
    """Median time of a process that paints one 512x512 picture file."""
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "picture.png"
        Image.new("RGB", (512, 512), (90, 120, 160)).save(picture)
        command = [sys.executable, "-m", "pstyle", "paint", str(style), str(picture), "-o", folder]
        seconds = []
        for _ in range(rounds):
            start = time.perf_counter()
            subprocess.run([*command, "--overwrite"], capture_output=True, check=True)
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main() -> None:
    """Print a table, and with --json also the numbers as one line."""
    parser = argparse.ArgumentParser(description="Time and memory of painting one picture on the CPU.")
    parser.add_argument("style", type=Path, help="a style file")
    parser.add_argument("--microast", type=Path, help="folder of a checkout of EndyWon/MicroAST")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024], help="sides in pixels")
    parser.add_argument("--rounds", type=int, default=9, help="pictures each painter paints")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--json", action="store_true", help="print the numbers as one JSON line too")
    given = parser.parse_args()
    peak, cold = peak_mib(given.style, 512), cold_start_seconds(given.style)
    torch.set_num_threads(given.threads)
    painters = load_painters(given.style, given.microast)
    found = {size_px: median_seconds(painters, size_px, given.rounds) for size_px in given.sizes}
    lines = [
        f"{given.threads} threads, median of {given.rounds}, in turns; in brackets: times ours",
        "",
        "| painter | " + " | ".join(f"{size_px}x{size_px}" for size_px in given.sizes) + " |",
        "|---|" + "---|" * len(given.sizes),
    ]
    for name in painters:
        seconds = [(times[name], times[name] / times["pstyle"]) for times in found.values()]
        cells = [f"{own * 1000:.0f} ms ({ratio:.2f})" for own, ratio in seconds]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines.append("")
    for size_px in found:
        convolve, work = convolutions_of(painters["pstyle"], torch.rand(1, 3, size_px, size_px))
        both = {"pstyle": painters["pstyle"], "convolutions": convolve}
        both = median_seconds(both, size_px, FLOOR_ROUNDS)
        floor, share = both["convolutions"], both["pstyle"] / both["convolutions"]
        lines.append(
            f"{size_px} px: convolutions alone {floor * 1000:.0f} ms for {work:.1f} GFLOP; x {share:.2f}"
        )
    lines += [f"peak memory of a process that paints one 512x512 picture: {peak:.0f} MiB"]
    lines += [f"cold start of `python -m pstyle paint`, one 512x512 picture: {cold:.1f} s"]
    print("\n".join(lines))  # noqa: T201
    if given.json:
        print(json.dumps({"seconds": found, "peak_mib": round(peak, 1)}))  # noqa: T201


if __name__ == "__main__":
    main()
