"""How well the eyes of stereo pairs agree after painting. A style and pair a row.

    python benchmarks/stereo.py STYLE.safetensors... [--out FOLDER]

The right eye's painting is brought to the left one by the true disparity, bilinear, and compared where
nothing hides it (mean absolute error and root mean square). "before" is the pair before painting; "apart"
each eye painted as a picture of its own; "together" both painted as a pair, their disparity found from the
pictures; "told" with the true disparity given. ratio is the mean error over that before, saved how much less
it is than apart. sharp is the mean slope of the right eye's painting over that of the left one's: 1 is as
sharp.

The pairs are scikit-image's motorcycle (Scharstein et al., GCPR 2014), whose disparity was measured, and a
procedural one, whose disparity is exact.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from skimage import data
from torch import Tensor
from worlds import StereoPair, stereo_pair

from pstyle.image.writing import save_image
from pstyle.painting.painter import load_painter
from pstyle.style.paint_settings import PaintSettings
from pstyle.vr.disparity import match_of_disparity
from pstyle.vr.stereo import match_of, paint_eyes


def motorcycle() -> StereoPair:
    """The Middlebury pair that comes with scikit-image; not finite where its disparity was not measured."""
    left, right, disparity = data.stereo_motorcycle()
    eyes = (torch.from_numpy(eye.copy()).permute(2, 0, 1)[None].float() / 255 for eye in (left, right))
    return StereoPair(*eyes, torch.from_numpy(disparity.copy()).float()[None, None])


def disagreement(left: Tensor, right: Tensor, disparity: Tensor) -> tuple[float, float]:
    """Mean absolute error and root mean square error of the right eye brought to the left one."""
    height, width = disparity.shape[2:]
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    known = disparity[0, 0].isfinite()
    shift = disparity[0, 0].nan_to_num(0, 0, 0)
    landing = columns - shift
    seen = known & (landing >= 0) & (landing <= width - 1)
    place = rows * width + landing.round().long().clamp(0, width - 1)
    nearest = torch.full((height * width,), -torch.inf)
    nearest.scatter_reduce_(0, place[seen], shift[seen], "amax")
    seen &= nearest[place] <= shift + 1
    grid = torch.stack([(2 * landing + 1) / width - 1, (2 * rows + 1) / height - 1], dim=-1)[None].float()
    moved = F.grid_sample(right, grid, padding_mode="border", align_corners=False)
    error = (moved - left)[..., seen]
    return error.abs().mean().item(), error.square().mean().sqrt().item()


def sharpness(image: Tensor) -> float:
    """Mean slope along rows."""
    return (image[..., 1:] - image[..., :-1]).abs().mean().item()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("styles", nargs="+", metavar="STYLE.safetensors")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where to write the painted pairs")
    arguments = parser.parse_args()
    print(f"{'':30}    mae    rms  ratio  saved  sharp")  # noqa: T201
    for name, pair in (("motorcycle", motorcycle()), ("procedural", stereo_pair(480, 640))):
        before = disagreement(*pair)
        print(f"{name + ' before':30}{before[0]:7.4f}{before[1]:7.4f}")  # noqa: T201
        matches = {"together": match_of(pair.left, pair.right), "told": match_of_disparity(pair.disparity)}
        for style in arguments.styles:
            painter = load_painter(style, "cpu")
            paintings = {"apart": (painter(pair.left), painter(pair.right))}
            paintings |= {
                how: paint_eyes(painter, pair.left, pair.right, match, PaintSettings())
                for how, match in matches.items()
            }
            apart = disagreement(*paintings["apart"], pair.disparity)
            for how, eyes in paintings.items():
                error = disagreement(*eyes, pair.disparity)
                numbers = [*error, error[0] / before[0], 1 - error[0] / apart[0]]
                numbers += [sharpness(eyes[1]) / sharpness(eyes[0])]
                label = f"{name} {Path(style).stem} {how}"
                print(f"{label:30}" + "".join(f"{x:7.4f}" for x in numbers))  # noqa: T201
                if arguments.out:
                    path = arguments.out / f"{label.replace(' ', '_')}.png"
                    save_image(path, torch.cat(eyes, dim=3), overwrite=True)


if __name__ == "__main__":
    main()
