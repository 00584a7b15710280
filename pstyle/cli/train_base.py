"""`pstyle train-base`: the networks this package ships, trained from pictures."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..core.device import choose_device
from ..core.process_group import process_group_from_environment
from ..image.pictures import list_pictures
from ..training.base_run import BaseRunConfig, Material, make_weights
from .flags import Parser, add_device, add_output, add_settings, settings_from
from .screen import counter, tell


def train_base_flags(parser: Parser) -> None:
    """`train-base --teacher FILE... --photos DIR... --paintings DIR... -o DIR --state DIR`."""
    parser.add_argument(
        "--teacher",
        nargs="+",
        required=True,
        metavar="FILE",
        help="VGG-19 as .safetensors, the most trusted first, the cheapest last; any may end early",
    )
    for name, what in (("photos", "photographs"), ("paintings", "paintings")):
        parser.add_argument(
            f"--{name}", nargs="+", required=True, metavar="DIR", help=f"{what}, files or folders of folders"
        )
    add_output(parser, "folder to write the weights into; made if it is not there", "DIR")
    parser.add_argument(
        "--state", required=True, metavar="DIR", help="folder of this run, to go on in after a kill"
    )
    add_device(parser)
    add_settings(parser, BaseRunConfig)


def train_base(arguments: Namespace) -> None:
    """Make the weights and tell where they are; several processes, started by `torchrun`, train together."""
    config = settings_from(arguments, BaseRunConfig)
    material = Material(
        teachers=[Path(path) for path in arguments.teacher],
        photos=list_pictures(arguments.photos, recursive=True),
        paintings=list_pictures(arguments.paintings, recursive=True),
    )
    shown = "preparing"
    with (
        process_group_from_environment(choose_device(arguments.device)) as processes,
        counter(shown, shown=processes.first) as bar,
    ):

        def on_step(stage: str, steps: int, record: dict[str, float]) -> None:
            nonlocal shown
            if stage != shown:
                shown = stage
                bar.reset(total=steps)
                bar.set_description(stage, refresh=False)
            bar.set_postfix(loss=f"{record['loss']:.4g}", refresh=False)
            bar.update(record["step"] - bar.n)

        out, state = Path(arguments.output), Path(arguments.state)
        paths = make_weights(material, out, state, config, on_step, arguments.overwrite, processes)
    for path in paths if processes.first else ():
        tell(str(path))
