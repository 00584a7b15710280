"""The command line: `pstyle COMMAND ...`, or `python -m pstyle COMMAND ...`.

A command's module is imported only when the command runs, so help appears at once. Results are printed on
stdout; progress and one-sentence errors go to stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from .. import __version__
from .flags import Parser

# Command -> what it does. Its module has its name, and two functions: NAME_flags and NAME.
COMMANDS = {
    "demo": "learn, paint, fine-tune and compare on real photographs",
    "learn": "learn a style from 1 to 50 pictures",
    "paint": "paint pictures in a learned style",
    "paint-360": "paint 360 pictures without seams or pinched poles, saved as 360",
    "paint-stereo": "paint stereo pictures, flat or 360, so that both eyes agree",
    "finetune": "fine-tune a style against a discriminator of its pictures",
    "taste": "move a style toward what you like, by choosing among candidates",
    "map": "draw a map of styles and pictures",
    "learn-damage": "learn the damage of a few scans as a style",
    "restore": "restore damaged pictures, and fill in areas that a mask marks as lost",
    "train-restorer": "fine-tune the restorer on your own clean pictures, or train a new one",
    "damage": "damage pictures in a learned damage style",
    "optimize": "optimize one picture directly: slow, and the best there is",
    "run": "run a ComfyUI workflow without ComfyUI",
    "inspect": "show the contents and origin of a style file",
    "score": "score a painted picture against its content and style",
    "score-seams": "score seams and poles of 360 pictures, and agreement of stereo pictures",
    "report": "write an HTML page about a style",
    "get-vgg": "download ImageNet's VGG-19, for better losses",
    "train-base": "train the weights that this package ships, from your own pictures",
}
BAD_INPUT, INTERRUPTED = 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, 2 for bad input, 130 after Ctrl-C."""
    try:
        return dispatch(sys.argv[1:] if argv is None else list(argv))
    except KeyboardInterrupt as stop:
        return complain(str(stop) or "stopped", INTERRUPTED)
    except (ValueError, OSError) as error:
        return complain(str(error), BAD_INPUT)
    except (ArithmeticError, RuntimeError) as error:
        if not is_explained(error):
            raise
        return complain(str(error), BAD_INPUT)


def dispatch(argv: Sequence[str]) -> int:
    """Parse and run a command; errors are raised as exceptions."""
    if not argv or argv[0] in ("-h", "--help"):
        sys.stdout.write(overview())
        return 0 if argv else complain("give a command; `pstyle --help` lists them", BAD_INPUT)
    if argv[0] == "--version":
        sys.stdout.write(f"pstyle {__version__}\n")
        return 0
    if argv[0] not in COMMANDS:
        raise ValueError(f"there is no command {argv[0]!r}: choose one of {', '.join(COMMANDS)}")
    summary, name = COMMANDS[argv[0]], argv[0].replace("-", "_")
    module = import_module(f".{name}", __name__)
    parser = Parser(prog=f"pstyle {argv[0]}", description=f"{summary[0].upper()}{summary[1:]}.")
    getattr(module, f"{name}_flags")(parser)
    try:
        arguments = parser.parse_args(argv[1:])
    except SystemExit as done:  # after --help
        return int(done.code or 0)
    getattr(module, name)(arguments)
    return 0


def overview() -> str:
    """The text of `pstyle --help`."""
    lines = [f"  {name:<16}{summary}" for name, summary in COMMANDS.items()]
    return "\n".join(
        [
            "usage: pstyle COMMAND ...",
            "",
            "Learns your image style from a handful of your pictures and paints any picture in it.",
            "",
            *lines,
            "",
            "`pstyle COMMAND --help` lists the flags of a command; `pstyle --version` prints the version.",
            "",
        ]
    )


def is_explained(error: BaseException) -> bool:
    """Whether an error's message is meant for users."""
    from ..training.guarded_optimizer import NotFinite
    from ..workflow import NodeFailed

    return isinstance(error, (NotFinite, NodeFailed))


def complain(message: str, code: int) -> int:
    """Print one line on stderr, without control characters; returns the exit code."""
    line = " ".join(message.split())
    sys.stderr.write(f"pstyle: {''.join(c if c.isprintable() else ascii(c)[1:-1] for c in line)}\n")
    return code
