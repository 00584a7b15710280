"""What a painting must not have: checkerboards, frames, halos, holes of color. One number for each, a style a
row.

    python benchmarks/artifacts.py --images FOLDER STYLE.safetensors...

* checkerboard: energy at the Nyquist frequencies over that of their neighbors, in flat blocks of the painted
  held-out photographs, divided by the same of the photographs themselves. A grid is a peak; grain is none.
* frame: mean error against the photograph in the outer 8 px over that in the 32 px within them.
* halo: brightness just outside a dark disk on a light ground, and just inside it, against that farther away,
  in parts of the disk's contrast.
* holes: share of a painted clear sky that lies more than 15 (CIE Lab, blurred by 6 px) from its median color.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import torch
import torch.nn.functional as F
from judge import open_picture
from split import held_out_photos
from torch import Tensor

from pstyle.evaluation.metrics import lab
from pstyle.image.colors import luma
from pstyle.painting.painter import Painter, load_painter

BLOCK_PX = 32
FLAT = 0.02  # deviation of the luma of a block that counts as flat
SIDE_PX = 512


def nyquist_peak(image: Tensor, flat: Tensor) -> float:
    """Energy at the Nyquist frequencies of flat blocks, over the mean of those three and four steps off."""
    blocks = _blocks(image)[flat]
    window = torch.hann_window(BLOCK_PX)
    blocks = (blocks - blocks.mean((1, 2), keepdim=True)) * window[:, None] * window
    power = torch.fft.fft2(blocks).abs().square().mean(0)  # (32, 32)
    half, near = BLOCK_PX // 2, (-4, -3, 3, 4)  # a Hann window spreads a peak over three frequencies
    peaks, around = [], []
    for y, x in ((0, half), (half, 0), (half, half)):
        peaks.append(power[y, x])
        around += [power[(y + step) % BLOCK_PX, x] for step in near if y] or []
        around += [power[y, (x + step) % BLOCK_PX] for step in near if x] or []
    return (torch.stack(peaks).mean() / torch.stack(around).mean()).item()


def flat_blocks(photo: Tensor) -> Tensor:
    """Which blocks of a photograph (1, 3, H, W) are flat."""
    return _blocks(photo).flatten(1).std(1) < FLAT


def frame(painted: Tensor, photo: Tensor) -> float:
    """Error in the outer 8 px over that in the next 32 px, of pictures (1, 3, H, W)."""
    error = (painted - photo).abs().mean(1)[0]
    depth = torch.ones_like(error)
    height, width = error.shape
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    depth = torch.minimum(torch.minimum(rows, height - 1 - rows), torch.minimum(columns, width - 1 - columns))
    return (error[depth < 8].mean() / error[(depth >= 8) & (depth < 40)].mean()).item()


def halo(painter: Painter) -> float:
    """The larger of the two halos around the edge of a dark disk on a light ground."""
    rows = torch.arange(SIDE_PX) - SIDE_PX / 2
    distance = (rows[:, None].square() + rows.square()).sqrt() - SIDE_PX / 4  # px outside the edge
    disk = torch.where(distance > 0, 0.8, 0.2).expand(1, 3, -1, -1).contiguous()
    painted = luma(painter(disk))[0, 0]

    def bright(low: float, high: float) -> float:
        return painted[(distance >= low) & (distance < high)].mean().item()

    contrast = abs(bright(40, 100) - bright(-100, -40))
    return max(abs(bright(3, 15) - bright(40, 100)), abs(bright(-15, -3) - bright(-100, -40))) / contrast


def holes(painter: Painter) -> float:
    """Share of a painted sky, from deep to light blue, whose color is far from its row's median."""
    fade = torch.linspace(0, 1, SIDE_PX)[:, None].expand(-1, SIDE_PX)
    sky = torch.stack([0.35 + 0.35 * fade, 0.55 + 0.25 * fade, 0.85 + 0.1 * fade])[None]
    found = lab(painter(sky))
    offsets = torch.arange(-18, 19.0)
    window = torch.exp(-(offsets / 6).square() / 2)
    window = (window / window.sum()).view(1, 1, 1, -1)
    planes = F.pad(found.transpose(0, 1), (18,) * 4, mode="reflect")
    planes = F.conv2d(F.conv2d(planes, window), window.mT).transpose(0, 1)
    median = planes.median(dim=3, keepdim=True).values
    return ((planes - median).square().sum(1).sqrt() > 15).float().mean().item()


def row(path: Path, photos: Sequence[Tensor]) -> list[float]:
    """All numbers of one style."""
    painter = load_painter(path, device="cpu")
    painted = [painter(photo) for photo in photos]
    peaks = []
    for one, photo in zip(painted, photos, strict=True):
        flat = flat_blocks(photo)
        if flat.sum() >= 8:
            peaks.append(nyquist_peak(luma(one), flat) / nyquist_peak(luma(photo), flat))
    frames = [frame(one, photo) for one, photo in zip(painted, photos, strict=True)]
    return [mean(peaks), mean(frames), halo(painter), holes(painter)]


def _blocks(image: Tensor) -> Tensor:
    """The luma of a picture (1, 3 or 1, H, W) in squares (N, 32, 32)."""
    plane = image[0, 0] if image.shape[1] == 1 else luma(image)[0, 0]
    return plane.unfold(0, BLOCK_PX, BLOCK_PX).unfold(1, BLOCK_PX, BLOCK_PX).flatten(0, 1)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Artifacts of styles in numbers.")
    parser.add_argument("--images", type=Path, required=True, help="folder with photos/")
    parser.add_argument("styles", type=Path, nargs="+", help="style files")
    given = parser.parse_args()
    photos = [open_picture(path) for path in held_out_photos(given.images)]
    print("| style | checkerboard | frame | halo | holes |\n|---|---|---|---|---|")  # noqa: T201
    for path in given.styles:
        cells = [f"{value:.3f}" for value in row(path, photos)]
        print("| " + " | ".join([path.stem, *cells]) + " |", flush=True)  # noqa: T201
    print("limits: checkerboard 0.9 to 1.1, frame at most 1.1")  # noqa: T201


if __name__ == "__main__":
    main()
