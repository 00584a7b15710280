"""`pstyle paint-360`: 360 panoramas, painted without seam or pole artifacts."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..image.listing import list_pictures
from ..image.reading import open_image, open_mask
from ..painting.painter import load_painter
from ..style.paint_settings import PaintSettings
from ..vr.gpano import read_headings, save_panorama
from ..vr.panorama import paint_checked_panorama
from .each import write_each
from .flags import Parser, add_device, add_output, add_pictures, add_settings, settings_from

FORMATS = ("jpg", "png")


def paint_360_flags(parser: Parser) -> None:
    """`paint-360 STYLE PICTURE... -o DIR`."""
    parser.add_argument("style", metavar="STYLE", help="style file")
    add_pictures(parser, "360 pictures to paint")
    add_output(parser, "folder to write into, created if missing", "DIR")
    parser.add_argument("--mask", metavar="FILE", help="paint where this picture is white")
    parser.add_argument(
        "--format", choices=FORMATS, default="jpg", help="file format; most viewers need jpg (default jpg)"
    )
    add_settings(parser, PaintSettings)
    add_device(parser)


def paint_360(arguments: Namespace) -> None:
    """Paint 360 pictures one by one; their headings are kept, so viewers open them in the same direction."""
    settings = settings_from(arguments, PaintSettings)
    mask = open_mask(arguments.mask) if arguments.mask else None
    files, painter = list_pictures(arguments.pictures), load_painter(arguments.style, arguments.device)

    def write(file: Path, target: Path, number: int) -> None:
        painted = paint_checked_panorama(painter, open_image(file), settings, mask)
        save_panorama(target, painted, read_headings(file), overwrite=arguments.overwrite)

    write_each(files, arguments, "painting", "painted", write, f".{arguments.format}")
