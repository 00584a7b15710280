"""`pstyle demo`: learn, paint, fine-tune and compare on real photographs."""

from __future__ import annotations

from argparse import Namespace

from .console import print_line, steps_bar
from .demo_story import DemoConfig, run_demo
from .flags import Parser, add_device, add_output, add_settings, settings_from
from .inputs import new_folder


def demo_flags(parser: Parser) -> None:
    """`demo -o DIR`."""
    add_output(parser, "folder to write into, created if missing", "DIR")
    add_device(parser)
    add_settings(parser, DemoConfig)


def demo(arguments: Namespace) -> None:
    """Run the demo and print the files that it wrote."""
    config = settings_from(arguments, DemoConfig)
    found = run_demo(
        new_folder(arguments.output), config, arguments.device, arguments.overwrite, watch=steps_bar
    )
    print_line(found.verdict)
    for path in found.files:
        print_line(str(path))
