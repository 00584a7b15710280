"""Time to paint a picture again after one setting has moved, with what is remembered of it and without.

    OMP_NUM_THREADS=1 python benchmarks/live_knobs.py STYLE --second OTHER_STYLE --photo PICTURE

For each setting, in turns: a first painting with an empty memory, a second after the setting has moved, and
that second one by a painter without a memory, which must be the same picture bit for bit. Counted is
processor time, which other programs change little; with several threads it is that of all of them.
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

from pstyle.core.activation_cache import ActivationCache
from pstyle.image.reading import open_image
from pstyle.image.resizing import resize_to
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import load_vgg
from pstyle.painting.paint import SizeConfig, paint
from pstyle.painting.painter import Painter
from pstyle.style.blending import blend
from pstyle.style.paint_settings import PaintSettings
from pstyle.style.style import Style, load_style

SIZE_PX = 1024
MOVES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "strength 0.5 to 0.6": ({"strength": 0.5}, {"strength": 0.6}),
    "strength 1 to 1.2": ({}, {"strength": 1.2}),
    "strength 1 to 0.9": ({}, {"strength": 0.9}),
    "keep_color, at strength 0.5": ({"strength": 0.5}, {"strength": 0.5, "keep_color": True}),
    "keep_color, at strength 1": ({}, {"keep_color": True}),
    "detail 0 to 0.4, at strength 1": ({}, {"detail": 0.4}),
    "stroke 1 to 1.5, at strength 0.5": ({"strength": 0.5}, {"strength": 0.5, "stroke": 1.5}),
    "stroke 1 to 1.5, at strength 1": ({}, {"stroke": 1.5}),
    "stroke 1 to 0.7, at strength 1": ({}, {"stroke": 0.7}),
    "blend 0.5 to 0.6, at strength 0.5": ({"strength": 0.5}, {"strength": 0.5}),
    "blend 0.5 to 0.6, at strength 1": ({}, {}),
}


def timed(make: Callable[[], Tensor]) -> tuple[float, Tensor]:
    """Processor seconds, and what came of them."""
    start = time.process_time()
    found = make()
    return time.process_time() - start, found


class Bench:
    """A photograph (1, 3, H, W), two styles and the networks that they share."""

    def __init__(self, photo: Tensor, styles: list[Style]) -> None:
        self.photo, self.styles = photo, styles
        self.networks = load_generator(), load_vgg()
        self.dtype = Painter(styles[0], *self.networks, "cpu").dtype
        self.memory = ActivationCache()

    def painter(self, style: Style, memory: ActivationCache | None) -> Painter:
        """A painter with nothing made in advance but the choice of its number format."""
        return Painter(style, *self.networks, "cpu", self.dtype, memory)

    def seconds(self, name: str, size: SizeConfig) -> tuple[float, float, float]:
        """Of a first painting, of the second, and of the second without a memory."""
        first, second = (PaintSettings(**settings) for settings in MOVES[name])
        shares = (0.5, 0.6) if name.startswith("blend") else (0.0, 0.0)
        styles = [blend(self.styles, [1 - share, share]) if share else self.styles[0] for share in shares]
        self.memory.clear()
        painter = self.painter(styles[0], self.memory)
        begun, _ = timed(lambda: paint(self.photo, painter, first, size=size))
        moved = (lambda: self.painter(styles[1], self.memory)) if shares[0] else lambda: painter
        again, found = timed(lambda: paint(self.photo, moved(), second, size=size))
        alone = self.painter(styles[1], None)
        without, expected = timed(lambda: paint(self.photo, alone, second, size=size))
        if not torch.equal(found, expected):
            raise AssertionError(f"{name}: what is remembered has changed the picture")
        return begun, again, without


def main() -> None:
    """Print a table for each look size."""
    parser = argparse.ArgumentParser(description="Time to paint again after one setting has moved.")
    parser.add_argument("style", type=Path, help="a style file")
    parser.add_argument("--second", type=Path, required=True, help="another, to blend with")
    parser.add_argument(
        "--photo", type=Path, required=True, help=f"a picture; painted at {SIZE_PX} px square"
    )
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts")
    parser.add_argument("--look-sizes", type=int, nargs="+", default=[SizeConfig.look_size_px, 0])
    given = parser.parse_args()
    photo = resize_to(open_image(given.photo), SIZE_PX, SIZE_PX)
    bench = Bench(photo, [load_style(given.style), load_style(given.second)])
    for look_size_px in given.look_sizes:
        size = SizeConfig(look_size_px=look_size_px)
        print(f"look_size_px {look_size_px}, {bench.dtype}, ms\n")  # noqa: T201
        print("| moved | first | second | of the first | without a memory | of it |")  # noqa: T201
        print("|---|---|---|---|---|---|")  # noqa: T201
        for name in MOVES:
            rounds = [bench.seconds(name, size) for _ in range(given.rounds + 1)][1:]
            first, second, alone = (statistics.median(values) for values in zip(*rounds, strict=True))
            cells = [f"{first * 1000:.0f}", f"{second * 1000:.0f}", f"{second / first:.2f}"]
            cells += [f"{alone * 1000:.0f}", f"{second / alone:.2f}"]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)  # noqa: T201
        print(f"\nkept: {bench.memory.bytes / 2**20:.0f} MiB\n")  # noqa: T201


if __name__ == "__main__":
    main()
