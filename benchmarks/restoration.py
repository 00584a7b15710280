"""Restoration against scikit-image's and OpenCV's best: mixed damage, holes, clean pictures, time.

    python benchmarks/restoration.py repair [--images IMAGES] [--restorer FILE] [--sheet FILE.jpg]
    python benchmarks/restoration.py holes [--images IMAGES] [--sheet FILE.jpg]
    python benchmarks/restoration.py time [--restorer FILE]

`repair` damages pictures by benchmarks/damage.py, which shares no code with the package, and tells PSNR and
SSIM of the damaged, of ours and of the best of nine classical settings (non-local means, wavelets, total
variation), chosen for each picture by its PSNR, which nobody could do without the truth. A third number is
PSNR after the map of colors that fits the truth best: what is left of damage but fading and casts. The truth
of kinds that take all color is the gray picture: restoring is not coloring. `holes` cuts ragged holes and
tells the patch SWD inside against the truth, and gradients across the holes' borders over those beside.
Pictures are scikit-image's, and with IMAGES (laid out as benchmarks/split.py says) photographs and paintings
that are never trained on. `repair` needs PyWavelets; OpenCV is compared with where it is installed. Neither
is a dependency of the package.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean

import numpy as np
import torch
import torch.nn.functional as F
from damage import KINDS, damage, jpeg
from scipy.ndimage import gaussian_filter
from skimage import data
from skimage.restoration import (
    denoise_nl_means,
    denoise_tv_chambolle,
    denoise_wavelet,
    estimate_sigma,
    inpaint_biharmonic,
)
from split import held_out_paintings, held_out_photos
from torch import Tensor

from pstyle.core.precision import psnr_db
from pstyle.evaluation.metrics import ssim
from pstyle.image.colors import luma
from pstyle.image.reading import open_image
from pstyle.image.resizing import resize_short_side
from pstyle.image.writing import save_image
from pstyle.restoration.repair.filling import filled
from pstyle.restoration.repair.restorer import load_restorer
from pstyle.restoration.repair.restoring import RestorationPipeline

PUBLIC = ("astronaut", "coffee", "chelsea")
PHOTOS = ("kodim04", "kodim05", "kodim11")
PAINTERS = ("vermeer", "seurat", "munch")
COLORLESS = ("old_photo", "newspaper")  # damage that takes all color; restoring is not coloring
CAMERA_QUALITY = 92  # of JPEG, as cameras and telephones keep pictures
MOST_DB = 60.0  # of a picture that is equal
SHARES = (0.05, 0.15)  # of the area that holes take
HOLE_PX = 12.0  # deviation of the field whose peaks are holes
PATCH_PX, SCALES, DIRECTIONS = 7, (1, 2, 4), 128


def pictures(images: Path | None, short_side_px: int) -> dict[str, Tensor]:
    """Clean pictures (1, 3, H, W) by name, in steps of 1/255."""
    found = {name: torch.from_numpy(getattr(data, name)()).permute(2, 0, 1)[None] / 255 for name in PUBLIC}
    if images:
        files = [file for file in held_out_photos(images) if file.stem in PHOTOS]
        paintings = held_out_paintings(images)
        files += [next(file for file in paintings if file.parent.name == name) for name in PAINTERS]
        found |= {file.stem: open_image(file) for file in files}
    return {name: rounded(resize_short_side(picture, short_side_px)) for name, picture in found.items()}


def repair(given: argparse.Namespace) -> None:
    """Print a line for each damage and picture, then the means."""
    pipeline, rows, shown = RestorationPipeline(load_restorer(given.restorer), "cpu", torch.float32), [], []
    clean = pictures(given.images, given.size)
    for kind in KINDS:
        for number, (name, picture) in enumerate(clean.items()):
            seen, _ = damage(kind, picture, seed=number)
            truth = gray(picture) if kind in COLORLESS else picture
            found, classic = rounded(pipeline(seen)), best_classical(seen, truth)
            scores = [quality(one, truth) for one in (seen, classic, found)]
            rows.append([kind, *scores])
            told = "  ".join(f"{db:.2f} {like:.3f} {mapped:.2f}" for db, like, mapped in scores)
            print(f"{kind:10} {name:24} {told}")  # noqa: T201
            if number == list(KINDS).index(kind) % len(clean):
                shown.append([seen, classic, found, truth])
    print("\n| damage | damaged | best classical | ours | gain | over classical |\n|---|---|---|---|---|---|")  # noqa: T201
    for kind in [*KINDS, "all"]:
        own = [row[1:] for row in rows if kind in (row[0], "all")]
        means = [[mean(row[i][j] for row in own) for j in range(3)] for i in range(3)]
        cells = [f"{db:.2f} dB, {like:.3f}, {mapped:.2f} dB" for db, like, mapped in means]
        gains = [f"{means[2][0] - means[i][0]:+.2f}, {means[2][2] - means[i][2]:+.2f} dB" for i in (0, 1)]
        print("| " + " | ".join([kind, *cells, *gains]) + " |")  # noqa: T201
    print(f"worst change by a restoration: {min(row[3][0] - row[1][0] for row in rows):+.2f} dB")  # noqa: T201
    undamaged = [min(MOST_DB, psnr_db(rounded(pipeline(picture)), picture)) for picture in clean.values()]
    print(f"clean pictures after restoration: {mean(undamaged):.1f} dB, worst {min(undamaged):.1f} dB")  # noqa: T201
    kept = [(as_jpeg(picture, CAMERA_QUALITY), picture) for picture in clean.values()]
    lost = [psnr_db(rounded(pipeline(seen)), truth) - psnr_db(seen, truth) for seen, truth in kept]
    print(f"clean but for JPEG {CAMERA_QUALITY}: {mean(lost):+.2f} dB, worst {min(lost):+.2f} dB")  # noqa: T201
    write_sheet(given.sheet, shown)


def gray(picture: Tensor) -> Tensor:
    """A picture (1, 3, H, W) without color."""
    return rounded(luma(picture)).expand_as(picture)


def as_jpeg(picture: Tensor, quality: int) -> Tensor:
    """What a JPEG file keeps of a picture (1, 3, H, W)."""
    return to_tensor(jpeg(picture[0].movedim(0, -1).numpy(), quality))


def best_classical(seen: Tensor, picture: Tensor) -> Tensor:
    """The result of nine settings that is nearest to the truth."""
    pixels = seen[0].movedim(0, -1).double().numpy()
    sigma = max(float(np.mean(estimate_sigma(pixels, channel_axis=-1))), 1e-3)
    tried = [
        *(
            denoise_nl_means(
                pixels, patch_size=5, patch_distance=6, h=h * sigma, sigma=sigma, channel_axis=-1
            )
            for h in (0.6, 0.9, 1.3)
        ),
        *(
            denoise_wavelet(pixels, sigma=s * sigma, channel_axis=-1, convert2ycbcr=True, rescale_sigma=True)
            for s in (0.7, 1.0, 1.5)
        ),
        *(denoise_tv_chambolle(pixels, weight=weight, channel_axis=-1) for weight in (0.03, 0.07, 0.15)),
    ]
    return max((to_tensor(one) for one in tried), key=lambda one: psnr_db(one, picture))


def holes(given: argparse.Namespace) -> None:
    """Print a line for each picture and share of holes, then the means."""
    rows: list[dict[str, tuple[float, float, float]]] = []
    shown = []
    for number, (name, picture) in enumerate(pictures(given.images, given.size).items()):
        for share in SHARES:
            mask = ragged(picture, share, number)
            blank = torch.where(mask > 0, 0.5, picture)
            made = {what: rounded(fill(blank, mask)) for what, fill in fillings().items()}
            row = {
                what: (inside_swd(one, picture, mask), border_ratio(one, mask), inside_db(one, picture, mask))
                for what, one in made.items()
            }
            row["truth"] = (0.0, border_ratio(picture, mask), MOST_DB)
            rows.append(row)
            told = "  ".join(f"{what} {swd:.4f} {edge:.2f}" for what, (swd, edge, _) in row.items())
            print(f"{name:24} {share:.0%}  {told}")  # noqa: T201
        shown.append([blank, *made.values(), picture])
    print("\n| | patch SWD inside | gradients across the border | PSNR inside |\n|---|---|---|---|")  # noqa: T201
    for what in rows[0]:
        swd, edge, db = (mean(row[what][part] for row in rows) for part in range(3))
        print(f"| {what} | {swd:.4f} | {edge:.2f} | {db:.2f} dB |")  # noqa: T201
    write_sheet(given.sheet, shown)


def fillings() -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """What fills holes, by name."""
    found = {"biharmonic": biharmonic}
    try:
        import cv2  # noqa: F401

        found["Telea"] = telea
    except ImportError:
        pass
    return found | {"ours": lambda image, mask: filled(image, mask, torch.Generator().manual_seed(0))}


def biharmonic(image: Tensor, mask: Tensor) -> Tensor:
    """scikit-image's."""
    pixels = image[0].movedim(0, -1).numpy()
    return to_tensor(inpaint_biharmonic(pixels, mask[0, 0].numpy() > 0, channel_axis=-1))


