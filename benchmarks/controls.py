"""What the knobs of painting do, in numbers: a style a row, means over the held-out photographs.

    python benchmarks/controls.py --images FOLDER --vgg FOLDER PAINTING=STYLE.safetensors...

PAINTING is the picture that the style was learned from, as PAINTER/NAME within `paintings`.

* half: style distance (true VGG-19) at strength 0.5 over that of the photograph; 0.5 is wanted, 15 % off at
  most. A style that keeps r of the distance at strength 1 cannot always halve it: max(0.5, 0.3 + 0.7 r) is
  asked of it.
* steps: style distances at strengths 0.25, 0.75, 1, 1.25 and 1.5, as parts of the photograph's.
* chroma: mean distance of a and b (CIE Lab) from the photograph's with keep_color; at most 2.
* light: mean distance of L from the photograph's with keep_light.
* stroke: ratio of the wavelengths of strokes on a smooth ground at stroke 0.5 and 2 to that at 1.
* fine, coarse: what is left, without them, of the change in the finest and in the broadest octaves.
* detail: SSIM with the photograph at detail 0, 0.5 and 1.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean

import torch
import torch.nn.functional as F
from judge import load_judge_vgg, open_picture
from split import held_out_photos
from torch import Tensor

from pstyle.evaluation.metrics import STYLE_LAYERS, lab, ssim, style_score
from pstyle.image.colors import luma
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import VGG, load_vgg
from pstyle.painting.painter import Painter
from pstyle.style.paint_settings import PaintSettings
from pstyle.style.style import load_style

GROUND_PX, FRAME_PX = 1536, 192  # side of the ground, and what of it is not looked at: borders reach in
STEPS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
COLUMNS = ("half", "asked", "steps", "chroma", "light", "stroke", "fine", "coarse", "detail")


@torch.inference_mode()
def strengths(painter: Painter, photos: list[Tensor], painting: Tensor, vgg: VGG) -> list[float]:
    """Style distances at STEPS as parts of the photograph's, means over the photographs."""
    target = vgg(painting, STYLE_LAYERS)

    def distance(picture: Tensor) -> float:
        return style_score(vgg(picture, STYLE_LAYERS), target)

    start = [distance(photo) for photo in photos]
    painted = [[distance(painter(photo, PaintSettings(strength=step))) for photo in photos] for step in STEPS]
    return [mean(a / b for a, b in zip(found, start, strict=True)) for found in painted]


def chroma_error(painter: Painter, photo: Tensor) -> float:
    """Mean distance of a and b from the photograph's, when colors are kept."""
    change = lab(painter(photo, PaintSettings(keep_color=True))) - lab(photo)
    return change[:, 1:].square().sum(1).sqrt().mean().item()


def lightness_error(painter: Painter, photo: Tensor) -> float:
    """Mean distance of L from the photograph's, when only colors are painted."""
    return (lab(painter(photo, PaintSettings(keep_light=True))) - lab(photo))[:, 0].abs().mean().item()


def wavelength_px(painter: Painter, stroke: float) -> float:
    """Wavelength, from 2 to 128 px, of the octave with most energy in what is painted on a smooth ramp."""
    energy = F.avg_pool1d(octave_energy(painter, stroke)[None], 5, 1, 2, count_include_pad=False)[0]
    best = int(energy[1:-1].argmax()) + 1
    before, here, after = energy[best - 1 : best + 2].tolist()
    offset = 0.5 * (before - after) / (before - 2 * here + after)  # of the top of a parabola through them
    place = best + min(max(offset, -0.5), 0.5)  # at the ends of the range it may have none
    return 2 ** (7 - (place + 0.5) / 4)


def octave_energy(painter: Painter, stroke: float) -> Tensor:
    """Energy in each quarter of an octave, from 128 to 2 px, of what is painted on a ramp from dark to light.

    Not on flat gray: there instance norm would make strokes of the rounding of features that do not vary.
    """
    ramp = torch.linspace(0.3, 0.7, GROUND_PX)
    ground = ((ramp[:, None] + ramp) / 2).expand(1, 3, -1, -1).contiguous()
    found = luma(painter(ground, PaintSettings(stroke=stroke)))[0, 0, FRAME_PX:-FRAME_PX, FRAME_PX:-FRAME_PX]
    window = torch.hann_window(len(found))
    power = torch.fft.rfft2(without_slope(found) * window * window[:, None]).abs().square()
    rows, columns = torch.fft.fftfreq(len(found)), torch.fft.rfftfreq(len(found))
    octave = (rows[:, None].square() + columns.square()).sqrt().clamp_min(1e-9).log2()  # of the frequency
    lows = torch.arange(-7, -1, 0.25)
    bands = [(octave >= low) & (octave < low + 0.25) for low in lows.tolist()]
    return torch.stack([power[band].mean() for band in bands]) * 4**lows


