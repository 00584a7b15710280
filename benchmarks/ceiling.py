"""How near a learned painter comes to its ceiling: the same loss, minimized over the picture itself.

    python benchmarks/ceiling.py --images FOLDER --vgg FOLDER [--count 3] [--size-px 256]

For each held-out pair of the split, L = style_weight * style + content + ... is measured with the shipped
loss network, for the photograph as it is, as the learned style paints it, and after 300 Adam steps on its
pixels, against that network and against VGG-19. Beside it stand the judge's scores, which tell what the
shipped network costs.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean

import torch
from judge import judge, load_judge_vgg, open_picture
from split import held_out_pairs
from torch import Tensor

from pstyle.losses.perceptual import Perceptual, perceptual_with
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import load_vgg
from pstyle.painting.painter import Painter
from pstyle.samples import content_pictures
from pstyle.training.learning import LearnConfig, learn
from pstyle.training.optimize import OptimizeConfig, aim, measure, optimize

TERMS = ("loss", "style", "content")
SCORES = ("style_vgg", "style_swd", "ssim", "content_vgg")
SCENES = 12


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="The loss after learning, against optimizing the picture.")
    parser.add_argument("--images", type=Path, required=True, help="folder with paintings/ and photos/")
    parser.add_argument("--vgg", type=Path, required=True, help="folder with vgg19_relu3_1.safetensors")
    parser.add_argument("--count", type=int, default=3, help="held-out pairs, 1 to 15")
    parser.add_argument("--size-px", type=int, default=256, help="short side of the painted photographs")
    parser.add_argument("--steps", type=int, default=300, help="Adam steps on the pixels")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    return parser.parse_args()


@torch.no_grad()
def terms_of(
    picture: Tensor, photo: Tensor, painting: Tensor, loss: Perceptual, config: OptimizeConfig
) -> dict[str, float]:
    """The loss of a picture (1, 3, H, W) and its terms."""
    found = measure(picture, aim(photo, [painting], [1.0], loss), loss, config)
    return {name: found[name].item() for name in TERMS}


def line(pair: str, method: str, terms: dict[str, float], best: float, scores: dict[str, float]) -> str:
    """One row of the table, with the loss relative to that of the optimized picture."""
    cells = [f"{terms[name]:.4f}" for name in TERMS] + [f"{terms['loss'] / best:.2f}"]
    return "| " + " | ".join([pair, method, *cells, *(f"{scores[name]:.3f}" for name in SCORES)]) + " |"


def main() -> None:
    """Print the table, pair by pair, and the mean ratio."""
    given = arguments()
    torch.set_num_threads(given.threads)
    learning = LearnConfig()
    config = OptimizeConfig(
        steps=given.steps,
        size_px=given.size_px,
        first_px=given.size_px,
        style_weight=learning.style_weight,
        gram_weight=learning.gram_weight,
        smooth_weight=learning.smooth_weight,
    )
    generator, slim, judging = load_generator(), load_vgg(), load_judge_vgg(given.vgg)
    loss, ratios = perceptual_with(slim), []
    columns = ["pair", "picture", *TERMS, "loss / optimized", *SCORES]
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))  # noqa: T201
    for painting_path, photo_path in held_out_pairs(given.images, given.count):
        painting, photo = open_picture(painting_path), open_picture(photo_path, given.size_px)
        seen = open_picture(painting_path, given.size_px)
        scenes = content_pictures(SCENES, learning.size_px, learning.seed)
        style = learn([painting], scenes, generator, slim, loss, learning).style
        pictures = {
            "photo": photo,
            "learned": Painter(style, generator, slim, "cpu")(photo),
            "optimized": optimize(photo, [seen], loss, config),
            "optimized, VGG-19": optimize(photo, [seen], perceptual_with(slim, judging), config),
        }
        found = {name: terms_of(image, photo, seen, loss, config) for name, image in pictures.items()}
        best = found["optimized"]["loss"]
        ratios.append(found["learned"]["loss"] / best)
        pair = f"{painting_path.parent.name}, {photo_path.stem}"
        for name, terms in found.items():
            scores = judge(pictures[name], photo, [seen], judging)
            print(line(pair, name, terms, best, scores), flush=True)  # noqa: T201
    print(f"learned / optimized, mean of {len(ratios)}: {mean(ratios):.2f}")  # noqa: T201


if __name__ == "__main__":
    main()
