"""`pstyle get-vgg`: downloads ImageNet's VGG-19."""

from __future__ import annotations

from argparse import Namespace

from ..core.folders import current_folders
from ..nets.pretrained import get_vgg as fetch_vgg
from .console import print_line
from .flags import Parser


def get_vgg_flags(parser: Parser) -> None:
    """`get-vgg`."""
    parser.add_argument(
        "--folder",
        metavar="DIR",
        default=current_folders().style_models,
        help="folder to put it into (default: the model folder, where --vgg finds it)",
    )
    parser.add_argument("--url", help="download address (default: torchvision's)")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")


def get_vgg(arguments: Namespace) -> None:
    """Download VGG-19 and print its path."""
    path = fetch_vgg(arguments.folder, arguments.url, print_line, arguments.overwrite)
    print_line(str(path))
    print_line(f"use it with: pstyle learn ... --vgg {path.stem}")
