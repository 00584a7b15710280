"""Painting of any size: memory and time from file to file, tiles against the whole, large against preview.

    python benchmarks/any_size.py STYLE.safetensors memory 2048x2048 4096x2048 8192x2048 16384x2048 8192x8192
    python benchmarks/any_size.py STYLE.safetensors tiles PHOTO...
    python benchmarks/any_size.py STYLE.safetensors look PHOTO...

`memory` paints a drawn scene of each size, repeated, in a process of its own, from PNG to PNG: its
peak is VmHWM (Linux), its time that of painting without the start. `tiles` paints photographs whole and in
tiles, in float32, and compares them and their gradients across seams with those beside. `look` paints
photographs at a quarter of their size as a preview and at their own with that look, and compares the two at
the preview's size; beside it the painting that has strokes of its own size.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch import Tensor

from pstyle.evaluation.metrics import patch_swd, ssim
from pstyle.image.reading import open_image
from pstyle.image.resizing import resize_short_side, resize_to
from pstyle.nets.generator import STRIDE, load_generator
from pstyle.nets.vgg import load_vgg
from pstyle.painting.paint import SizeConfig, paint
from pstyle.painting.painter import Painter
from pstyle.painting.sources import InMemory, loaded
from pstyle.painting.tiled import painting
from pstyle.samples import content_pictures
from pstyle.style.paint_settings import PaintSettings
from pstyle.style.style import load_style

OWN_SIZE = SizeConfig(look_size_px=0)
SEAM_TILE_PX = 256
PREVIEW_SHARE = 4

PAINT_FILE = """
import json, sys, time
import torch
torch.set_num_threads(int(sys.argv[5]))
from pathlib import Path
from pstyle import load_painter
from pstyle.painting.paint import SizeConfig, painted
from pstyle.painting.streaming import paint_file
from pstyle.style.paint_settings import PaintSettings
painter, size = load_painter(sys.argv[1], device="cpu"), SizeConfig(look_size_px=int(sys.argv[4]))
start = time.perf_counter()
paint_file(Path(sys.argv[2]), Path(sys.argv[3]), lambda source: painted(source, painter, Look(), size=size))
seconds = time.perf_counter() - start
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"mib": peak / 1024, "seconds": seconds, "dtype": str(painter.dtype)}))
"""


def memory(style: Path, sizes: list[str], look_size_px: int, threads: int) -> None:
    """Peak memory and time of each size, by pixels."""
    scene = content_pictures(1, 512, seed=0)[0]
    for size in sizes:
        width, height = (int(side) for side in size.split("x"))
        with tempfile.TemporaryDirectory() as folder:
            files = [str(Path(folder) / name) for name in ("in.png", "out.png")]
            write_repeated(files[0], scene, height, width)
            command = [sys.executable, "-c", PAINT_FILE, str(style), *files, str(look_size_px), str(threads)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
        each = found["seconds"] / (width * height / 1e6)
        print(  # noqa: T201
            f"{size:>12}  peak {found['mib']:.0f} MiB  {found['seconds']:.1f} s  {each:.3f} s a megapixel  "
            f"{found['dtype']}, {threads} threads, look_size_px {look_size_px}"
        )


def write_repeated(path: str, scene: Tensor, height: int, width: int) -> None:
    """A scene repeated to a size, as PNG, without holding it."""
    import pyvips

    pixels = scene[0].mul(255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    tile = pyvips.Image.new_from_array(pixels, interpretation="srgb")
    repeats = -(-width // tile.width), -(-height // tile.height)
    tile.replicate(*repeats).crop(0, 0, width, height).pngsave(path, compression=1)


def tiles(painter: Painter, photos: list[Path]) -> None:
    """The largest difference between tiles and the whole, and gradients across seams by those beside them."""
    for path in photos:
        photo = open_image(path)
        for look in (PaintSettings(), PaintSettings(strength=0.5)):
            whole = painter(photo, look, size=OWN_SIZE)
            found = loaded(painting(painter, InMemory(photo), look, SEAM_TILE_PX), SEAM_TILE_PX)
            difference = (found - whole).abs().max().item()
            print(  # noqa: T201
                f"{path.stem:32} strength {look.strength}: tiles differ by {difference:.1e}, seam ratio "
                f"{seam_ratio(found):.3f} (whole {seam_ratio(whole):.3f})"
            )


def seam_ratio(painted: Tensor) -> float:
    """Mean gradient across the seams of tiles by that of columns and rows beside them, at the same place in
    the generator's stride: not all of these are equally steep, with tiles or without.
    """
    across, beside = [], []
    for dim in (2, 3):
        steps = painted.diff(dim=dim).abs().mean([0, 1, 5 - dim])
        for seam in range(SEAM_TILE_PX, painted.shape[dim] - 4 * STRIDE, SEAM_TILE_PX):
            across.append(steps[seam - 1])
            beside.append(torch.stack([steps[seam - 1 + k * STRIDE] for k in (-3, -2, -1, 1, 2, 3)]).mean())
    return (sum(across) / sum(beside)).item()


def look(painter: Painter, photos: list[Path]) -> None:
    """Large paintings made small again against their previews."""
    for path in photos:
        photo = open_image(path)
        short = min(photo.shape[2:]) // PREVIEW_SHARE
        preview = painter(resize_short_side(photo, short))
        large = paint(photo, painter, size=SizeConfig(look_size_px=short))
        for name, found in (("look_size_px", large), ("own size", painter(photo, size=OWN_SIZE))):
            found = resize_to(found, *preview.shape[2:])
            scores = f"SSIM {ssim(found, preview):.3f}, patch SWD {patch_swd(found, preview):.4f}"
            print(f"{path.stem:32} {name:14} {scores}")  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("style", type=Path)
    parser.add_argument("what", choices=("memory", "tiles", "look"))
    parser.add_argument("items", nargs="+", help="sizes such as 8192x8192, or photographs")
    parser.add_argument("--look-size-px", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    if arguments.what == "memory":
        return memory(arguments.style, arguments.items, arguments.look_size_px, arguments.threads)
    style = load_style(arguments.style)
    painter = Painter(style, load_generator(), load_vgg(), "cpu", torch.float32)
    {"tiles": tiles, "look": look}[arguments.what](painter, [Path(item) for item in arguments.items])


if __name__ == "__main__":
    main()
