"""`pstyle inspect`: the contents and origin of a style file."""

from __future__ import annotations

from argparse import Namespace

from ..style.style import describe_style, load_style
from .console import print_line
from .flags import Parser


def inspect_flags(parser: Parser) -> None:
    """`inspect STYLE`."""
    parser.add_argument("style", metavar="STYLE", help="style file")


def inspect(arguments: Namespace) -> None:
    """Check a style file and print its contents, one entry per line."""
    for name, value in describe_style(load_style(arguments.style)).items():
        print_line(f"{name}: {value}")
