"""How well one unseen painting is learned: scores on photographs and painters that trained nothing.

    python benchmarks/quality.py --images FOLDER --vgg FOLDER [--microast FOLDER] [--sheet FILE.png]

For each held-out pair of the split, a style is learned from the painting with the default settings and the
photograph is painted at a short side of 512 px. The judge compares the photograph as it is and with the
painting's mean and deviation of colors, the style only encoded (no steps), the style learned, and MicroAST
(arXiv 2211.15313) where its folder is given.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import torch
from judge import judge, load_judge_vgg, open_picture
from microast import load_microast, microast_painter
from split import held_out_pairs
from torch import Tensor

from pstyle.cli.inputs import open_contents, perceptual
from pstyle.image.colors import lab_to_rgb, rgb_to_lab
from pstyle.image.writing import save_image
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import load_vgg
from pstyle.painting.painter import Painter
from pstyle.plots.contact_sheet import contact_sheet
from pstyle.style.style import save_style
from pstyle.training.learning import LearnConfig, learn

COLUMNS = ("style_vgg", "style_swd", "ssim", "content_vgg", "color", "edge_f1")
TARGETS = """targets, all at once, for style_vgg, style_swd, ssim, content_vgg:
encode only 0.080, 0.045, 0.58, 0.70; learned, in under 60 s: 0.040, 0.028, 0.62, 0.62;
learned, at the least and in under 90 s: 0.080, 0.040, 0.58"""

Paint = Callable[[Tensor], Tensor]
Method = Callable[[Tensor], Paint]  # painting (1, 3, H, W) -> painter


@dataclass(frozen=True)
class Result:
    """One method on one pair: its picture, the judge's scores, and the seconds until it could paint."""

    pair: str
    method: str
    picture: Tensor
    scores: dict[str, float]
    seconds: float


def parser_of(description: str) -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--images", type=Path, required=True, help="folder with paintings/, photos/, textures/"
    )
    parser.add_argument(
        "--vgg", type=Path, required=True, help="folder with the judge's vgg19_relu3_1.safetensors"
    )
    parser.add_argument("--microast", type=Path, help="folder of a checkout of EndyWon/MicroAST")
    parser.add_argument("--count", type=int, default=8, help="held-out pairs, 1 to 15")
    parser.add_argument("--steps", type=int, help="steps of learning; the default setting if not given")
    parser.add_argument("--contents", nargs="+", help="photographs to learn on; drawn scenes if not given")
    parser.add_argument("--loss-vgg", default="loss", help="file of the VGG of the losses, as in learn --vgg")
    parser.add_argument("--generator", type=Path, help="generator to use in place of the shipped one")
    parser.add_argument("--slim", type=Path, help="slim VGG to use in place of the shipped one")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--save", type=Path, help="folder to write the learned styles into, one a painter")
    parser.add_argument("--sheet", type=Path, help="PNG to write: every picture with its scores")
    return parser


def learner(given: argparse.Namespace, steps: int | None) -> Method:
    """Learning as a method: from a painting to our painter of it."""
    config = LearnConfig() if steps is None else LearnConfig(steps=steps)
    generator, slim = load_generator(given.generator), load_vgg(given.slim)
    loss = perceptual(given.loss_vgg, slim)
    contents = open_contents(given.contents, config.size_px, config.seed)

    def method(painting: Tensor) -> Paint:
        learned = learn([painting], contents, generator, slim, loss, config)
        return Painter(learned.style, generator, slim, "cpu")

    return method


def color_transfer(painting: Tensor) -> Paint:
    """Mean and deviation of the painting's Lab colors given to a photograph: no stroke, and no network."""
    deviation, average = torch.std_mean(rgb_to_lab(painting), (2, 3), keepdim=True)

    def paint(photo: Tensor) -> Tensor:
        found = rgb_to_lab(photo)
        own_deviation, own_average = torch.std_mean(found, (2, 3), keepdim=True)
        return lab_to_rgb((found - own_average) / own_deviation * deviation + average).clamp(0, 1)

    return paint


def methods_of(given: argparse.Namespace) -> dict[str, Method]:
    """Every row of the table by name."""
    methods: dict[str, Method] = {
        "photo": lambda painting: lambda photo: photo,
        "colors only": color_transfer,
        "encode only": learner(given, steps=0),
        "learned": learner(given, given.steps),
    }
    if given.microast:
        networks = load_microast(given.microast)
        methods["MicroAST"] = lambda painting: microast_painter(networks, painting)
    return methods


def line(pair: str, method: str, scores: dict[str, float], seconds: float) -> str:
    """One row of the table."""
    cells = [f"{scores[name]:.4f}" for name in COLUMNS]
    return "| " + " | ".join([pair, method, *cells, f"{seconds:.1f}"]) + " |"


def averages(results: Sequence[Result], methods: Sequence[str]) -> list[str]:
    """The mean row of each method."""
    rows = []
    for method in methods:
        own = [result for result in results if result.method == method]
        scores = {name: mean(result.scores[name] for result in own) for name in COLUMNS}
        rows.append(line(f"mean of {len(own)}", method, scores, mean(result.seconds for result in own)))
    return rows


def shown(result: Result) -> list[str]:
    """The scores that a caption shows: style, patches and structure."""
    return [f"{result.scores[name]:.3f}" for name in COLUMNS[:3]]


def write_sheet(path: Path, paintings: Sequence[Tensor], results: Sequence[Result]) -> None:
    """Every painting, and its photograph as each method paints it, with the scores that have a target."""
    count = len(results) // len(paintings)
    rows, labels = [], []
    for index, painting in enumerate(paintings):
        own = results[index * count : (index + 1) * count]
        rows.append([painting, *(result.picture for result in own)])
        labels.append([own[0].pair, *(f"{result.method}: {' / '.join(shown(result))}" for result in own)])
    save_image(path, contact_sheet(rows, labels, cell_px=320), overwrite=True)


def measured(given: argparse.Namespace, methods: dict[str, Method]) -> tuple[list[Tensor], list[Result]]:
    """The paintings, and every method on every pair; prints each row when it is known."""
    judging = load_judge_vgg(given.vgg)
    paintings, results = [], []
    print("| " + " | ".join(["pair", "method", *COLUMNS, "seconds"]) + " |")  # noqa: T201
    print("|" + "---|" * (len(COLUMNS) + 3))  # noqa: T201
    for painting_path, photo_path in held_out_pairs(given.images, given.count):
        painting, photo = open_picture(painting_path), open_picture(photo_path)
        paintings.append(painting)
        for name, method in methods.items():
            start = time.perf_counter()
            paint = method(painting)
            seconds = time.perf_counter() - start
            picture = paint(photo)
            if given.save and name == "learned":
                save_style(
                    given.save / f"{painting_path.parent.name}.safetensors", paint.style, overwrite=True
                )
            pair = f"{painting_path.parent.name}, {photo_path.stem}"
            results.append(Result(pair, name, picture, judge(picture, photo, [painting], judging), seconds))
            print(line(pair, name, results[-1].scores, seconds), flush=True)  # noqa: T201
    return paintings, results


def main() -> None:
    """Print the table, pair by pair and in the mean, and write the sheet."""
    given = parser_of("Scores of styles learned from unseen paintings.").parse_args()
    torch.set_num_threads(given.threads)
    methods = methods_of(given)
    paintings, results = measured(given, methods)
    print("\n".join([*averages(results, list(methods)), "", TARGETS]))  # noqa: T201
    if given.sheet:
        write_sheet(given.sheet, paintings, results)


if __name__ == "__main__":
    main()
