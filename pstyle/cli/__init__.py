"""The command line: `pstyle COMMAND ...`, or `python -m pstyle COMMAND ...`.

A command is looked up here and its module imported only then, so that help comes at once. What a command
made is told on stdout; progress and the one sentence about bad input go to stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from .. import __version__
from .flags import Parser

# Command -> the module beside this one that has its two functions, and what it does.
COMMANDS = {
    "demo": ("showing", "the whole story on real photographs: learn, paint, fine-tune, compare"),
    "learn": ("learning", "learn a style from 1 to 50 pictures"),
    "paint": ("painting", "paint pictures in a learned style"),
    "paint-360": ("spheres", "paint 360 pictures: no seam, no pinched poles, opened as 360"),
    "paint-stereo": ("spheres", "paint pictures of two eyes, flat or 360, so that the eyes agree"),
    "finetune": ("learning", "fine-tune a style against a discriminator of its pictures"),
    "taste": ("choosing", "move a style toward what you like, by choosing among candidates"),
    "map": ("choosing", "draw where styles and pictures lie"),
    "learn-damage": ("damaging", "learn how scans are damaged, from a few of them"),
    "restore": ("restoring", "restore damaged pictures, and fill in what a mask marks as lost"),
    "train-restorer": ("restoring", "train the restorer on with clean pictures of your own"),
    "damage": ("damaging", "damage pictures the way that scans were"),
    "optimize": ("painting", "optimize one picture directly: slow, and the best there is"),
    "run": ("showing", "run a ComfyUI workflow without ComfyUI"),
    "inspect": ("reading", "tell what a style file holds and where it came from"),
    "score": ("reading", "score a painted picture against its content and style"),
    "score-seams": ("spheres", "score how 360 and stereo pictures close and agree"),
    "report": ("reading", "write a page that shows all about a style"),
    "get-vgg": ("weights", "fetch ImageNet's VGG-19, for better losses"),
    "train-base": ("weights", "make the weights this package ships, from your own pictures"),
}
BAD_INPUT, INTERRUPTED = 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, 2 for bad input, 130 after Ctrl-C."""
    try:
        return run(sys.argv[1:] if argv is None else list(argv))
    except KeyboardInterrupt as stop:
        return complain(str(stop) or "stopped", INTERRUPTED)
    except (ValueError, OSError) as error:
        return complain(str(error), BAD_INPUT)
    except (ArithmeticError, RuntimeError) as error:
        if not is_explained(error):
            raise
        return complain(str(error), BAD_INPUT)


def run(argv: Sequence[str]) -> int:
    """Parse and carry out a command; what is wrong comes as an exception."""
    if not argv or argv[0] in ("-h", "--help"):
        sys.stdout.write(overview())
        return 0 if argv else complain("give a command; `pstyle --help` lists them", BAD_INPUT)
    if argv[0] == "--version":
        sys.stdout.write(f"pstyle {__version__}\n")
        return 0
    if argv[0] not in COMMANDS:
        raise ValueError(f"there is no command {argv[0]!r}: choose one of {', '.join(COMMANDS)}")
    home, summary = COMMANDS[argv[0]]
    module, name = import_module(f".{home}", __name__), argv[0].replace("-", "_")
    parser = Parser(prog=f"pstyle {argv[0]}", description=f"{summary[0].upper()}{summary[1:]}.")
    getattr(module, f"{name}_flags")(parser)
    try:
        arguments = parser.parse_args(argv[1:])
    except SystemExit as done:  # after --help
        return int(done.code or 0)
    getattr(module, name)(arguments)
    return 0


def overview() -> str:
    """What `pstyle --help` prints."""
    lines = [f"  {name:<16}{summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: pstyle COMMAND ...",
            "",
            "Learns your image style from a handful of your pictures and paints any picture in it.",
            "",
            *lines,
            "",
            "`pstyle COMMAND --help` lists the flags of a command; `pstyle --version` tells the version.",
            "",
        ]
    )


def is_explained(error: BaseException) -> bool:
    """Whether an error is one whose message is meant for people."""
    from ..training.guarded_optimizer import NotFinite
    from ..workflow import NodeFailed

    return isinstance(error, (NotFinite, NodeFailed))


def complain(message: str, code: int) -> int:
    """One line on stderr, without control characters, and the exit code."""
    line = " ".join(message.split())
    sys.stderr.write(f"pstyle: {''.join(c if c.isprintable() else ascii(c)[1:-1] for c in line)}\n")
    return code