def without_slope(surface: Tensor) -> Tensor:
    """A surface (N, N) less the quadratic one that fits it best."""
    place = torch.linspace(-1, 1, len(surface))
    y, x = place[:, None].expand_as(surface), place.expand_as(surface)
    terms = torch.stack([torch.ones_like(surface), y, x, y * x, y * y, x * x]).flatten(1).T
    fitted = terms @ torch.linalg.lstsq(terms, surface.reshape(-1, 1)).solution
    return surface - fitted.view_as(surface)


def octave_change(painted: Tensor, photo: Tensor) -> tuple[float, float]:
    """Mean change of the luma in the finest two octaves and in those of more than 16 px."""
    change = luma(painted) - luma(photo)
    broad = F.avg_pool2d(change, 16)
    fine = change - F.interpolate(F.avg_pool2d(change, 4), change.shape[2:], mode="bilinear")
    return fine.abs().mean().item(), broad.abs().mean().item()


def left(painter: Painter, photo: Tensor, look: PaintSettings) -> tuple[float, float]:
    """The changes of a look as parts of those of the whole style."""
    whole, found = (octave_change(painter(photo, one), photo) for one in (PaintSettings(), look))
    return found[0] / whole[0], found[1] / whole[1]


def row(painter: Painter, photos: list[Tensor], painting: Tensor, vgg: VGG) -> list[str]:
    """The cells of one style."""
    found = strengths(painter, photos, painting, vgg)
    asked = max(0.5, 0.3 + 0.7 * found[STEPS.index(1.0)])
    base = wavelength_px(painter, 1.0)
    fine, coarse = (
        [mean(values) for values in zip(*(left(painter, photo, look) for photo in photos), strict=True)]
        for look in (PaintSettings(fine=0.0), PaintSettings(coarse=0.0))
    )
    details = [
        mean(ssim(painter(photo, PaintSettings(detail=amount)), photo) for photo in photos)
        for amount in (0.0, 0.5, 1.0)
    ]
    return [
        f"{found[STEPS.index(0.5)]:.2f}",
        f"{asked:.2f}",
        " ".join(f"{value:.2f}" for step, value in zip(STEPS, found, strict=True) if step != 0.5),
        f"{mean(chroma_error(painter, photo) for photo in photos):.2f}",
        f"{mean(lightness_error(painter, photo) for photo in photos):.2f}",
        " ".join(f"{wavelength_px(painter, stroke) / base:.2f}" for stroke in (0.5, 2.0)),
        f"fine {fine[0]:.2f}, broad {fine[1]:.2f}",
        f"fine {coarse[0]:.2f}, broad {coarse[1]:.2f}",
        " ".join(f"{value:.2f}" for value in details),
    ]


def painter_of(path: str) -> Painter:
    """The painter of a style file, in float32 so that figures do not depend on the machine's formats."""
    return Painter(load_style(Path(path)), load_generator(), load_vgg(), "cpu", torch.float32)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What strength, color, stroke and detail do.")
    parser.add_argument("--images", type=Path, required=True, help="folder with paintings/ and photos/")
    parser.add_argument("--vgg", type=Path, required=True, help="folder with vgg19_relu3_1.safetensors")
    parser.add_argument("--count", type=int, default=6, help="held-out photographs, 1 to 15")
    parser.add_argument("styles", nargs="+", metavar="PAINTING=STYLE", help="painting and style file")
    given = parser.parse_args()
    vgg = load_judge_vgg(given.vgg)
    photos = [open_picture(path) for path in held_out_photos(given.images)[: given.count]]
    print("| " + " | ".join(["style", *COLUMNS]) + " |\n|" + "---|" * (1 + len(COLUMNS)))  # noqa: T201
    for pair in given.styles:
        name, _, path = pair.partition("=")
        painting = open_picture(given.images / f"paintings/{name}.jpg")
        cells = row(painter_of(path), photos, painting, vgg)
        print("| " + " | ".join([name, *cells]) + " |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
