"""`pstyle report`: an HTML page about a style."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..core.files import write_atomically
from ..evaluation.report import MAX_PHOTOS, MAX_SHOWN, report_of
from ..image.reading import open_image
from ..painting.painter import load_painter
from ..training.loss_history import load_history
from .console import print_line
from .flags import Parser, add_device
from .inputs import new_file, picture_files
from .judge_flags import add_judge, find_judge


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
    add_judge(parser)
    add_device(parser)


def report(arguments: Namespace) -> None:
    """Write an HTML page about a style and print its path."""
    name = Path(arguments.style).stem
    target = new_file(arguments.output or f"{name}.html", [".html"], arguments.overwrite)
    painter = load_painter(arguments.style, arguments.device)
    pictures = picture_files(arguments.pictures or [], MAX_SHOWN)
    photos = picture_files(arguments.photos or [], MAX_PHOTOS)
    history = load_history(arguments.history) if arguments.history else []
    judge, vgg = find_judge(arguments.vgg)
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
    print_line(str(target))
