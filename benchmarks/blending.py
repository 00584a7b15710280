"""The way from one style to another: distances to both ends, at five places on it.

    python benchmarks/blending.py --images FOLDER --vgg FOLDER PAINTING=STYLE PAINTING=STYLE...

Every two of the styles are blended. On a good way the distance to the first painting rises and that to the
second falls from place to place, and nowhere is the patch distance to the nearer painting more than 1.5 times
what the better end has to its own. Somewhere on the way a picture is as far from the one painting as from the
other, by the triangle inequality half of their own distance or more: "at least" is what that makes.
"""

from __future__ import annotations

import argparse
from itertools import combinations, pairwise
from pathlib import Path
from statistics import mean

import torch
from judge import load_judge_vgg, open_picture
from split import held_out_photos
from torch import Tensor

from pstyle.evaluation.metrics import STYLE_LAYERS, patch_swd, style_score
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import load_vgg
from pstyle.painting.painter import Painter
from pstyle.style.blending import blend
from pstyle.style.style import load_style

PLACES = (0.0, 0.25, 0.5, 0.75, 1.0)


def main() -> None:
    """Print a row for each two styles."""
    parser = argparse.ArgumentParser(description="Blends of styles.")
    parser.add_argument("--images", type=Path, required=True, help="folder with paintings/ and photos/")
    parser.add_argument("--vgg", type=Path, required=True, help="folder with vgg19_relu3_1.safetensors")
    parser.add_argument("--count", type=int, default=4, help="held-out photographs, 1 to 15")
    parser.add_argument("styles", nargs="+", metavar="PAINTING=STYLE", help="painting and style file")
    given = parser.parse_args()
    judging, networks = load_judge_vgg(given.vgg), (load_generator(), load_vgg())
    photos = [open_picture(path) for path in held_out_photos(given.images)[: given.count]]
    named = [pair.partition("=")[::2] for pair in given.styles]
    ends = {
        name: (load_style(Path(path)), open_picture(given.images / f"paintings/{name}.jpg"))
        for name, path in named
    }

    @torch.inference_mode()
    def distances(pictures: list[Tensor], painting: Tensor) -> tuple[float, float]:
        target = judging(painting, STYLE_LAYERS)
        styles = [style_score(judging(picture, STYLE_LAYERS), target) for picture in pictures]
        return mean(styles), mean(patch_swd(picture, painting) for picture in pictures)

    heads = ["from, to", "style to the first", "to the second", "monotone", "worst SWD", "at least"]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")  # noqa: T201
    for (first, (a, painting_a)), (second, (b, painting_b)) in combinations(ends.items(), 2):
        to_first, to_second, nearer = [], [], []
        for place in PLACES:
            painter = Painter(blend([a, b], [1 - place, place]), *networks, "cpu")
            painted = [painter(photo) for photo in photos]
            near, far = distances(painted, painting_a), distances(painted, painting_b)
            to_first.append(near[0])
            to_second.append(far[0])
            nearer.append(min(near[1], far[1]))
        rises = all(x <= y for x, y in pairwise(to_first)), all(x >= y for x, y in pairwise(to_second))
        best = min(nearer[0], nearer[-1])
        least = patch_swd(painting_a, painting_b) / 2
        cells = [" ".join(f"{value:.3f}" for value in values) for values in (to_first, to_second)]
        cells += ["yes" if all(rises) else "no", f"{max(nearer) / best:.2f}", f"{least / best:.2f}"]
        print("| " + " | ".join([f"{first}, {second}", *cells]) + " |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
