"""`pstyle paint`: pictures in, painted pictures out."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..batch.job import Job
from ..image.listing import list_pictures
from ..image.reading import open_image
from ..image.writing import save_image
from ..painting.paint import SizeConfig
from ..painting.streaming import is_large
from ..style.paint_settings import PaintSettings
from .each import write_each
from .flags import (
    Parser,
    add_device,
    add_output,
    add_pictures,
    add_settings,
    settings_from,
)
from .paint_folder import folder_flags, is_folder, paint_folder
from .paint_video import is_video, paint_video, video_flags
from .streaming import paint_large


def paint_flags(parser: Parser) -> None:
    """`paint STYLE PICTURE... -o DIR`, `paint STYLE DIR -o DIR`, or `paint STYLE VIDEO -o FILE`."""
    parser.add_argument("style", metavar="STYLE", help="style file")
    add_pictures(parser, "pictures to paint, or one video")
    add_output(parser, "folder to write NAME.png into, created if missing; for a video, its file", "DIR")
    parser.add_argument("--mask", metavar="FILE", help="paint where this picture is white")
    parser.add_argument(
        "--second", metavar="STYLE", help="style file to paint in where the mask is black (default: no paint)"
    )
    add_settings(parser, PaintSettings)
    add_settings(parser, SizeConfig)
    folder_flags(parser)
    video_flags(parser)
    add_device(parser)


def paint(arguments: Namespace) -> None:
    """Paint pictures one by one; unreadable ones are skipped and reported at the end."""
    if is_video(arguments):
        return paint_video(arguments)
    job = asked_for(arguments)
    if is_folder(arguments):
        return paint_folder(job, arguments)
    files, work = list_pictures(arguments.pictures), job.work()

    def write(file: Path, target: Path, number: int) -> None:
        if is_large(file):
            paint_large(file, target, work, arguments.overwrite)
        else:
            save_image(target, work.paint(open_image(file)), overwrite=arguments.overwrite)

    write_each(files, arguments, "painting", "painted", write)


def asked_for(arguments: Namespace) -> Job:
    """Build the painting from the flags. Raises ValueError."""
    settings, size = settings_from(arguments, PaintSettings), settings_from(arguments, SizeConfig)
    mask, second = (Path(file) if file else None for file in (arguments.mask, arguments.second))
    return Job(Path(arguments.style), settings, size, mask, second, arguments.device)
