"""`pstyle damage`: pictures damaged in a learned damage style."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..core.seeding import generator_of
from ..image.listing import list_pictures
from ..image.reading import open_image
from ..image.writing import save_image
from ..restoration.damage.damage_style import DamagingConfig, load_damage
from .each import write_each
from .flags import Parser, add_output, add_pictures, add_settings, settings_from


def damage_flags(parser: Parser) -> None:
    """`damage DAMAGE PICTURE... -o DIR`."""
    parser.add_argument("damage", metavar="DAMAGE", help="damage style file")
    add_pictures(parser, "clean pictures")
    add_output(parser, "folder to write NAME.png into, created if missing", "DIR")
    add_settings(parser, DamagingConfig)


def damage(arguments: Namespace) -> None:
    """Damage pictures one by one; unreadable ones are skipped and reported at the end."""
    config = settings_from(arguments, DamagingConfig)
    style, files = load_damage(arguments.damage), list_pictures(arguments.pictures)

    def write(file: Path, target: Path, number: int) -> None:
        made = style.damage_pictures(open_image(file), generator_of(config.seed, number), config.strength)
        save_image(target, made.image, overwrite=arguments.overwrite)

    write_each(files, arguments, "damaging", "damaged", write)
