"""Shared code of `pstyle learn` and `pstyle finetune`: pictures, contents, saving a style when stopped."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from ..core.process_group import ALONE, ProcessGroup
from ..finetuning.finetune_config import FinetuneConfig
from ..finetuning.finetuning import Finetuning
from ..image.reading import open_image
from ..style.style import save_style
from ..taste.stars import DISLIKED, weights_from_stars
from ..training.learning import LearnConfig, Learning
from ..training.style_pictures import MAX_PICTURES
from .console import steps_bar
from .flags import (
    Parser,
    add_content,
    add_device,
    add_loss_network,
    add_output,
)
from .inputs import networks, new_file, open_contents, picture_files, read_stars, read_weights

SUFFIX = ".safetensors"


def prepared(arguments: Namespace, config: LearnConfig | FinetuneConfig) -> tuple[Path, list[Any]]:
    """The file to write, and the arguments of both loops."""
    target = new_file(arguments.output, [SUFFIX], arguments.overwrite)
    files = picture_files(arguments.pictures, MAX_PICTURES)
    weights = read_weights(arguments.weights, len(files))
    pictures = [open_image(file) for file in files]
    contents = open_contents(arguments.content, config.size_px, config.seed)
    return target, [pictures, contents, *networks(arguments), config, weights]


def rated(parts: list[Any], text: str | None) -> list[Any]:
    """The arguments of `Learning`, with pictures weighted by stars and the disliked ones separate."""
    pictures, *others, weights = parts
    if text is None:
        return parts
    stars = read_stars(text, len(pictures))
    shares = weights_from_stars(stars)
    kept = [(picture, w * s) for picture, w, s in zip(pictures, weights, shares, strict=True) if s]
    disliked = [picture for picture, star in zip(pictures, stars, strict=True) if star == DISLIKED]
    return [[picture for picture, _ in kept], *others, [weight for _, weight in kept], disliked]


def run_and_keep(
    loop: Learning | Finetuning,
    what: str,
    target: Path,
    arguments: Namespace,
    processes: ProcessGroup = ALONE,
) -> None:
    """Run a loop and write its style, even if Ctrl-C stops it."""
    state = new_file(arguments.state, [SUFFIX], overwrite=True) if arguments.state else None
    try:
        with steps_bar(what, processes.first) as on_step:
            loop.run(on_step, state)
    except KeyboardInterrupt as stop:
        if processes.first:
            save_style(target, loop.result().style, overwrite=arguments.overwrite)
        raise KeyboardInterrupt(f"stopped; the style so far is in {str(target)!r}") from stop
    if processes.first:
        save_style(target, loop.result().style, overwrite=arguments.overwrite)


def add_style_flags(parser: Parser, what: str) -> None:
    add_output(parser, what, "STYLE")
    add_content(parser)
    parser.add_argument(
        "--weights",
        metavar="W,W,...",
        help="weight of each picture, in the order given (default: all equal)",
    )
    parser.add_argument(
        "--state",
        metavar="FILE",
        help=".safetensors file written every 50 steps, to resume from after a kill",
    )
    add_loss_network(parser)
    add_device(parser)
