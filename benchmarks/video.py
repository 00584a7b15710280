"""Painted videos in numbers: flicker and sharpness on exact camera moves, time and memory of long ones.

    python benchmarks/video.py --images FOLDER STYLE.safetensors...
    python benchmarks/video.py --long 10000 STYLE.safetensors

The first prints a row for each style and camera move, over held-out photographs at 256x384 px: the warping
error of the video itself, and in parts of it that of frames painted one by one, that of the painted video,
and that of a single painting that the camera moves over, which is what linear interpolation alone makes of
the strokes; the painted video's error in parts of that of frames painted one by one; and its slopes and its
Laplacian in parts of theirs. The second paints a long video and tells what memory it takes.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import torch
import torch.nn.functional as F
from camera_moves import MOVES, Clip, camera_move
from judge import open_picture
from split import held_out_photos
from torch import Tensor

from pstyle.image.colors import luma
from pstyle.image.resizing import resize_short_side
from pstyle.painting.painter import Painter, load_painter
from pstyle.samples import content_pictures
from pstyle.video.container import Film, Part, film_of
from pstyle.video.flicker import sharpness, warping_error
from pstyle.video.resumable import paint_film
from pstyle.video.stabilizing import VideoConfig, VideoPainter, paint_video

COLUMNS = (
    *("style", "move", "own error", "one by one", "video", "rigid", "video / one by one"),
    *("slope", "Laplacian"),
)  # fmt: skip
SIZE = 256, 384
FRAMES = 8
SETTLED = FRAMES // 2  # from here on sharpness is taken: the first frames are not blended yet


def error(frames: Sequence[Tensor], clip: Clip) -> float:
    """Warping error by the exact motion."""
    return mean(warping_error(*step) for step in zip(frames, frames[1:], clip.flows, clip.seen, strict=False))


def laplacian(frame: Tensor) -> float:
    """Mean absolute Laplacian of the brightness: what blurring takes off first."""
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]).view(1, 1, 3, 3)
    return F.conv2d(luma(frame), kernel).abs().mean().item()


def scores(painter: Painter, photo: Tensor, move: str, noise: float, config: VideoConfig) -> list[float]:
    """Errors of the video, of frames painted one by one, of the painted video, of a painting moved over; then
    slopes and Laplacians of the second and the third.
    """
    clip = camera_move(move, photo, SIZE, FRAMES, noise)
    alone = [painter(frame) for frame in clip.frames]
    together = list(paint_video(painter, clip.frames, config=config))
    rigid = camera_move(move, painter(photo), SIZE, FRAMES).frames
    errors = [error(frames, clip) for frames in (clip.frames, alone, together, rigid)]
    pairs = itertools.product((sharpness, laplacian), (alone, together))
    return errors + [mean(map(measure, frames[SETTLED:])) for measure, frames in pairs]


def table(given: argparse.Namespace) -> None:
    """Print the rows of every style."""
    photos = [resize_short_side(open_picture(path), 400) for path in held_out_photos(given.images)]
    photos = [photo for photo in photos if photo.shape[3] > 440][: given.count]
    config = VideoConfig(**{name: getattr(given, name) for name in ("smoothing", "blend")})
    print(f"{len(photos)} photographs, {FRAMES} frames, sensor noise {given.noise}, {config}")  # noqa: T201
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))  # noqa: T201
    for path, move in itertools.product(given.styles, MOVES):
        painter = load_painter(path, device="cpu")
        found = [scores(painter, photo, move, given.noise, config) for photo in photos]
        own, alone, together, rigid, *sharp = map(mean, zip(*found, strict=True))
        cells = [f"{own:.6f}", *(f"{value / own:.2f}" for value in (alone, together, rigid))]
        cells += [f"{together / alone:.2f}", f"{sharp[1] / sharp[0]:.3f}", f"{sharp[3] / sharp[2]:.3f}"]
        print("| " + " | ".join([path.stem, move, *cells]) + " |", flush=True)  # noqa: T201


def long(given: argparse.Namespace) -> None:
    """Write a film of a slow pan to and fro over a scene, paint it, and print memory on the way."""
    scene = content_pictures(1, 90, seed=1)[0]
    video = VideoPainter(load_painter(given.styles[0], device="cpu"))
    with TemporaryDirectory() as folder:
        source = Path(folder) / "in.nut"
        raw = Part(Film(source, given.long, Fraction(25), Fraction(1, 25), Fraction(1)))
        for number in range(given.long):
            left = abs(number % 80 - 40)
            raw.add(scene[..., 20:52, left : left + 48].contiguous(), number)
        source.write_bytes(raw.encoded())
        del raw
        start = time.monotonic()

        def tell(done: int) -> None:
            if done in (100, 1000) or done % max(1, given.long // 5) == 0:
                each = (time.monotonic() - start) / done * 1000
                print(f"{done} frames: {resident_mib():.1f} MiB, {each:.0f} ms a frame", flush=True)  # noqa: T201

        target = Path(folder) / "out.mp4"
        frames = paint_film(video, film_of(source), target, Path(folder) / "work", on_frame=tell)
        print(f"{frames} frames in {target.stat().st_size} bytes: {resident_mib():.1f} MiB")  # noqa: T201


def resident_mib() -> float:
    """Memory of this process, on Linux."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Print the table, or the memory of a long video."""
    parser = argparse.ArgumentParser(description="Flicker of painted videos.")
    parser.add_argument("--images", type=Path, help="folder with photos/")
    parser.add_argument("--count", type=int, default=4, help="held-out photographs")
    parser.add_argument("--noise", type=float, default=0.01, help="deviation of the sensor's noise")
    parser.add_argument("--blend", type=float, default=VideoConfig.blend)
    parser.add_argument("--smoothing", type=float, default=VideoConfig.smoothing)
    parser.add_argument("--long", type=int, metavar="FRAMES", help="paint so many frames and tell the memory")
    parser.add_argument("styles", type=Path, nargs="+", help="style files")
    given = parser.parse_args()
    if given.long:
        long(given)
    else:
        table(given)


if __name__ == "__main__":
    main()
