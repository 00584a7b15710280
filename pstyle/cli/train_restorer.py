"""`pstyle train-restorer`: fine-tune the restorer on your own clean pictures, or train a new one."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..core.device import choose_device
from ..image.reading import open_image
from ..restoration.damage.damage_style import load_damage
from ..restoration.repair.learning_restorer import LearnRestorerConfig, learn_restorer
from ..restoration.repair.restorer import load_restorer, save_restorer
from ..restoration.repair.restorer_run import RestorerRunConfig, make_restorer
from .console import counter, print_line, stages_bar
from .flags import (
    Parser,
    add_device,
    add_loss_network,
    add_output,
    add_pictures,
    add_settings,
    settings_from,
)
from .inputs import MAX_CONTENTS, find_vgg, listed_pictures, new_file, optional_path, picture_files
from .style_runs import SUFFIX


def train_restorer_flags(parser: Parser) -> None:
    """`train-restorer PICTURE... -o RESTORER`."""
    add_pictures(parser, "clean pictures")
    add_output(parser, "restorer file to write", "RESTORER")
    parser.add_argument(
        "--damage", metavar="DAMAGE", help="damage style for half of the training (default: random damage)"
    )
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--restorer", metavar="FILE", help="restorer to start from (default: the shipped one)")
    start.add_argument("--new", action="store_true", help="train a new restorer, as the shipped one was")
    parser.add_argument("--state", metavar="DIR", help="with --new: folder of this run, to resume it from")
    add_loss_network(parser)
    add_settings(parser, RestorerRunConfig)
    add_device(parser)


def train_restorer(arguments: Namespace) -> None:
    """Train a restorer and write it: fine-tuned, or a new one with `--new`."""
    target = new_file(arguments.output, [SUFFIX], arguments.overwrite)
    if arguments.new:
        make_new_restorer(arguments, target)
    else:
        train_on(arguments, target)
    print_line(str(target))


def make_new_restorer(arguments: Namespace, target: Path) -> None:
    """`train-restorer --new`: all stages of the shipped restorer."""
    config = settings_from(arguments, RestorerRunConfig)
    if not arguments.state or arguments.damage:
        raise ValueError("--new needs --state DIR, and takes no --damage: fine-tune with that afterwards")
    files, vgg = listed_pictures(arguments.pictures), find_vgg(arguments.vgg)
    state, device = Path(arguments.state), choose_device(arguments.device)
    with stages_bar() as bar:
        make_restorer(files, vgg, target, state, config, bar, arguments.overwrite, device, bar.estimate)


def train_on(arguments: Namespace, target: Path) -> None:
    """`train-restorer`: fine-tune an existing restorer."""
    config = settings_from(arguments, LearnRestorerConfig)
    if arguments.state:
        raise ValueError("--state is the folder of a new restorer's run: add --new")
    files = picture_files(arguments.pictures, MAX_CONTENTS)
    pictures = [open_image(file) for file in files]
    damage = load_damage(Path(arguments.damage)) if arguments.damage else None
    device = choose_device(arguments.device)
    start, vgg = (
        load_restorer(optional_path(arguments.restorer)).to(device),
        find_vgg(arguments.vgg).to(device),
    )
    with counter("training", config.steps) as bar:

        def on_step(record: dict[str, float]) -> None:
            bar.set_postfix(loss=f"{record['loss']:.4g}", refresh=False)
            bar.update()

        found = learn_restorer(pictures, start, vgg, config, damage, on_step)
    origin = f"trained on with {len(files)} pictures for {config.steps} steps"
    save_restorer(target, found, origin, overwrite=arguments.overwrite)
