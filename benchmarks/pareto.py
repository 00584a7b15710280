"""Style against content: every style weight at every strength, and MicroAST, on held-out pairs.

    python benchmarks/pareto.py --images FOLDER --vgg FOLDER [--microast FOLDER] [--figure FILE.png]

A point is in front if no other has both less style distance and less content distance.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

import torch
from judge import judge, load_judge_vgg, open_picture
from microast import load_microast, microast_painter
from split import held_out_pairs
from torch import Tensor

from pstyle.cli.inputs import open_contents, perceptual
from pstyle.image.writing import save_image
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import load_vgg
from pstyle.painting.painter import Painter
from pstyle.plots.axis import Axis
from pstyle.plots.canvas import Canvas
from pstyle.plots.chart import COLORS, INK, TICK_PX, at, draw_axes
from pstyle.style.paint_settings import PaintSettings
from pstyle.training.learning import LearnConfig, learn

COLUMNS = ("style_vgg", "style_swd", "ssim", "content_vgg")
Point = tuple[str, list[float]]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Style against content.")
    parser.add_argument("--images", type=Path, required=True, help="folder with paintings/ and photos/")
    parser.add_argument("--vgg", type=Path, required=True, help="folder with vgg19_relu3_1.safetensors")
    parser.add_argument("--microast", type=Path, help="folder of a checkout of EndyWon/MicroAST")
    parser.add_argument("--count", type=int, default=8, help="held-out pairs, 1 to 15")
    parser.add_argument("--weights", type=float, nargs="+", default=[5.0, 10.0, 20.0], help="style weights")
    parser.add_argument("--strengths", type=float, nargs="+", default=[0.6, 0.8, 1.0], help="strengths")
    parser.add_argument("--figure", type=Path, help="PNG to write")
    return parser.parse_args()


def pictures(given: argparse.Namespace, painting: Tensor, photo: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Every point's name with its picture."""
    generator, slim = load_generator(), load_vgg()
    for weight in given.weights:
        config = LearnConfig(style_weight=weight)
        contents = open_contents(None, config.size_px, config.seed)
        learned = learn([painting], contents, generator, slim, perceptual("loss", slim), config)
        painter = Painter(learned.style, generator, slim, "cpu")
        for strength in given.strengths:
            yield (
                f"style weight {weight:g}, strength {strength:g}",
                painter(photo, PaintSettings(strength=strength)),
            )
    if given.microast:
        yield "MicroAST", microast_painter(load_microast(given.microast), painting)(photo)


def in_front(points: list[Point]) -> set[str]:
    """Names of the points that no other beats in both style and content."""
    return {
        name
        for name, own in points
        if not any(other[0] < own[0] and other[3] < own[3] for _, other in points)
    }


def draw(path: Path, points: list[Point], front: set[str]) -> None:
    """The points in a plane; those in front are filled."""
    canvas, box = Canvas(840, 600), (74, 24, 820, 540)
    style, content = ([values[column] for _, values in points] for column in (0, 3))
    x, y = Axis.around(content, margin=0.12), Axis.around(style, margin=0.12)
    draw_axes(canvas, box, x, y, "Content distance (relu3_1)", "Style distance (VGG-19)", 12)
    for name, values in points:
        column, row = at(box, x, y, (values[3], values[0]))
        color = COLORS[3] if name == "MicroAST" else COLORS[0]
        canvas.dot(column, row, 5.5, color)
        if name not in front:
            canvas.dot(column, row, 3.5, "white")
        short = name.replace("style weight ", "w ").replace("strength ", "s ")
        canvas.text(column + 9, row - 4, short, TICK_PX, INK, "ls", halo=True)
    save_image(path, canvas.picture(), overwrite=True)


def main() -> None:
    """Print the table of means, and draw it."""
    given = arguments()
    torch.set_num_threads(2)
    judging, found = load_judge_vgg(given.vgg), {}
    for painting_path, photo_path in held_out_pairs(given.images, given.count):
        painting, photo = open_picture(painting_path), open_picture(photo_path)
        for name, picture in pictures(given, painting, photo):
            scores = judge(picture, photo, [painting], judging)
            found.setdefault(name, []).append([scores[column] for column in COLUMNS])
    points = [(name, [mean(values) for values in zip(*rows, strict=True)]) for name, rows in found.items()]
    front = in_front(points)
    print("| point | " + " | ".join(COLUMNS) + " | in front |\n|---|" + "---|" * 5)  # noqa: T201
    for name, values in points:
        cells = [f"{value:.3f}" for value in values]
        print("| " + " | ".join([name, *cells, "yes" if name in front else ""]) + " |")  # noqa: T201
    if given.figure:
        draw(given.figure, points, front)


if __name__ == "__main__":
    main()
