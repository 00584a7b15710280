"""`pstyle finetune`: a style and its pictures in, a fine-tuned style file out."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..core.device import choose_device
from ..core.process_group import process_group_from_environment
from ..finetuning.finetune_config import FinetuneConfig
from ..finetuning.finetuning import Finetuning
from ..style.style import load_style
from .console import print_line
from .flags import (
    Parser,
    add_pictures,
    add_settings,
    settings_from,
)
from .style_runs import add_style_flags, prepared, run_and_keep


def finetune_flags(parser: Parser) -> None:
    """`finetune STYLE PICTURE... -o STYLE2`."""
    parser.add_argument("style", metavar="STYLE", help="style file to start from; it stays unchanged")
    add_pictures(parser)
    add_style_flags(parser, "style file to write, different from STYLE")
    add_settings(parser, FinetuneConfig)


def finetune(arguments: Namespace) -> None:
    """Fine-tune a style; unless it wins on held-out pictures, the original style is written.

    Several processes, started by `torchrun`, train together; the first one writes and prints.
    """
    config = settings_from(arguments, FinetuneConfig)
    style = load_style(arguments.style)
    with process_group_from_environment(choose_device(arguments.device)) as processes:
        arguments.device = processes.device  # this process's own
        target, parts = prepared(arguments, config)
        finetuning = Finetuning(style, *parts, processes=processes)
        run_and_keep(finetuning, "fine-tuning", target, arguments, processes)
    if processes.first:
        _report(finetuning, target)


def _report(finetuning: Finetuning, target: Path) -> None:
    finetuned = finetuning.result()
    print_line(finetuned.verdict)
    if finetuned.checks:
        last = finetuned.checks[-1]
        print_line(
            f"accuracy of the discriminator on held-out crops: {last['held_out_accuracy']:.2f} (0.5 is "
            f"guessing), with a logit gap of {last['logit_gap']:.2f}"
        )
    print_line(str(target))
