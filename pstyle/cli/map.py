"""`pstyle map`: a map of styles and pictures."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..image.reading import open_image
from ..image.writing import save_image
from ..nets.generator import load_generator
from ..nets.vgg import load_vgg
from ..style.style import load_style
from ..taste.style_map import map_of
from ..training.style_pictures import MAX_PICTURES
from .console import print_line
from .flags import Parser, add_output
from .inputs import new_file, picture_files


def map_flags(parser: Parser) -> None:
    """`map STYLE... -o FILE`."""
    parser.add_argument("styles", nargs="*", metavar="STYLE", help="style files")
    parser.add_argument(
        "--pictures", nargs="+", default=[], metavar="PICTURE", help="pictures, files or folders"
    )
    add_output(parser, "picture to write, .png or .jpg", "FILE")


def map(arguments: Namespace) -> None:  # noqa: A001 (the command's name)
    """Draw a map of styles, the answers stored in them, and pictures."""
    target = new_file(arguments.output, [".png", ".jpg", ".jpeg"], arguments.overwrite)
    files = picture_files(arguments.pictures, MAX_PICTURES) if arguments.pictures else []
    styles = {Path(path).stem: load_style(Path(path)) for path in arguments.styles}
    drawn = map_of([open_image(path) for path in files], styles, load_generator(), load_vgg())
    save_image(target, drawn, overwrite=arguments.overwrite)
    print_line(str(target))