def telea(image: Tensor, mask: Tensor) -> Tensor:
    """OpenCV's, within 5 px."""
    import cv2

    pixels = np.ascontiguousarray((image[0].movedim(0, -1) * 255).round().byte().numpy())
    return to_tensor(cv2.inpaint(pixels, (mask[0, 0] * 255).byte().numpy(), 5, cv2.INPAINT_TELEA) / 255)


def ragged(picture: Tensor, share: float, seed: int) -> Tensor:
    """Holes (1, 1, H, W) over a share of a picture."""
    drawn = np.random.default_rng(seed).standard_normal(picture.shape[2:])
    field = gaussian_filter(drawn, HOLE_PX) + 0.1 * gaussian_filter(drawn, HOLE_PX / 4)
    return torch.from_numpy(field > np.quantile(field, 1 - share))[None, None].float()


def inside_swd(output: Tensor, truth: Tensor, mask: Tensor) -> float:
    """Sliced Wasserstein distance of the patches centered in a mask, averaged over three scales."""
    rng, total = torch.Generator().manual_seed(7), 0.0
    for scale in SCALES:
        kernels = torch.randn(DIRECTIONS, 3, PATCH_PX, PATCH_PX, generator=rng)
        kernels = kernels / kernels.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        edge = PATCH_PX // 2
        inside = (F.avg_pool2d(mask, scale) > 0.5)[0, 0, edge:-edge, edge:-edge].flatten()
        a, b = (F.conv2d(F.avg_pool2d(x, scale), kernels)[0].flatten(1)[:, inside] for x in (output, truth))
        total += (a.sort(1).values - b.sort(1).values).abs().mean().item()
    return total / len(SCALES)


