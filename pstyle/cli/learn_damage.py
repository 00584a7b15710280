"""`pstyle learn-damage`: scans in, a damage style out."""

from __future__ import annotations

from argparse import Namespace

from ..image.reading import open_image
from ..restoration.damage.damage_style import save_damage
from ..restoration.damage.fitting import LearnDamageConfig
from ..restoration.damage.learning_damage import MAX_SCANS
from ..restoration.damage.learning_damage import learn_damage as learn
from .console import counter, print_line
from .flags import Parser, add_output, add_pictures, add_settings, settings_from
from .inputs import MAX_CONTENTS, new_file, picture_files
from .style_runs import SUFFIX


def learn_damage_flags(parser: Parser) -> None:
    """`learn-damage SCAN... -o DAMAGE`."""
    add_pictures(parser, "damaged scans of one kind")
    add_output(parser, "damage style file to write", "DAMAGE")
    parser.add_argument(
        "--clean",
        nargs="+",
        metavar="PICTURE",
        help="clean pictures of similar subjects, to practice on (default: drawn scenes)",
    )
    add_settings(parser, LearnDamageConfig)


def learn_damage(arguments: Namespace) -> None:
    """Learn a damage style and write it."""
    config = settings_from(arguments, LearnDamageConfig)
    target = new_file(arguments.output, [SUFFIX], arguments.overwrite)
    scans = [open_image(file) for file in picture_files(arguments.pictures, MAX_SCANS)]
    clean = [open_image(file) for file in picture_files(arguments.clean or [], MAX_CONTENTS)]
    with counter("learning damage", config.rounds, "round") as bar:
        style = learn(scans, config, clean, on_step=lambda done, total: bar.update())
    save_damage(target, style, overwrite=arguments.overwrite)
    print_line(str(target))
