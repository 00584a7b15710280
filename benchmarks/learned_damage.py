"""Learned damage: can a classifier tell pictures that a damage style damaged from real scans of that kind?

    python benchmarks/learned_damage.py --images FOLDER [--kinds film ...] [--practice scenes|photos]

Scans are photographs damaged by benchmarks/damage.py, which shares no code with the library. A style is
learned from five of them; ten other photographs are damaged by it, and a classifier is trained to tell these
from the scans, and judged on ten further scans and ten further photographs that nobody has seen, three times
over with new draws of the style. It is a logistic regression on features of the shipped loss network. 0.5 is
a guess; `undamaged` is the accuracy if the style did nothing, `floor` that between clean photographs. With
`--practice photos` ten more photographs serve as clean pictures.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import torch
from damage import KINDS, damage
from judge import open_picture
from torch import Tensor

from pstyle.core.seeding import generator_of
from pstyle.finetuning.two_sample_test import TwoSample, accuracy_afresh
from pstyle.image.resizing import resize_short_side
from pstyle.image.writing import save_image
from pstyle.nets.vgg import load_loss_vgg
from pstyle.restoration.damage.auxiliary_statistics import AuxiliaryStatistics, auxiliary_statistics
from pstyle.restoration.damage.damage_style import DamageStyle, describe_damage
from pstyle.restoration.damage.learning_damage import learn_damage
from pstyle.restoration.repair.restoring import RestorationPipeline

SIDE_PX, SCANS, UNSEEN, PRACTICE = 384, 5, 10, 10
DRAWS = 3  # of new damage by one style: casts are drawn, and a classifier knows them
HEAD = "kind | undamaged | learned | tones apart | grain ratio | marks/MP, new / scans | CPU s"


class Photos(NamedTuple):
    """Photographs (1, 3, H, W) by what they are for; none is there twice."""

    scanned: list[Tensor]
    unseen: list[Tensor]
    clean: list[Tensor]
    clean_unseen: list[Tensor]
    practice: list[Tensor]


def divided(folder: Path, seed: int) -> Photos:
    """Photographs of a folder at a short side of SIDE_PX, in an order that the seed draws."""
    files = sorted((folder / "photos").rglob("*.jpg"))
    random.Random(seed).shuffle(files)
    sizes = (SCANS, UNSEEN, UNSEEN, UNSEEN, PRACTICE)
    opened = [resize_short_side(open_picture(file), SIDE_PX) for file in files[: sum(sizes)]]
    opened = [picture[:, :, :SIDE_PX, :SIDE_PX] for picture in opened]
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    return Photos(*(opened[start : start + size] for start, size in zip(starts, sizes, strict=True)))


def made(style: DamageStyle, pictures: list[Tensor], seed: int) -> list[Tensor]:
    """Pictures damaged by a style."""
    rngs = [generator_of(seed, number) for number in range(len(pictures))]
    return [style.damage_pictures(one, rng).image for one, rng in zip(pictures, rngs, strict=True)]


def compared(found: AuxiliaryStatistics, wanted: AuxiliaryStatistics) -> str:
    """How far the statistics of new damage are from those of unseen scans."""
    tones = (found.tones - wanted.tones).abs().mean().item()
    grain = found.grain.deviation / max(wanted.grain.deviation, 1e-4)
    marks = [one.marks.dust_per_mp + one.marks.scratches_per_mp for one in (found, wanted)]
    return f"{tones:.3f} | {grain:.2f} | {marks[0]:.0f} / {marks[1]:.0f}"


def main() -> None:
    """Print a row for each kind, and write a picture of scans above new damage if asked."""
    parser = argparse.ArgumentParser(description="Learned damage against real scans of its kind.")
    parser.add_argument("--images", type=Path, required=True, help="folder with photos/")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--practice", choices=["scenes", "photos"], default="scenes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--look", type=Path, help="a .png to write")
    given = parser.parse_args()
    photos, judge, rows = divided(given.images, given.seed), load_loss_vgg(), []
    find_marks = RestorationPipeline().find_marks
    floor = accuracy_afresh(photos.scanned, photos.clean, photos.unseen, photos.clean_unseen, judge)
    print(f"floor {floor:.2f}")  # noqa: T201
    print(f"| {HEAD} |\n|" + "---|" * 7)  # noqa: T201
    for kind in given.kinds:
        scans = [damage(kind, picture, seed)[0] for seed, picture in enumerate(photos.scanned)]
        unseen = [damage(kind, picture, 100 + seed)[0] for seed, picture in enumerate(photos.unseen)]
        began = time.process_time()
        style = learn_damage(scans, clean=photos.practice if given.practice == "photos" else None)
        seconds = time.process_time() - began
        selection, shares = TwoSample(scans, unseen, judge), []
        undamaged = selection.two_sample_accuracy(photos.clean, photos.clean_unseen)
        for draw in range(DRAWS):
            known, fresh = made(style, photos.clean, 2 * draw), made(style, photos.clean_unseen, 2 * draw + 1)
            shares.append(selection.two_sample_accuracy(known, fresh))
        cells = f"{undamaged:.2f} | {mean(shares):.2f}"
        numbers = compared(*(auxiliary_statistics(pictures, find_marks) for pictures in (fresh, unseen)))
        print(f"| {kind} | {cells} | {numbers} | {seconds:.0f} |", flush=True)  # noqa: T201
        print(f"  {describe_damage(style)}", flush=True)  # noqa: T201
        rows += [torch.cat(unseen[:4], dim=3), torch.cat(fresh[:4], dim=3)]
        if given.look:
            save_image(given.look, torch.cat(rows, dim=2), overwrite=True)


if __name__ == "__main__":
    main()
