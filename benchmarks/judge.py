"""Judge a stylized picture with the true VGG-19: one JSON line of scores, computed apart from every loss.

    python benchmarks/judge.py --vgg FOLDER OUTPUT CONTENT STYLE...

FOLDER has vgg19_relu3_1.safetensors (VGG-19 up to relu3_1, torchvision's names). Pictures are compared at a
short side of 512 px. style_vgg, style_swd, color and content_vgg: lower is better; ssim and edge_f1: higher.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pstyle.evaluation.metrics import score
from pstyle.nets.vgg import VGG, load_vgg

WEIGHTS = "vgg19_relu3_1.safetensors"
NAMES = {"style": "style_vgg", "patch_swd": "style_swd", "content": "content_vgg"}


def load_judge_vgg(folder: Path) -> VGG:
    """The VGG that judges. Raises ValueError for a file that is not VGG-19 at full width up to relu3_1."""
    vgg = load_vgg(folder / WEIGHTS)
    if (vgg.width, vgg.last) != (1.0, "relu3_1"):
        got = f"a VGG of width {vgg.width} up to {vgg.last}"
        raise ValueError(f"{WEIGHTS} holds {got}; judging needs width 1.0 up to relu3_1")
    return vgg


def open_picture(path: Path, short_side_px: int = 512) -> Tensor:
    """A picture file as (1, 3, H, W) in [0, 1], resized to the short side."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    factor = short_side_px / min(picture.size)
    size = tuple(round(side * factor) for side in picture.size)
    pixels = np.array(picture.resize(size, Image.Resampling.LANCZOS))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def judge(output: Tensor, content: Tensor, styles: Sequence[Tensor], judge_vgg: VGG) -> dict[str, float]:
    """Scores of one picture (1, 3, H, W) against its content and its styles, to four decimals."""
    found = score(output, content, styles, judge_vgg)
    return {NAMES.get(name, name): round(value, 4) for name, value in found.items()}


def main() -> None:
    """Print the scores of the pictures named on the command line."""
    parser = argparse.ArgumentParser(description="Judge a stylized picture with the true VGG-19.")
    parser.add_argument("--vgg", type=Path, required=True, help=f"folder that has {WEIGHTS}")
    parser.add_argument("output", type=Path)
    parser.add_argument("content", type=Path)
    parser.add_argument("style", type=Path, nargs="+")
    given = parser.parse_args()
    styles = [open_picture(path) for path in given.style]
    found = judge(open_picture(given.output), open_picture(given.content), styles, load_judge_vgg(given.vgg))
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main()
