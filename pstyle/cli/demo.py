"""`pstyle demo`: learn, paint, fine-tune and compare on real photographs."""

from __future__ import annotations

from argparse import Namespace

from .console import steps_bar, tell
from .demo_story import DemoConfig, run_demo
from .flags import Parser, add_device, add_output, add_settings, settings_from
from .inputs import new_folder


def demo_flags(parser: Parser) -> None:
    """`demo -o DIR`."""
    add_output(parser, "folder to write into; made if it is not there", "DIR")
    add_device(parser)
    add_settings(parser, DemoConfig)


def demo(arguments: Namespace) -> None:
    """Run the demo and tell which files it wrote."""
    config = settings_from(arguments, DemoConfig)
    told = run_demo(
        new_folder(arguments.output), config, arguments.device, arguments.overwrite, watch=steps_bar
    )
    tell(told.verdict)
    for path in told.files:
        tell(str(path))
