"""`pstyle restore`: damaged pictures in, restored ones out."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from pathlib import Path

from ..image.listing import list_pictures
from ..image.reading import open_image, open_mask
from ..image.writing import save_image
from ..painting.painter import load_painter
from ..painting.streaming import is_large, paint_file
from ..restoration.repair.restorer import load_restorer
from ..restoration.repair.restoring import RepairConfig, RestorationPipeline
from .each import write_each
from .flags import Parser, add_device, add_output, add_pictures, add_settings, settings_from
from .inputs import optional_path


def restore_flags(parser: Parser) -> None:
    """`restore PICTURE... -o DIR`."""
    add_pictures(parser, "damaged pictures")
    add_output(parser, "folder to write NAME.png into, created if missing", "DIR")
    parser.add_argument("--restorer", metavar="FILE", help="restorer file (default: the shipped one)")
    lost = parser.add_mutually_exclusive_group()
    lost.add_argument("--mask", metavar="FILE", help="fill in where this picture, of the same size, is white")
    lost.add_argument("--find", action="store_true", help="fill in detected marks and holes")
    parser.add_argument("--style", metavar="STYLE", help="style file to fill in with (default: none)")
    add_settings(parser, RepairConfig)
    add_device(parser)


def restore(arguments: Namespace) -> None:
    """Restore pictures one by one; unusable ones are skipped and reported at the end."""
    config = settings_from(arguments, RepairConfig)
    if arguments.style and not (arguments.mask or arguments.find):
        raise ValueError("--style fills in lost areas: add --mask FILE or --find")
    files = list_pictures(arguments.pictures)
    pipeline = RestorationPipeline(load_restorer(optional_path(arguments.restorer)), arguments.device)
    painter = load_painter(arguments.style, arguments.device) if arguments.style else None
    mask = open_mask(arguments.mask) if arguments.mask else None
    work = partial(pipeline.repaired, strength=config.strength)

    def write(file: Path, target: Path, number: int) -> None:
        if is_large(file) and not (arguments.mask or arguments.find):
            paint_file(file, target, work, overwrite=arguments.overwrite)
        else:
            picture = open_image(file)
            lost = pipeline.find_marks(picture) if arguments.find else mask
            save_image(target, pipeline(picture, lost, config, painter), overwrite=arguments.overwrite)

    write_each(files, arguments, "restoring", "restored", write)
