"""`pstyle paint` for videos: a video file, or the frames of one as pictures."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from pathlib import Path

from ..core.config import to_json
from ..core.files import read_file
from ..image.listing import list_pictures
from ..image.reading import MAX_FILE_BYTES
from ..painting.paint import SizeConfig
from ..painting.painter import load_painter
from ..style.paint_settings import PaintSettings
from ..video.container import OUTPUTS, SUFFIXES, Film, check_output, film_of
from ..video.resumable import paint_film, paint_frames
from ..video.stabilizing import VideoConfig, VideoPainter
from .console import counter, print_line
from .flags import Parser, add_settings, settings_from
from .inputs import kept, new_file, new_folder, output_names, refuse_existing


def video_flags(parser: Parser) -> None:
    """`--frames` and the settings of a video."""
    parser.add_argument(
        "--frames", action="store_true", help="the pictures are the frames of a video, ordered by name"
    )
    add_settings(parser, VideoConfig)


def is_video(arguments: Namespace) -> bool:
    """Whether the input is a video."""
    return arguments.frames or any(Path(path).suffix.lower() in SUFFIXES for path in arguments.pictures)


def paint_video(arguments: Namespace) -> None:
    """Paint one video; a stopped run resumes where it was when run again."""
    kinds = (PaintSettings, VideoConfig, SizeConfig)
    settings, config, size = (settings_from(arguments, kind) for kind in kinds)
    if arguments.mask or arguments.second:
        raise ValueError("--mask and --second are for pictures: leave them out for a video")
    sources = list_pictures(arguments.pictures) if arguments.frames else [Path(arguments.pictures[0])]
    if not arguments.frames and len(arguments.pictures) > 1:
        raise ValueError(f"got {len(arguments.pictures)} files, a video among them: paint one at a time")
    film = None if arguments.frames else film_of(sources[0])
    video = VideoPainter(load_painter(arguments.style, arguments.device), settings, config, size)
    run = run_id(sources, Path(arguments.style), video)
    if film:
        _paint_film(video, film, run, arguments)
    else:
        _paint_frames(video, sources, run, arguments)


def run_id(sources: list[Path], style: Path, video: VideoPainter) -> str:
    """A digest that identifies a run, so that none continues another's work."""
    found = hashlib.sha256(read_file(style, MAX_FILE_BYTES))
    for source in sources:
        about = source.stat()
        found.update(f"{source.resolve()} {about.st_size} {about.st_mtime_ns}\n".encode())
    settings = [to_json(one) for one in (video.settings, video.config, video.size)]
    found.update("\n".join([*settings, str(video.painter.dtype)]).encode())
    return found.hexdigest()[:12]


def _paint_film(video: VideoPainter, film: Film, run: str, arguments: Namespace) -> None:
    target = _target(film, arguments)
    work = target.with_name(f".{target.name}.{run}")
    with kept(work.parent), counter("painting", film.frames or None, "frame") as bar:
        frames = paint_film(video, film, target, work, arguments.overwrite, lambda n: bar.update(n - bar.n))
    print_line(str(target))
    if frames < 0.98 * film.frames - 1:  # containers may announce slightly wrong numbers
        raise ValueError(
            f"{str(film.path)!r} is cut off or damaged: {frames} of about {film.frames} frames could be read "
            f"and are painted in {str(target)!r}"
        )


def _target(film: Film, arguments: Namespace) -> Path:
    """The file to write: that of `-o`, or NAME.mp4 in the folder of `-o`."""
    path = Path(arguments.output)
    if path.suffix.lower() not in (*OUTPUTS, *SUFFIXES):
        path = new_folder(arguments.output) / f"{film.path.stem}.mp4"
    check_output(film, path.suffix)
    if path.exists() and path.samefile(film.path):
        raise ValueError(f"{str(path)!r} is the video to paint: choose another output")
    return new_file(str(path), list(OUTPUTS), arguments.overwrite)


def _paint_frames(video: VideoPainter, files: list[Path], run: str, arguments: Namespace) -> None:
    folder = new_folder(arguments.output)
    work, targets = folder / f".{run}", [folder / name for name in output_names(files)]
    refuse_existing(targets, arguments.overwrite or work.is_dir())
    with kept(work.parent), counter("painting", len(files), "frame") as bar:
        paint_frames(video, files, targets, work, lambda n: bar.update(n - bar.n))
    for target in targets:
        print_line(str(target))
