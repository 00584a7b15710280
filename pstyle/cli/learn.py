"""`pstyle learn`: pictures in, a style file out."""

from __future__ import annotations

from argparse import Namespace

from ..training.learning import LearnConfig, Learning
from ..training.loss_history import save_history
from .console import print_line
from .flags import (
    Parser,
    add_pictures,
    add_settings,
    settings_from,
)
from .inputs import new_file
from .style_runs import add_style_flags, prepared, rated, run_and_keep


def learn_flags(parser: Parser) -> None:
    """`learn PICTURE... -o STYLE`."""
    add_pictures(parser)
    add_style_flags(parser, "style file to write")
    parser.add_argument(
        "--stars",
        metavar="S,S,...",
        help="how much you like each picture, 1 to 5; the style avoids disliked pictures, with 0 stars",
    )
    parser.add_argument(
        "--history", metavar="FILE", help=".json file to write the losses of every step to, for `report`"
    )
    add_settings(parser, LearnConfig)


def learn(arguments: Namespace) -> None:
    """Learn a style; after Ctrl-C, the style learned so far is saved."""
    config = settings_from(arguments, LearnConfig)
    history = new_file(arguments.history, [".json"], arguments.overwrite) if arguments.history else None
    target, parts = prepared(arguments, config)
    learning = Learning(*rated(parts, arguments.stars))
    try:
        run_and_keep(learning, "learning", target, arguments)
    finally:
        if history:
            save_history(history, learning.history, overwrite=arguments.overwrite)
    print_line(str(target))
