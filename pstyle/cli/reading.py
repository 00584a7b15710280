"""`pstyle inspect`, `pstyle score` and `pstyle report`: what a style file holds, and how good it paints."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..core.device import choose_device
from ..core.files import write_atomically
from ..core.folders import current_folders
from ..evaluation.report import MAX_PHOTOS, MAX_SHOWN, report_of
from ..evaluation.scoring import ScaleConfig, score_all, score_lines
from ..image.pictures import open_image, resize_short_side
from ..nets.pretrained import NAME as IMAGENET
from ..nets.vgg import VGG
from ..painting.painter import load_painter
from ..style.style import describe_style, load_style
from ..training.loss_history import load_history
from .flags import Parser, add_device, add_pictures, add_settings, settings_from
from .inputs import SHIPPED_VGGS, find_vgg, new_file, picture_files
from .screen import steps_bar, tell

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
    _add_judge(parser)
    add_device(parser)
    add_settings(parser, ScaleConfig)


def score(arguments: Namespace) -> None:
    """Print one score a line; all pictures are compared at a short side of 512 px."""
    config = settings_from(arguments, ScaleConfig)
    device = choose_device(arguments.device)
    judge, vgg = _judge(arguments.vgg)
    files = picture_files(arguments.pictures, MAX_STYLES)
    opened = [open_image(path) for path in (arguments.painted, arguments.content, *files)]
    painted, content, *styles = [resize_short_side(image, SCORE_PX).to(device) for image in opened]
    with steps_bar("optimizing") as on_step:
        found = score_all(painted, content, styles, vgg.to(device), config, on_step)
    for line in score_lines(found, judge):
        tell(line)


def report_flags(parser: Parser) -> None:
    """`report STYLE`."""
    parser.add_argument("style", metavar="STYLE", help="style file")
    parser.add_argument(
        "--pictures",
        nargs="+",
        metavar="PICTURE",
        help="pictures it was learned from, files or folders, to show and to score against",
    )
    parser.add_argument(
        "--photos",
        nargs="+",
        metavar="PICTURE",
        help=f"photographs to paint, files or folders, {MAX_PHOTOS} at most (default: drawn scenes)",
    )
    parser.add_argument("--history", metavar="FILE", help="losses that `learn --history` wrote, to draw")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="page to write, .html (default: the style's name, here)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist already")
    _add_judge(parser)
    add_device(parser)


def report(arguments: Namespace) -> None:
    """Write one page that shows all about a style and tell where it is."""
    name = Path(arguments.style).stem
    target = new_file(arguments.output or f"{name}.html", [".html"], arguments.overwrite)
    painter = load_painter(arguments.style, arguments.device)
    pictures = picture_files(arguments.pictures or [], MAX_SHOWN)
    photos = picture_files(arguments.photos or [], MAX_PHOTOS)
    history = load_history(arguments.history) if arguments.history else []
    judge, vgg = _judge(arguments.vgg)
    page = report_of(
        painter,
        name,
        [open_image(path) for path in pictures],
        [(path.stem, open_image(path)) for path in photos],
        history,
        vgg=vgg,
        judge=judge,
    )
    write_atomically(target, page.encode(), overwrite=arguments.overwrite)
    tell(str(target))


def _add_judge(parser: Parser) -> None:
    parser.add_argument(
        "--vgg",
        metavar="NAME",
        help="network that judges: loss or slim (both shipped), a .safetensors in the model folder, or the "
        f"path of one (default {IMAGENET} if `get-vgg` has fetched it, else loss)",
    )


def _judge(name: str | None) -> tuple[str, VGG]:
    """The network that judges, and what to call it."""
    if name is None:
        fetched = current_folders().style_models / f"{IMAGENET}.safetensors"
        name = IMAGENET if fetched.is_file() else "loss"
    return f"{name} (shipped)" if name in SHIPPED_VGGS else Path(name).stem, find_vgg(name)
