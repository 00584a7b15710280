"""Does adversarial fine-tuning win? Ten artists, each learned from some pictures and fine-tuned on them.

    python benchmarks/finetuning.py --images FOLDER [--vgg FOLDER] [--artists van_gogh oil ...]
        [--plain] [--control]

Painters are folders of `paintings`; procedural artists paint training photographs. Of each, up to five
pictures are learned from. A row tells what the run itself accepts or not and why, by pictures its
discriminator never saw, then the same numbers on what no part of the run saw: other pictures of the artist,
and held-out photographs. What a run is judged and driven by are features of the shipped network for losses;
with --vgg (FOLDER as benchmarks/judge.py says) the last two columns tell what classifiers on VGG-19 itself
tell right, of what no part of the run saw and of what the run held out. --control leaves the discriminator
out (adversarial ratio 0): what more steps alone would do.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import torch
from judge import load_judge_vgg, open_picture
from split import held_out_photos, training_photos
from torch import Tensor

from pstyle.evaluation.metrics import pooled_patch_swd, ssim
from pstyle.finetuning.finetune_config import FinetuneConfig
from pstyle.finetuning.finetuning import Finetuning
from pstyle.finetuning.two_sample_test import TwoSample, accuracy_afresh
from pstyle.losses.perceptual import perceptual_with
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import VGG, load_loss_vgg, load_vgg
from pstyle.painting.painter import Painter
from pstyle.samples import ARTISTS, content_pictures, paint_as
from pstyle.style.style import Style
from pstyle.training.learning import LearnConfig, learn

LEARNED, SIDE_PX, PHOTOS = 5, 512, 6
CONTENTS = 16  # drawn scenes, and as many photographs
PAINTERS = ("van_gogh", "cezanne", "monet", "renoir", "rembrandt")
PROCEDURAL = ("oil", "hatching", "watercolor", "charcoal", "pointillism")


def pictures_of(artist: str, images: Path) -> tuple[list[Tensor], list[Tensor]]:
    """Pictures to learn from, and others."""
    if artist in ARTISTS:
        photos = [
            open_picture(path)[..., :SIDE_PX, :SIDE_PX] for path in training_photos(images)[: LEARNED + 4]
        ]
        found = [paint_as(artist, photo.clamp(0, 1), seed) for seed, photo in enumerate(photos)]
    else:
        found = [open_picture(path) for path in sorted((images / "paintings" / artist).glob("*.jpg"))]
    count = min(LEARNED, len(found) - 1)
    return found[:count], found[count:]


def contents_of(images: Path) -> list[Tensor]:
    """Drawn scenes, then photographs, as contents to practice on."""
    photos = training_photos(images)[20:][:CONTENTS]
    drawn = content_pictures(CONTENTS, SIDE_PX, 0)
    return [*drawn, *(open_picture(path)[..., :SIDE_PX, :SIDE_PX] for path in photos)]


def scores(
    style: Style, known: list[Tensor], others: list[Tensor], photos: list[Tensor], judges: Sequence[VGG]
) -> list[float]:
    """Patch distance to other pictures, SSIM, and the shares that classifiers trained afresh tell right."""
    painter = Painter(style, load_generator(), load_vgg(), "cpu")
    painted = [painter(photo) for photo in photos]
    half = len(photos) // 2
    told = [accuracy_afresh(known, painted[:half], others, painted[half:], judge) for judge in judges]
    far = pooled_patch_swd(painted, others)
    return [far, mean(ssim(one, photo) for one, photo in zip(painted, photos, strict=True)), *told]


def main() -> None:
    """Print a row for each artist."""
    parser = argparse.ArgumentParser(description="Adversarial fine-tuning on ten artists.")
    parser.add_argument("--images", type=Path, required=True, help="folder with paintings/ and photos/")
    parser.add_argument("--vgg", type=Path, help="folder with VGG-19's weights, to judge by them as well")
    parser.add_argument("--artists", nargs="+", default=[*PAINTERS, *PROCEDURAL])
    parser.add_argument("--steps", type=int, default=FinetuneConfig().steps)
    parser.add_argument("--plain", action="store_true", help="play against the plain discriminator")
    parser.add_argument("--control", action="store_true", help="without a discriminator's gradient")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    generator, slim = load_generator(), load_vgg()
    vgg19 = [load_judge_vgg(given.vgg)] if given.vgg else []
    judges = [load_loss_vgg(), *vgg19]
    perceptual = perceptual_with(slim)
    photos = [open_picture(path) for path in held_out_photos(given.images)[:PHOTOS]]
    contents = contents_of(given.images)
    changes = {"discriminator": "plain"} if given.plain else {}
    changes |= {"adversarial_ratio": 0.0} if given.control else {}
    config = FinetuneConfig(steps=given.steps, **changes)
    heads = ["artist", "seconds", "verdict", "unseen: patch SWD", "SSIM", "told right"]
    heads += ["unseen: told right by VGG-19", "held out: told right by VGG-19"] if vgg19 else []
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")  # noqa: T201
    for artist in given.artists:
        known, others = pictures_of(artist, given.images)
        style = learn(known, contents, generator, slim, perceptual, LearnConfig()).style
        start = time.perf_counter()
        run = Finetuning(style, known, contents, generator, slim, perceptual, config)
        run.run()
        found, seconds = run.result(), time.perf_counter() - start
        tuned = run.best.style(style.provenance)
        before, after = (scores(one, known, others, photos, judges) for one in (style, tuned))
        for network in vgg19:
            run.validator.two_sample = TwoSample(
                run.training.reals, run.validation.styles, network, config.seed
            )
            before, after = ([*a, b] for a, b in zip((before, after), run.two_sample_accuracy(), strict=True))
        cells = [f"{a:.3f} to {b:.3f}" for a, b in zip(before, after, strict=True)]
        print("| " + " | ".join([artist, f"{seconds:.0f}", found.verdict, *cells]) + " |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
