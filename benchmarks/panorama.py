"""How well 360 pictures are painted: whether they close, whether they may be turned, and their poles. A style
and picture a row.

    python benchmarks/panorama.py STYLE.safetensors... [--pictures PANORAMA...] [--out FOLDER]

* seam: difference of the first and last column over that of the columns beside them.
* yaw: PSNR in dB of a picture turned, painted and turned back against the one painted at once, the worst of
  whole numbers of columns; half: of half a column, by Fourier shift, which changes the pixels themselves.
* 45, pole: error of views of 60 degrees at 45 degrees of latitude and at the poles, over that of views of the
  very same things at the equator, where another sphere, tilted, has them. A view's error is that of the
  painted sphere, seen through it, against the view itself painted with the sphere's statistics. The views at
  the poles look the way the face there was painted; any: others, turned by 60 degrees at a time. Paint with a
  direction, such as hatching, differs in a picture that is turned, whatever paints it.
* pinch: slopes around the poles over those toward them: rays are above 1.

Each is told for a sphere and, as "flat", for the picture painted as any other. The last picture is a
procedural world.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import mean

import torch
from torch import Tensor
from worlds import world

from pstyle.image.reading import open_image
from pstyle.image.resizing import resize_to
from pstyle.image.writing import save_image
from pstyle.painting.native import FULL_STRENGTH, GlobalStatistics
from pstyle.painting.painter import Painter, load_painter
from pstyle.vr.panorama import first_column, paint_panorama
from pstyle.vr.seam_scores import pole_ratio, seam_ratio
from pstyle.vr.sphere import Directions, perspective, pixel_directions, row_weights, sampled

HEIGHT_PX = 512
TURNS = (1, 13, 515)
Paint = Callable[[Tensor], Tensor]
Place = tuple[float, float]  # longitude and latitude, in radians
WIDE, SHOWN = math.radians(90), math.radians(60)  # a view is painted wider than it is compared


def view_error(
    painter: Painter, photo: Tensor, painted: Tensor, whole: GlobalStatistics, where: Place
) -> float:
    """Mean error of a view (longitude, latitude), in radians."""
    side = round(2 * math.tan(WIDE / 2) * photo.shape[2] / math.pi / 8) * 8
    rim = round(side * (1 - math.tan(SHOWN / 2) / math.tan(WIDE / 2)) / 2)
    view = perspective(*where, WIDE, side)
    direct = painter.paint(sampled(photo, view).clamp(0, 1), FULL_STRENGTH, whole)
    return (direct - sampled(painted, view)).abs()[..., rim:-rim, rim:-rim].mean().item()


def tilted(photo: Tensor, longitude: float, latitude: float) -> Tensor:
    """The sphere turned such that its middle is what was in a direction."""
    lon, lat = pixel_directions(photo.shape[2])
    x, y, z = torch.cos(lat) * torch.sin(lon), torch.sin(lat), torch.cos(lat) * torch.cos(lon)
    y, z = y * math.cos(latitude) + z * math.sin(latitude), z * math.cos(latitude) - y * math.sin(latitude)
    return sampled(photo, Directions(torch.atan2(x, z) + longitude, torch.asin(y.clamp(-1, 1)))).clamp(0, 1)


def place_ratio(painter: Painter, photo: Tensor, painted: Tensor, paint: Paint, places: list[Place]) -> float:
    """Error of views in directions, over that of the same views where they lie at the equator."""
    there, level = [], []
    for place in places:
        ahead = tilted(photo, *place)
        there.append(view_error(painter, photo, painted, global_statistics_of(painter, photo), place))
        level.append(
            view_error(painter, ahead, paint(ahead), global_statistics_of(painter, ahead), (0.0, 0.0))
        )
    return mean(there) / mean(level)


def global_statistics_of(painter: Painter, photo: Tensor) -> GlobalStatistics:
    """The statistics of a sphere."""
    return painter.measure(photo, FULL_STRENGTH, "circular", row_weights(photo.shape[2]))


def turned(picture: Tensor, columns: float) -> Tensor:
    """A picture turned by columns, a whole number of them or not."""
    if columns == int(columns):
        return picture.roll(int(columns), 3)
    width = picture.shape[3]
    wave = torch.fft.rfftfreq(width) * (-2 * math.pi * columns)
    return torch.fft.irfft(torch.fft.rfft(picture) * torch.polar(torch.ones_like(wave), wave), n=width)


def psnr(a: Tensor, b: Tensor) -> float:
    """In dB."""
    return -10 * math.log10((a - b).square().mean().item() + 1e-12)


def row(painter: Painter, photo: Tensor, paint: Paint) -> list[float]:
    """Seam, worst yaw, yaw by half a column, 45 degrees, pole, pole seen any way, pinch."""
    painted = paint(photo)
    yaws = [psnr(turned(paint(turned(photo, turn)), -turn), painted) for turn in TURNS]
    half = psnr(turned(paint(turned(photo, 0.5).clamp(0, 1)), -0.5), painted)
    ahead, up = first_column(photo) * math.pi / photo.shape[2], math.pi / 2
    middle = [(turn * math.pi / 2, (-1) ** turn * up / 2) for turn in range(4)]
    along = [(ahead, pole) for pole in (up, -up)]
    across = [(ahead + turn * math.pi / 3, pole) for pole in (up, -up) for turn in (1, 2)]
    ratios = [place_ratio(painter, photo, painted, paint, places) for places in (middle, along, across)]
    return [seam_ratio(painted), min(yaws), half, *ratios, pole_ratio(painted)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("styles", nargs="+", metavar="STYLE.safetensors")
    parser.add_argument("--pictures", nargs="*", default=[], metavar="PANORAMA")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where to write the painted pictures")
    arguments = parser.parse_args()
    photos = {
        Path(file).stem: resize_to(open_image(file), HEIGHT_PX, 2 * HEIGHT_PX) for file in arguments.pictures
    }
    photos["world"] = world(*pixel_directions(HEIGHT_PX))
    print(f"{'':34}   seam    yaw   half     45   pole    any  pinch")  # noqa: T201
    for name, photo in photos.items():
        print(f"{name:34}{seam_ratio(photo):7.3f}{'':35}{pole_ratio(photo):7.3f}")  # noqa: T201
    for style in arguments.styles:
        painter = load_painter(style, "cpu")
        for name, photo in photos.items():
            for kind, paint in (("sphere", partial(paint_panorama, painter)), ("flat", painter)):
                label = f"{Path(style).stem} {name} {kind}"
                print(f"{label:34}" + "".join(f"{x:7.3f}" for x in row(painter, photo, paint)))  # noqa: T201
                if arguments.out:
                    save_image(arguments.out / f"{label.replace(' ', '_')}.png", paint(photo), overwrite=True)


if __name__ == "__main__":
    main()
