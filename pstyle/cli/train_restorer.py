"""`pstyle train-restorer`: the restorer trained on with your own clean pictures."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..core.device import choose_device
from ..image.pictures import open_image
from ..nets.vgg import load_loss_vgg
from ..restoration.damage.damage_style import load_damage
from ..restoration.repair.learning_restorer import LearnRestorerConfig, learn_restorer
from ..restoration.repair.restorer import load_restorer, save_restorer
from .flags import Parser, add_device, add_output, add_pictures, add_settings, settings_from
from .inputs import MAX_CONTENTS, new_file, optional_path, picture_files
from .screen import counter, tell
from .style_runs import SUFFIX


def train_restorer_flags(parser: Parser) -> None:
    """`train-restorer PICTURE... -o RESTORER`."""
    add_pictures(parser, "clean pictures")
    add_output(parser, "restorer file to write", "RESTORER")
    parser.add_argument(
        "--damage", metavar="DAMAGE", help="damage style that half of the practice has (default: every kind)"
    )
    parser.add_argument("--restorer", metavar="FILE", help="restorer to begin with (default: shipped)")
    add_settings(parser, LearnRestorerConfig)
    add_device(parser)


def train_restorer(arguments: Namespace) -> None:
    """Train a restorer on and write it."""
    config = settings_from(arguments, LearnRestorerConfig)
    target = new_file(arguments.output, [SUFFIX], arguments.overwrite)
    files = picture_files(arguments.pictures, MAX_CONTENTS)
    pictures = [open_image(file) for file in files]
    damage = load_damage(Path(arguments.damage)) if arguments.damage else None
    device = choose_device(arguments.device)
    start, vgg = load_restorer(optional_path(arguments.restorer)).to(device), load_loss_vgg().to(device)
    with counter("training", config.steps) as bar:

        def on_step(record: dict[str, float]) -> None:
            bar.set_postfix(loss=f"{record['loss']:.4g}", refresh=False)
            bar.update()

        found = learn_restorer(pictures, start, vgg, config, damage, on_step)
    origin = f"trained on with {len(files)} pictures for {config.steps} steps"
    save_restorer(target, found, origin, overwrite=arguments.overwrite)
    tell(str(target))
