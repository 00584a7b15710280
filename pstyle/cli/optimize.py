"""`pstyle optimize`: one picture optimized directly."""

from __future__ import annotations

from argparse import Namespace

from ..core.device import choose_device
from ..image.reading import open_image
from ..image.writing import save_image
from ..nets.vgg import load_vgg
from ..training.optimize import OptimizeConfig
from ..training.optimize import optimize as optimize_picture
from ..training.style_pictures import MAX_PICTURES
from .console import print_line, steps_bar
from .flags import Parser, add_device, add_loss_network, add_output, add_pictures, add_settings, settings_from
from .inputs import new_file, perceptual, picture_files, read_weights


def optimize_flags(parser: Parser) -> None:
    """`optimize CONTENT STYLE_PICTURE... -o FILE`."""
    parser.add_argument("content", metavar="CONTENT", help="picture to paint")
    add_pictures(parser)
    add_output(parser, "picture to write, .png or .jpg", "FILE")
    parser.add_argument(
        "--weights", metavar="W,W,...", help="weight of each style picture (default: all equal)"
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
    print_line(str(target))