def border_ratio(image: Tensor, mask: Tensor) -> float:
    """Mean gradient across the border of a mask over that within 4 px of it."""
    near = F.max_pool2d(mask, 9, 1, 4) + F.max_pool2d(1 - mask, 9, 1, 4) > 1.5
    at, beside = [], []
    for axis in (2, 3):
        step, crossing = image.diff(dim=axis).abs().mean(1), mask.diff(dim=axis)[:, 0] != 0
        at.append(step[crossing])
        beside.append(step[near[:, 0].narrow(axis - 1, 0, step.shape[axis - 1]) & ~crossing])
    return (torch.cat(at).mean() / torch.cat(beside).mean()).item()


def inside_db(output: Tensor, truth: Tensor, mask: Tensor) -> float:
    """PSNR of what lies in a mask."""
    error = ((output - truth).square().mean(1, keepdim=True) * mask).sum() / mask.sum()
    return -10 * error.log10().item()


def times(given: argparse.Namespace) -> None:
    """Print how long a megapixel takes."""
    picture, pipeline = (
        torch.rand(1, 3, 1000, 1000),
        RestorationPipeline(load_restorer(given.restorer), "cpu"),
    )
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        pipeline(picture)
        seconds.append(time.perf_counter() - start)
    told = ", ".join(f"{one:.2f} s" for one in seconds)
    print(f"{torch.get_num_threads()} threads, {pipeline.dtype}: {told} for a megapixel")  # noqa: T201


def quality(image: Tensor, truth: Tensor) -> tuple[float, float, float]:
    """PSNR in dB, SSIM, and PSNR after the linear map of colors that fits the truth best."""
    seen, wanted = (x[0].flatten(1).T.double() for x in (image, truth))
    seen = torch.cat([seen, torch.ones_like(seen[:, :1])], dim=1)
    fitted = (seen @ torch.linalg.lstsq(seen, wanted).solution).clamp(0, 1)
    return psnr_db(image, truth), ssim(image, truth), psnr_db(fitted, wanted)


def rounded(image: Tensor) -> Tensor:
    """A picture in steps of 1/255, as a file holds it."""
    return (image.clamp(0, 1) * 255).round() / 255


def to_tensor(pixels: np.ndarray) -> Tensor:
    """(H, W, 3) as a picture (1, 3, H, W)."""
    return rounded(torch.from_numpy(pixels).permute(2, 0, 1)[None].float())


def write_sheet(path: Path | None, rows: list[list[Tensor]]) -> None:
    """Rows of pictures (1, 3, H, W) below each other, all cut to one width."""
    if path:
        width = min(picture.shape[3] for row in rows for picture in row)
        lines = [torch.cat([picture[..., :width] for picture in row], dim=3) for row in rows]
        save_image(path, torch.cat(lines, dim=2), overwrite=True)


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description="Restoration against classical methods.")
    parser.add_argument("what", choices=("repair", "holes", "time"))
    parser.add_argument("--images", type=Path, help="folder of pictures laid out as benchmarks/split.py says")
    parser.add_argument("--restorer", type=Path, help="restorer file (default: the shipped one)")
    parser.add_argument("--size", type=int, default=320, help="short side in pixels (default 320)")
    parser.add_argument("--sheet", type=Path, help="where to write a sheet: before, others, ours, truth")
    given = parser.parse_args()
    {"repair": repair, "holes": holes, "time": times}[given.what](given)


if __name__ == "__main__":
    main()
