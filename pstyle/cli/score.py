"""`pstyle score`: a painted picture against its content and style."""

from __future__ import annotations

from argparse import Namespace

from ..core.device import choose_device
from ..evaluation.scoring import ScaleConfig, score_all, score_lines
from ..image.reading import open_image
from ..image.resizing import resize_short_side
from .console import print_line, steps_bar
from .flags import Parser, add_device, add_pictures, add_settings, settings_from
from .inputs import picture_files
from .judge_flags import add_judge, find_judge

SCORE_PX = 512


def score_flags(parser: Parser) -> None:
    """`score OUTPUT CONTENT STYLE_PICTURE...`."""
    parser.add_argument("painted", metavar="OUTPUT", help="painted picture")
    parser.add_argument("content", metavar="CONTENT", help="picture it was painted from")
    add_pictures(parser)
    add_judge(parser)
    add_device(parser)
    add_settings(parser, ScaleConfig)


def score(arguments: Namespace) -> None:
    """Print one score per line; all pictures are compared at a short side of 512 px."""
    config = settings_from(arguments, ScaleConfig)
    device = choose_device(arguments.device)
    judge, vgg = find_judge(arguments.vgg)
    files = picture_files(arguments.pictures, MAX_STYLES)
    opened = [open_image(path) for path in (arguments.painted, arguments.content, *files)]
    painted, content, *styles = [resize_short_side(image, SCORE_PX).to(device) for image in opened]
    with steps_bar("optimizing") as on_step:
        found = score_all(painted, content, styles, vgg.to(device), config, on_step)
    for line in score_lines(found, judge):
        print_line(line)


MAX_STYLES = 1000
