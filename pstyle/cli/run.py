"""`pstyle run`: a ComfyUI workflow without ComfyUI."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..core.device import choose_device
from ..core.folders import PACK_ROOT, current_folders
from ..workflow import Progress, Runner
from .console import counter, print_line
from .flags import Parser, add_device


def run_flags(parser: Parser) -> None:
    """`run WORKFLOW.json`."""
    folders = current_folders()
    parser.add_argument("workflow", metavar="WORKFLOW.json", help="workflow in API or editor format")
    parser.add_argument(
        "--input", metavar="DIR", default=folders.input, help="where pictures are loaded from (default input)"
    )
    parser.add_argument(
        "--output", metavar="DIR", default=folders.output, help="where pictures are saved (default output)"
    )
    parser.add_argument(
        "--models",
        metavar="DIR",
        default=folders.models,
        help="folder with pstyle/ in it (default: beside the package)",
    )
    parser.add_argument(
        "--set",
        metavar="NODE.INPUT=VALUE",
        action="append",
        default=[],
        help="change a value; NODE is an id, or a class or title that only one node has (repeatable)",
    )
    add_device(parser)


def run(arguments: Namespace) -> None:
    """Run a workflow and print the pictures that it saved."""
    overrides, device = dict(_setting(text) for text in arguments.set), arguments.device
    choose_device(device)  # reports a missing device before the work begins
    try:
        runner = Runner(PACK_ROOT, arguments.input, arguments.output, arguments.models, device)
    except ImportError as error:
        raise ValueError(str(error)) from error
    with counter("running", unit="node") as bar:

        def on_progress(progress: Progress) -> None:
            bar.total = progress.total
            bar.set_postfix_str(progress.title, refresh=False)
            bar.update(progress.finished - bar.n)

        result = runner.run(Path(arguments.workflow), overrides, on_progress)
    for saved in result.saved:
        print_line(str(saved))


def _setting(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign:
        raise ValueError(f"--set needs NODE.INPUT=VALUE, got {text!r}")
    return key, value
