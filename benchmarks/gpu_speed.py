"""Time and memory of painting on a CUDA device, its kernels, and how near they come to the memory's speed.

    python benchmarks/gpu_speed.py [STYLE.safetensors]

Without a style file a drawn scene is encoded. "On the device" is a picture that is there and stays there;
"from memory and back" adds both ways over the bus, as ComfyUI's wires need it. The traffic is what every
operation reads and writes, taken one by one: the share of the copy speed tells how much a fused network could
gain at most.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pstyle.core.precision import psnr_db
from pstyle.losses.perceptual import perceptual_with
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import load_vgg
from pstyle.painting.native import FULL_STRENGTH
from pstyle.painting.painter import Painter
from pstyle.samples import content_pictures
from pstyle.style.style import load_style
from pstyle.training.learning import LearnConfig, learn

SIZES = {"512x512": (512, 512), "1024x1024": (1024, 1024), "1080p": (1080, 1920), "4K": (2160, 3840)}
ROUNDS = 30
COPY_BYTES = 1 << 30


class Traffic(TorchDispatchMode):
    """Adds up the bytes of what operations read and write; views move none."""

    total = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation and count it."""
        result = function(*args, **(kwargs or {}))
        given, made = (
            [value for value in tree_leaves(part) if isinstance(value, Tensor)]
            for part in ((args, kwargs), result)
        )
        places = {value.untyped_storage().data_ptr() for value in given}
        if not (function.is_view and all(value.untyped_storage().data_ptr() in places for value in made)):
            self.total += sum(value.numel() * value.element_size() for value in given + made)
        return result


def seconds_of(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median time of a call, the device waited for, after three to warm up."""
    times = []
    for turn in range(rounds + 3):
        torch.cuda.synchronize()
        start = time.perf_counter()
        call()
        torch.cuda.synchronize()
        if turn >= 3:
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def copy_speed() -> float:
    """Bytes a second, read and written, of a copy on the device."""
    source = torch.empty(COPY_BYTES, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return 2 * COPY_BYTES / seconds_of(lambda: target.copy_(source))


def painter_of(style: Path | None) -> Painter:
    """The painter of a style file, or of an encoded scene."""
    generator, vgg = load_generator().to("cuda"), load_vgg().to("cuda")
    if style:
        return Painter(load_style(style), generator, vgg, "cuda")
    scenes = content_pictures(2, 256, seed=0)
    learned = learn(scenes[:1], scenes[1:], generator, vgg, perceptual_with(vgg), LearnConfig(steps=0))
    return Painter(learned.style, generator, vgg, "cuda")


def row(painter: Painter, name: str, size: tuple[int, int], speed: float) -> str:
    """One line of the table."""
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    there = image.cuda()
    torch.cuda.reset_peak_memory_stats()
    inside = seconds_of(lambda: painter.paint(there, FULL_STRENGTH))
    peak = torch.cuda.max_memory_allocated() / 2**20
    around = seconds_of(lambda: painter.paint(image, FULL_STRENGTH))
    with Traffic() as traffic:
        painter.paint(there, FULL_STRENGTH)
    share = traffic.total / inside / speed
    cells = [f"{inside * 1e3:.2f} ms", f"{1 / inside:.0f}", f"{around * 1e3:.2f} ms", f"{peak:.0f} MiB"]
    return f"| {name} | " + " | ".join([*cells, f"{traffic.total / 1e9:.2f} GB", f"{share:.0%}"]) + " |"


def main() -> None:
    """Print a table, and the kernels of one 4K picture."""
    parser = argparse.ArgumentParser(description="Time and memory of painting on a CUDA device.")
    parser.add_argument("style", type=Path, nargs="?", help="a style file")
    given = parser.parse_args()
    painter, speed = painter_of(given.style), copy_speed()
    image = content_pictures(1, 512, seed=3)[0]
    on_cpu = Painter(painter.style, load_generator(), load_vgg(), "cpu", torch.float32).paint(
        image, FULL_STRENGTH
    )
    agreement = psnr_db(painter.paint(image, FULL_STRENGTH), on_cpu)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, painting in {painter.dtype}")  # noqa: T201
    print(f"PSNR to float32 on the CPU: {agreement:.1f} dB")  # noqa: T201
    print(f"copying on the device: {speed / 1e12:.2f} TB/s\n")  # noqa: T201
    print("| | on the device | pictures/s | from memory and back | peak memory | traffic | share |")  # noqa: T201
    print("|---|---|---|---|---|---|---|")  # noqa: T201
    for name, size in SIZES.items():
        print(row(painter, name, size, speed), flush=True)  # noqa: T201
    there = torch.rand(1, 3, *SIZES["4K"], device="cuda")
    with profile(activities=[ProfilerActivity.CUDA]) as found:
        painter.paint(there, FULL_STRENGTH)
    kernels = found.key_averages()
    print("\n" + kernels.table(sort_by="cuda_time_total", row_limit=12, max_name_column_width=70))  # noqa: T201


if __name__ == "__main__":
    main()
