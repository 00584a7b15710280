"""`pstyle learn` and `pstyle finetune`: pictures in, a style file out."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from ..core.device import choose_device
from ..core.process_group import ALONE, ProcessGroup, process_group_from_environment
from ..finetuning.adversarial import FinetuneConfig, Finetuning
from ..image.pictures import open_image
from ..style.style import load_style, save_style
from ..taste.stars import DISLIKED, weights_from_stars
from ..training.learning import MAX_PICTURES, LearnConfig, Learning
from ..training.loss_history import save_history
from .flags import (
    Parser,
    add_content,
    add_device,
    add_loss_network,
    add_output,
    add_pictures,
    add_settings,
    settings_from,
)
from .inputs import networks, new_file, open_contents, picture_files, read_stars, read_weights
from .screen import steps_bar, tell

SUFFIX = ".safetensors"


def learn_flags(parser: Parser) -> None:
    """`learn PICTURE... -o STYLE`."""
    add_pictures(parser)
    _add_common_flags(parser, "style file to write")
    parser.add_argument(
        "--stars",
        metavar="S,S,...",
        help="how much you like each picture, 1 to 5; 0 is disliked, and the style keeps away from it",
    )
    parser.add_argument(
        "--history", metavar="FILE", help="a .json file to write the losses of every step to, for `report`"
    )
    add_settings(parser, LearnConfig)


def learn(arguments: Namespace) -> None:
    """Learn a style; after Ctrl-C the style as learned so far is kept."""
    config = settings_from(arguments, LearnConfig)
    history = new_file(arguments.history, [".json"], arguments.overwrite) if arguments.history else None
    target, parts = _prepared(arguments, config)
    learning = Learning(*_rated(parts, arguments.stars))
    try:
        _run_and_keep(learning, "learning", target, arguments)
    finally:
        if history:
            save_history(history, learning.history, overwrite=arguments.overwrite)
    tell(str(target))


def finetune_flags(parser: Parser) -> None:
    """`finetune STYLE PICTURE... -o STYLE2`."""
    parser.add_argument("style", metavar="STYLE", help="style file to start from; it is left as it is")
    add_pictures(parser)
    _add_common_flags(parser, "style file to write, another than STYLE")
    add_settings(parser, FinetuneConfig)


def finetune(arguments: Namespace) -> None:
    """Fine-tune a style; unless that wins on held-out pictures, the style is written as it was.

    Several processes, started by `torchrun`, train together, and the first one writes and tells.
    """
    config = settings_from(arguments, FinetuneConfig)
    style = load_style(arguments.style)
    with process_group_from_environment(choose_device(arguments.device)) as processes:
        arguments.device = processes.device  # this process's own
        target, parts = _prepared(arguments, config)
        finetuning = Finetuning(style, *parts, processes=processes)
        _run_and_keep(finetuning, "fine-tuning", target, arguments, processes)
    if processes.first:
        _tell_of(finetuning, target)


def _tell_of(finetuning: Finetuning, target: Path) -> None:
    finetuned = finetuning.result()
    tell(finetuned.verdict)
    if finetuned.checks:
        last = finetuned.checks[-1]
        tell(
            f"the discriminator tells {last['held_out_accuracy']:.2f} of held-out crops right, where 0.5 is "
            f"a guess, with a logit gap of {last['logit_gap']:.2f}"
        )
    tell(str(target))


def _prepared(arguments: Namespace, config: LearnConfig | FinetuneConfig) -> tuple[Path, list[Any]]:
    """The file to write, and what both loops are made from."""
    target = new_file(arguments.output, [SUFFIX], arguments.overwrite)
    files = picture_files(arguments.pictures, MAX_PICTURES)
    weights = read_weights(arguments.weights, len(files))
    pictures = [open_image(file) for file in files]
    contents = open_contents(arguments.content, config.size_px, config.seed)
    return target, [pictures, contents, *networks(arguments), config, weights]


def _rated(parts: list[Any], text: str | None) -> list[Any]:
    """The parts of a learning, pictures weighted by their stars, and the disliked ones apart."""
    pictures, *others, weights = parts
    if text is None:
        return parts
    stars = read_stars(text, len(pictures))
    shares = weights_from_stars(stars)
    kept = [(picture, w * s) for picture, w, s in zip(pictures, weights, shares, strict=True) if s]
    disliked = [picture for picture, star in zip(pictures, stars, strict=True) if star == DISLIKED]
    return [[picture for picture, _ in kept], *others, [weight for _, weight in kept], disliked]


def _run_and_keep(
    loop: Learning | Finetuning,
    what: str,
    target: Path,
    arguments: Namespace,
    processes: ProcessGroup = ALONE,
) -> None:
    """Run a loop and write its style, also when Ctrl-C stops it."""
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


def _add_common_flags(parser: Parser, what: str) -> None:
    add_output(parser, what, "STYLE")
    add_content(parser)
    parser.add_argument(
        "--weights",
        metavar="W,W,...",
        help="how much each picture counts, in the order given (default: all alike)",
    )
    parser.add_argument(
        "--state",
        metavar="FILE",
        help="a .safetensors file written every 50 steps, to go on from after a kill",
    )
    add_loss_network(parser)
    add_device(parser)
