"""`pstyle finetune`: a style and its pictures in, a fine-tuned style file out."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..core.device import choose_device
from ..core.process_group import process_group_from_environment
from ..finetuning.finetune_config import FinetuneConfig
from ..finetuning.finetuning import Finetuning
from ..style.style import load_style
from .console import tell
from .flags import (
    Parser,
    add_pictures,
    add_settings,
    settings_from,
)
from .style_runs import add_style_flags, prepared, run_and_keep


def finetune_flags(parser: Parser) -> None:
    """`finetune STYLE PICTURE... -o STYLE2`."""
    parser.add_argument("style", metavar="STYLE", help="style file to start from; it is left as it is")
    add_pictures(parser)
    add_style_flags(parser, "style file to write, another than STYLE")
    add_settings(parser, FinetuneConfig)


def finetune(arguments: Namespace) -> None:
    """Fine-tune a style; unless that wins on held-out pictures, the style is written as it was.

    Several processes, started by `torchrun`, train together, and the first one writes and tells.
    """
    config = settings_from(arguments, FinetuneConfig)
    style = load_style(arguments.style)
    with process_group_from_environment(choose_device(arguments.device)) as processes:
        arguments.device = processes.device  # this process's own
        target, parts = prepared(arguments, config)
        finetuning = Finetuning(style, *parts, processes=processes)
        run_and_keep(finetuning, "fine-tuning", target, arguments, processes)
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
