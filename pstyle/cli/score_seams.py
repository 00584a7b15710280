"""`pstyle score-seams`: scores of seams, poles and stereo agreement."""

from __future__ import annotations

from argparse import Namespace

from ..image.listing import list_pictures
from ..image.reading import open_image
from ..vr.seam_scores import SeamConfig, mean_scores, score_lines, seam_scores
from .console import print_line
from .flags import Parser, add_pictures, add_settings, settings_from


def score_seams_flags(parser: Parser) -> None:
    """`score-seams PICTURE...`."""
    add_pictures(parser, "360 or stereo pictures to score")
    parser.add_argument("--content", metavar="FILE", help="the picture before it was painted")
    add_settings(parser, SeamConfig)


def score_seams(arguments: Namespace) -> None:
    """Print the mean scores of pictures."""
    config = settings_from(arguments, SeamConfig)
    content = open_image(arguments.content) if arguments.content else None
    files = list_pictures(arguments.pictures)
    scores = mean_scores([seam_scores(open_image(file), config, content) for file in files])
    for line in score_lines(scores, config, content is not None):
        print_line(line)
