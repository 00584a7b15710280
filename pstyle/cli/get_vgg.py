"""`pstyle get-vgg`: fetches ImageNet's VGG-19."""

from __future__ import annotations

from argparse import Namespace

from ..core.folders import current_folders
from ..nets.pretrained import get_vgg as fetch_vgg
from .console import tell
from .flags import Parser


def get_vgg_flags(parser: Parser) -> None:
    """`get-vgg`."""
    parser.add_argument(
        "--folder",
        metavar="DIR",
        default=current_folders().style_models,
        help="folder to put it into (default: the model folder, where --vgg finds it)",
    )
    parser.add_argument("--url", help="where to fetch it (default: what torchvision says)")
    parser.add_argument("--overwrite", action="store_true", help="replace the file if it exists already")


def get_vgg(arguments: Namespace) -> None:
    """Fetch VGG-19 and tell where it is."""
    path = fetch_vgg(arguments.folder, arguments.url, tell, arguments.overwrite)
    tell(str(path))
    tell(f"use it with: pstyle learn ... --vgg {path.stem}")
