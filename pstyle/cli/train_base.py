"""`pstyle train-base`: train the networks that this package ships."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..core.device import choose_device
from ..core.process_group import process_group_from_environment
from ..training.base_run import BaseRunConfig, Material, make_weights
from .console import print_line, stages_bar
from .flags import Parser, add_device, add_output, add_settings, settings_from
from .inputs import listed_pictures


def train_base_flags(parser: Parser) -> None:
    """`train-base --teacher FILE... --photos DIR... --paintings DIR... -o DIR --state DIR`."""
    parser.add_argument(
        "--teacher",
        nargs="+",
        required=True,
        metavar="FILE",
        help="VGG-19 as .safetensors, the most trusted first, the cheapest last; each may end early",
    )
    for name, what in (("photos", "photographs"), ("paintings", "paintings")):
        parser.add_argument(
            f"--{name}",
            nargs="+",
            required=True,
            metavar="DIR",
            help=f"{what}: files, folders (with subfolders), or a .txt with one path per line",
        )
    add_output(parser, "folder to write the weights into, created if missing", "DIR")
    parser.add_argument(
        "--state", required=True, metavar="DIR", help="folder of this run, to resume from after a kill"
    )
    add_device(parser)
    add_settings(parser, BaseRunConfig)


def train_base(arguments: Namespace) -> None:
    """Train the weights and print their paths; several processes, started by `torchrun`, train together."""
    config = settings_from(arguments, BaseRunConfig)
    material = Material(
        teachers=[Path(path) for path in arguments.teacher],
        photos=listed_pictures(arguments.photos),
        paintings=listed_pictures(arguments.paintings),
    )
    out, state = Path(arguments.output), Path(arguments.state)
    with (
        process_group_from_environment(choose_device(arguments.device)) as processes,
        stages_bar(shown=processes.first) as bar,
    ):
        paths = make_weights(
            material, out, state, config, bar, arguments.overwrite, processes, on_estimate=bar.estimate
        )
    for path in paths if processes.first else ():
        print_line(str(path))
