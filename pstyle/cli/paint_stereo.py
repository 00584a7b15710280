"""`pstyle paint-stereo`: stereo pictures, flat or 360."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..image.listing import list_pictures
from ..image.reading import open_image, open_mask
from ..image.writing import save_image
from ..painting.painter import load_painter
from ..style.paint_settings import PaintSettings
from ..vr.stereo import StereoConfig, paint_checked_stereo
from .each import write_each
from .flags import Parser, add_device, add_output, add_pictures, add_settings, settings_from


def paint_stereo_flags(parser: Parser) -> None:
    """`paint-stereo STYLE PICTURE... -o DIR`."""
    parser.add_argument("style", metavar="STYLE", help="style file")
    add_pictures(parser, "pictures that hold both eyes, to paint")
    add_output(parser, "folder to write NAME.png into, created if missing", "DIR")
    parser.add_argument(
        "--disparity",
        metavar="FILE",
        help="disparity map of the left eye: how far the same point is shifted left in the right eye; black "
        "is 0, white is --disparity-px pixels (default: found from the pictures)",
    )
    parser.add_argument("--disparity-px", metavar="N", type=float, default=64.0, help="(default 64)")
    add_settings(parser, StereoConfig)
    add_settings(parser, PaintSettings)
    add_device(parser)


def paint_stereo(arguments: Namespace) -> None:
    """Paint stereo pictures one by one."""
    settings, config = settings_from(arguments, PaintSettings), settings_from(arguments, StereoConfig)
    known = open_mask(arguments.disparity) * arguments.disparity_px if arguments.disparity else None
    files, painter = list_pictures(arguments.pictures), load_painter(arguments.style, arguments.device)

    def write(file: Path, target: Path, number: int) -> None:
        painted = paint_checked_stereo(painter, open_image(file), config, settings, known)
        save_image(target, painted, overwrite=arguments.overwrite)

    write_each(files, arguments, "painting", "painted", write)
