"""The example workflows: their names, settings that make each take no time, and the pictures they ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from skimage import data

from benchmarks.camera_moves import camera_move
from tests.conftest import ROOT, random_picture

EXAMPLES = ROOT / "example_workflows"
NAMES = (
    *("learn_and_paint", "load_and_paint", "taste_test", "finetune", "blend", "features", "paint_video"),
    *("paint_360", "paint_stereo", "restore_old_photo", "learn_damage"),
)
LEARNING = {"steps": 2, "size_px": 128, "crop_px": 64, "batch": 1}
FINETUNING = {"steps": 2, "warmup": 1, "size_px": 128, "crop_px": 64, "batch": 1}
QUICK: dict[str, dict[str, dict[str, Any]]] = {  # values by a node's class or title
    "learn_and_paint": {"PStyleLearn": LEARNING},
    "load_and_paint": {},
    "taste_test": {"PStyleTasteTest": {"apart": 0.0}},
    "finetune": {"PStyleFinetune": FINETUNING},
    "blend": {"Learn the first": LEARNING, "Learn the second": LEARNING | {"steps": 1}},
    "features": {},
    "paint_video": {},
    "paint_360": {},
    "paint_stereo": {},
    "restore_old_photo": {},
    "learn_damage": {
        "PStyleLearnDamage": {"rounds": 1, "practice": 2, "practice_px": 128},
        "PStyleLearnRestorer": {"steps": 1, "batch": 1, "size_px": 64},
    },
}
PHOTOGRAPHS = {"painting.png": data.coffee, "painting_2.png": data.astronaut, "photo.png": data.chelsea}
FRAMES = 3
SIZE = (96, 72)  # width and height in pixels
SPHERE = (96, 48)
SCANS, SCAN = {"scan.png": data.astronaut, "scan_2.png": data.coffee}, (160, 144)


def overrides(name: str) -> dict[str, Any]:
    """The quick settings of a workflow, as `pstyle run --set` takes them."""
    return {
        f"{node}.{field}": value for node, values in QUICK[name].items() for field, value in values.items()
    }


def write_pictures(folder: Path) -> None:
    """The pictures that the workflows load, small ones, into an input folder."""
    for name, photograph in PHOTOGRAPHS.items():
        Image.fromarray(photograph()).resize(SIZE).save(folder / name)
    Image.fromarray(data.camera()).resize(SIZE).save(folder / "old_photo.png")
    for number, (name, photograph) in enumerate(SCANS.items()):
        sepia(Image.fromarray(photograph()).resize(SCAN), number).save(folder / name)
    Image.fromarray(data.coffee()).resize(SPHERE).save(folder / "panorama.png")
    Image.fromarray(data.coffee()).resize(SIZE).save(folder / "stereo.png")
    frames = camera_move("pan", random_picture(torch.Generator().manual_seed(0), 90, 120), SIZE[::-1], FRAMES)
    first, *others = [Image.fromarray(np.uint8(frame[0].movedim(0, -1) * 255)) for frame in frames.frames]
    first.save(folder / "clip.webp", save_all=True, append_images=others, lossless=True)


def sepia(picture: Image.Image, seed: int) -> Image.Image:
    """A print of a picture: brown ink on yellow paper, and grain."""
    ink, paper = np.array([50, 38, 28]), np.array([230, 209, 168])
    gray = np.asarray(picture.convert("L"))[..., None] / 255
    grain = 8 * np.random.default_rng(seed).standard_normal(gray.shape)
    return Image.fromarray((ink + (paper - ink) * gray + grain).clip(0, 255).astype(np.uint8))
