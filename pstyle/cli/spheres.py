"""`pstyle paint-360`, `pstyle paint-stereo` and `pstyle score-seams`: spheres and pairs of eyes."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..image.pictures import list_pictures, open_image, open_mask, save_image
from ..painting.painter import load_painter
from ..style.paint_settings import PaintSettings
from ..vr import stereo
from ..vr.gpano import read_headings, save_panorama
from ..vr.panorama import paint_panorama
from ..vr.seam_scores import SeamConfig, mean_scores, score_lines, seam_scores
from ..vr.stereo import StereoConfig
from .each import write_each
from .flags import Parser, add_device, add_output, add_pictures, add_settings, settings_from
from .screen import tell

FORMATS = ("jpg", "png")


def paint_360_flags(parser: Parser) -> None:
    """`paint-360 STYLE PICTURE... -o DIR`."""
    parser.add_argument("style", metavar="STYLE", help="style file")
    add_pictures(parser, "360 pictures to paint")
    add_output(parser, "folder to write into; made if it is not there", "DIR")
    parser.add_argument("--mask", metavar="FILE", help="paint where this picture is white")
    parser.add_argument(
        "--format", choices=FORMATS, default="jpg", help="kind of file: most viewers want jpg (default jpg)"
    )
    add_settings(parser, PaintSettings)
    add_device(parser)


def paint_360(arguments: Namespace) -> None:
    """Paint 360 pictures one after the other; where they look to is kept, so that viewers open them alike."""
    settings = settings_from(arguments, PaintSettings)
    mask = open_mask(arguments.mask) if arguments.mask else None
    files, painter = list_pictures(arguments.pictures), load_painter(arguments.style, arguments.device)

    def write(file: Path, target: Path, number: int) -> None:
        painted, headings = paint_panorama(painter, open_image(file), settings, mask), read_headings(file)
        save_panorama(target, painted, headings, overwrite=arguments.overwrite)

    write_each(files, arguments, "painting", "painted", write, f".{arguments.format}")


def paint_stereo_flags(parser: Parser) -> None:
    """`paint-stereo STYLE PICTURE... -o DIR`."""
    parser.add_argument("style", metavar="STYLE", help="style file")
    add_pictures(parser, "pictures that hold both eyes, to paint")
    add_output(parser, "folder to write NAME.png into; made if it is not there", "DIR")
    parser.add_argument(
        "--disparity",
        metavar="FILE",
        help="how much farther left the right eye sees what the left eye sees: black is 0, white as many "
        "pixels as --disparity-px says (default: found from the pictures)",
    )
    parser.add_argument("--disparity-px", metavar="N", type=float, default=64.0, help="(default 64)")
    add_settings(parser, StereoConfig)
    add_settings(parser, PaintSettings)
    add_device(parser)


def paint_stereo(arguments: Namespace) -> None:
    """Paint stereo pictures one after the other."""
    settings, config = settings_from(arguments, PaintSettings), settings_from(arguments, StereoConfig)
    known = open_mask(arguments.disparity) * arguments.disparity_px if arguments.disparity else None
    files, painter = list_pictures(arguments.pictures), load_painter(arguments.style, arguments.device)

    def write(file: Path, target: Path, number: int) -> None:
        painted = stereo.paint_stereo(painter, open_image(file), config, settings, known)
        save_image(target, painted, overwrite=arguments.overwrite)

    write_each(files, arguments, "painting", "painted", write)


def score_seams_flags(parser: Parser) -> None:
    """`score-seams PICTURE...`."""
    add_pictures(parser, "360 or stereo pictures to score")
    parser.add_argument("--content", metavar="FILE", help="the picture before it was painted")
    add_settings(parser, SeamConfig)


def score_seams(arguments: Namespace) -> None:
    """Tell the scores of pictures, averaged."""
    config = settings_from(arguments, SeamConfig)
    content = open_image(arguments.content) if arguments.content else None
    files = list_pictures(arguments.pictures)
    scores = mean_scores([seam_scores(open_image(file), config, content) for file in files])
    for line in score_lines(scores, config, content is not None):
        tell(line)
