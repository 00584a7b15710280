"""`pstyle paint` and `pstyle optimize`: pictures in, painted pictures out."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..batch.job import Job
from ..core.device import choose_device
from ..image.pictures import list_pictures, open_image, save_image
from ..nets.vgg import load_vgg
from ..painting.paint import SizeConfig
from ..painting.streaming import is_large
from ..style.paint_settings import PaintSettings
from ..training.learning import MAX_PICTURES
from ..training.optimize import OptimizeConfig
from ..training.optimize import optimize as optimize_picture
from .each import write_each
from .filming import is_video, paint_video, video_flags
from .flags import (
    Parser,
    add_device,
    add_loss_network,
    add_output,
    add_pictures,
    add_settings,
    settings_from,
)
from .folders import folder_flags, is_folder, paint_folder
from .inputs import new_file, perceptual, picture_files, read_weights
from .screen import steps_bar, tell
from .streaming import paint_large


def paint_flags(parser: Parser) -> None:
    """`paint STYLE PICTURE... -o DIR`, `paint STYLE DIR -o DIR`, or `paint STYLE VIDEO -o FILE`."""
    parser.add_argument("style", metavar="STYLE", help="style file")
    add_pictures(parser, "pictures to paint, or one video")
    add_output(parser, "folder to write NAME.png into, made if it is not there; for a video its file", "DIR")
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
    """Paint pictures one after the other; one that cannot be read is passed over, and told at the end."""
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
    """The painting that the flags ask for. Raises ValueError."""
    settings, size = settings_from(arguments, PaintSettings), settings_from(arguments, SizeConfig)
    mask, second = (Path(file) if file else None for file in (arguments.mask, arguments.second))
    return Job(Path(arguments.style), settings, size, mask, second, arguments.device)


def optimize_flags(parser: Parser) -> None:
    """`optimize CONTENT STYLE_PICTURE... -o FILE`."""
    parser.add_argument("content", metavar="CONTENT", help="picture to paint")
    add_pictures(parser)
    add_output(parser, "picture to write, .png or .jpg", "FILE")
    parser.add_argument(
        "--weights", metavar="W,W,...", help="how much each style picture counts (default: all alike)"
    )
    add_loss_network(parser)
    add_device(parser)
    add_settings(parser, OptimizeConfig)


def optimize(arguments: Namespace) -> None:
    """Optimize one picture and write it."""
    config = settings_from(arguments, OptimizeConfig)
    target = new_file(arguments.output, [".png", ".jpg", ".jpeg"], arguments.overwrite)
    files = picture_files(arguments.pictures, MAX_PICTURES)
    weights = read_weights(arguments.weights, len(files))
    content, styles = open_image(arguments.content), [open_image(file) for file in files]
    loss = perceptual(arguments.vgg, load_vgg()).to(choose_device(arguments.device))
    with steps_bar("optimizing") as on_step:
        image = optimize_picture(content, styles, loss, config, weights, on_step)
    save_image(target, image, overwrite=arguments.overwrite)
    tell(str(target))
