"""A painter's style learned from five pictures, and from each one of them, judged against a sixth.

    python benchmarks/several.py --images FOLDER --vgg FOLDER [--painter NAME]

The photographs are held out; painters with six pictures are few, and these have trained the weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean

import torch
from judge import judge, load_judge_vgg, open_picture
from split import held_out_photos
from torch import Tensor

from pstyle.cli.inputs import open_contents, perceptual
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import VGG, load_vgg
from pstyle.painting.painter import Painter
from pstyle.training.learning import LearnConfig, learn

COLUMNS = ("style_vgg", "style_swd", "ssim", "content_vgg")


def scores_of(paintings: list[Tensor], sixth: Tensor, photos: list[Tensor], judging: VGG) -> list[float]:
    """Mean scores, against the sixth, of photographs painted in the style of paintings."""
    config, generator, slim = LearnConfig(), load_generator(), load_vgg()
    contents = open_contents(None, config.size_px, config.seed)
    style = learn(paintings, contents, generator, slim, perceptual("loss", slim), config).style
    painter = Painter(style, generator, slim, "cpu")
    found = [judge(painter(photo), photo, [sixth], judging) for photo in photos]
    return [mean(scores[column] for scores in found) for column in COLUMNS]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Five pictures of a painter against each of them.")
    parser.add_argument("--images", type=Path, required=True, help="folder with paintings/ and photos/")
    parser.add_argument("--vgg", type=Path, required=True, help="folder with vgg19_relu3_1.safetensors")
    parser.add_argument("--painter", default="van_gogh", help="folder with at least six paintings")
    parser.add_argument("--photos", type=int, default=5, help="held-out photographs, 1 to 15")
    given = parser.parse_args()
    torch.set_num_threads(2)
    judging = load_judge_vgg(given.vgg)
    paths = sorted((given.images / "paintings" / given.painter).glob("*.jpg"))[:6]
    if len(paths) < 6:
        raise SystemExit(f"{given.painter} has {len(paths)} paintings, 6 are needed: choose another painter")
    *five, sixth = [open_picture(path) for path in paths]
    photos = [open_picture(path) for path in held_out_photos(given.images)[: given.photos]]
    print("| learned from | " + " | ".join(COLUMNS) + " |\n|---|" + "---|" * 4)  # noqa: T201
    rows = {path.stem: [painting] for path, painting in zip(paths, five, strict=False)} | {"all five": five}
    for name, paintings in rows.items():
        cells = [f"{value:.3f}" for value in scores_of(paintings, sixth, photos, judging)]
        print("| " + " | ".join([name, *cells]) + " |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
