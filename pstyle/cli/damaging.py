"""`pstyle learn-damage` and `pstyle damage`: scans in, a damage style out; pictures in, damaged ones out."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..core.seeding import generator_of
from ..image.pictures import list_pictures, open_image, save_image
from ..restoration.damage.damage_style import DamagingConfig, load_damage, save_damage
from ..restoration.damage.fitting import LearnDamageConfig
from ..restoration.damage.learning_damage import MAX_SCANS
from ..restoration.damage.learning_damage import learn_damage as learn
from .each import write_each
from .flags import Parser, add_output, add_pictures, add_settings, settings_from
from .inputs import MAX_CONTENTS, new_file, picture_files
from .learning import SUFFIX
from .screen import counter, tell


def learn_damage_flags(parser: Parser) -> None:
    """`learn-damage SCAN... -o DAMAGE`."""
    add_pictures(parser, "damaged scans of one kind")
    add_output(parser, "damage style file to write", "DAMAGE")
    parser.add_argument(
        "--clean",
        nargs="+",
        metavar="PICTURE",
        help="clean pictures of what the scans show or alike, to practice on (default: drawn scenes)",
    )
    add_settings(parser, LearnDamageConfig)


def learn_damage(arguments: Namespace) -> None:
    """Learn a damage style and write it."""
    config = settings_from(arguments, LearnDamageConfig)
    target = new_file(arguments.output, [SUFFIX], arguments.overwrite)
    scans = [open_image(file) for file in picture_files(arguments.pictures, MAX_SCANS)]
    clean = [open_image(file) for file in picture_files(arguments.clean or [], MAX_CONTENTS)]
    steps = config.rounds + (config.residue_steps if clean else 0)
    with counter("learning damage", steps, "step") as bar:
        style = learn(scans, config, clean, on_step=lambda done, total: bar.update())
    save_damage(target, style, overwrite=arguments.overwrite)
    tell(style.provenance.note)
    tell(str(target))


def damage_flags(parser: Parser) -> None:
    """`damage DAMAGE PICTURE... -o DIR`."""
    parser.add_argument("damage", metavar="DAMAGE", help="damage style file")
    add_pictures(parser, "clean pictures")
    add_output(parser, "folder to write NAME.png into, made if it is not there", "DIR")
    add_settings(parser, DamagingConfig)


def damage(arguments: Namespace) -> None:
    """Damage pictures one after the other; one that cannot be read is passed over, and told at the end."""
    config = settings_from(arguments, DamagingConfig)
    style, files = load_damage(arguments.damage), list_pictures(arguments.pictures)

    def write(file: Path, target: Path, number: int) -> None:
        made = style.damage_pictures(open_image(file), generator_of(config.seed, number), config.strength)
        save_image(target, made.image, overwrite=arguments.overwrite)

    write_each(files, arguments, "damaging", "damaged", write)
