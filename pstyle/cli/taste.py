"""`pstyle taste`: refine a style by choosing among candidates."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from ..core.files import read_file, write_atomically
from ..image.reading import open_image
from ..image.writing import save_image
from ..nets.generator import load_generator
from ..nets.vgg import load_vgg
from ..style.answers import MAX_BYTES, SUFFIX, read_history
from ..style.style import load_style, save_style
from ..taste.screen import COMPARED_PX, SAME, SEEN_PX, UNDO, apply_answer, grid_of, shown_picture
from ..taste.taste import Taste, TasteConfig, open_taste
from ..training.style_pictures import MAX_PICTURES
from .console import print_line
from .flags import Parser, add_output, add_settings, settings_from
from .inputs import new_file, picture_files

STYLE = ".safetensors"
QUIT = "quit"


def taste_flags(parser: Parser) -> None:
    """`taste STYLE PICTURE -o STYLE2`."""
    parser.add_argument("style", metavar="STYLE", help="style file to start from; it stays unchanged")
    parser.add_argument("picture", metavar="PICTURE", help="your picture on which candidates are shown")
    add_output(parser, "style file to write, different from STYLE", "STYLE2")
    parser.add_argument(
        "--pictures",
        nargs="+",
        metavar="PICTURE",
        help="pictures that the style was learned from, to derive the directions",
    )
    parser.add_argument(
        "--taste",
        metavar="FILE",
        help=f"file to keep answers in, to continue later (default: STYLE2 with {SUFFIX})",
    )
    parser.add_argument(
        "--answers", metavar="FILE", help="read answers from a file, one per line, instead of the keyboard"
    )
    parser.add_argument(
        "--grid", metavar="FILE", help="picture of the candidates (default: STYLE2 with .png)"
    )
    parser.add_argument("--keep", type=int, metavar="N", help="first undo all but the first N answers")
    parser.add_argument(
        "--merge", nargs="+", default=[], metavar="FILE", help="first add the answers of others"
    )
    parser.add_argument("--export", metavar="FILE", help="write all answers as JSON too")
    add_settings(parser, TasteConfig)


def taste(arguments: Namespace) -> None:
    """Show candidates and read answers until there are no more; write the resulting style."""
    config = settings_from(arguments, TasteConfig)
    target = new_file(arguments.output, [STYLE], arguments.overwrite)
    grid = new_file(arguments.grid or str(target.with_suffix(".png")), [".png"], overwrite=True)
    export = new_file(arguments.export, [".json"], arguments.overwrite) if arguments.export else None
    kept = new_file(arguments.taste or str(target.with_suffix(SUFFIX)), [SUFFIX], overwrite=True)
    pictures = [open_image(path) for path in picture_files(arguments.pictures or [], MAX_PICTURES)]
    generator, vgg = load_generator(), load_vgg()
    found = open_taste(load_style(Path(arguments.style)), pictures, generator, vgg, config, kept)
    if arguments.keep is not None:
        found.history.undo(arguments.keep)
    for other in arguments.merge:
        found.history.take_over(read_history(Path(other)))
    answers = written(arguments.answers) if arguments.answers else typed()
    image = open_image(arguments.picture)
    small, large = (found.space.painter(shown_picture(image, px), generator) for px in (COMPARED_PX, SEEN_PX))
    while True:
        question = found.next_question(small)
        save_image(grid, grid_of(question, large), overwrite=True)
        print_line(f"{found.report()} Look at {str(grid)!r}: which is best?")
        answer = next(answers, QUIT)
        if answer.lower() == QUIT:
            break
        _take(found, answer, strict=bool(arguments.answers))
    save_style(target, found.style(), overwrite=arguments.overwrite)
    if export:
        text = json.dumps(found.history.export(), indent=1)
        write_atomically(export, text.encode(), overwrite=arguments.overwrite)
    print_line(str(target))


def written(path: str) -> Iterator[str]:
    """The non-empty lines of a file of answers."""
    lines = read_file(Path(path), MAX_BYTES).decode("utf-8", errors="replace").splitlines()
    return iter([line.strip() for line in lines if line.strip()])


def typed() -> Iterator[str]:
    """The lines typed, until the end of input."""
    print_line(
        f"Type a letter, '{SAME}', '{UNDO}', or best and worst as in 'A worst D'; '{QUIT}' ends and saves."
    )
    while line := sys.stdin.readline():
        if line.strip():
            yield line.strip()


def _take(found: Taste, answer: str, strict: bool) -> None:
    """Apply an answer; at the keyboard, an invalid one is reported and asked for again."""
    try:
        apply_answer(found.history, answer)
    except ValueError as error:
        if strict:
            raise
        print_line(str(error))
