"""`pstyle inspect` and `pstyle score`: what a style file holds, and how good a painted picture is."""

from __future__ import annotations

from argparse import Namespace

from ..images import open_image, resize_short_side
from ..metrics import score as score_picture
from ..painter import choose_device
from ..style import describe_style, load_style
from .flags import Parser, add_device, add_loss_network, add_pictures
from .inputs import find_vgg, picture_files
from .screen import tell

MAX_STYLES = 1000
SCORE_PX = 512


def inspect_flags(parser: Parser) -> None:
    """`inspect STYLE`."""
    parser.add_argument("style", metavar="STYLE", help="style file")


def inspect(arguments: Namespace) -> None:
    """Check the file and print a line for each thing it says about itself."""
    for name, value in describe_style(load_style(arguments.style)).items():
        tell(f"{name}: {value}")


def score_flags(parser: Parser) -> None:
    """`score OUTPUT CONTENT STYLE_PICTURE...`."""
    parser.add_argument("painted", metavar="OUTPUT", help="painted picture")
    parser.add_argument("content", metavar="CONTENT", help="picture it was painted from")
    add_pictures(parser)
    add_loss_network(parser)
    add_device(parser)


def score(arguments: Namespace) -> None:
    """Print one score a line; all pictures are compared at a short side of 512 px."""
    device = choose_device(arguments.device)
    vgg = find_vgg(arguments.vgg).to(device)
    files = picture_files(arguments.pictures, MAX_STYLES)
    opened = [open_image(path) for path in (arguments.painted, arguments.content, *files)]
    painted, content, *styles = [resize_short_side(image, SCORE_PX).to(device) for image in opened]
    for name, value in score_picture(painted, content, styles, vgg).items():
        tell(f"{name}: {value:.4f}")
