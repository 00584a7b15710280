"""Resumable painting of a whole film in parts.

A part is a few seconds of painted, encoded video. It comes with a state: the progress, and the shot that the
next frame continues. Both are written atomically, the state last.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ..core import checkpoint
from ..core.files import BadFile, write_atomically
from ..image.reading import open_image
from ..image.writing import save_image
from ..nets.layers import Statistics
from ..painting.native import GlobalStatistics
from .container import Film, Part, frames_of, join_parts
from .stabilizing import Shot, VideoPainter

PART_FRAMES = 120
STATE = "state.safetensors"
KEYS = ("parts", "frames")

OnFrame = Callable[[int], None]  # frames done; may raise to stop


@dataclass(frozen=True)
class Done:
    """The numbers of painted parts and frames of a film."""

    parts: int = 0
    frames: int = 0


def paint_film(
    video: VideoPainter,
    film: Film,
    target: Path,
    work: Path,
    overwrite: bool = False,
    on_frame: OnFrame | None = None,
) -> int:
    """Paint a film into `target` and return the number of its frames; memory does not grow with the length.

    `work` is a folder for the progress of this film, style and settings only; it is removed at the end.
    Raises BadFile if no frame can be read, and OSError if there is no room; the run can then be resumed.
    """
    work.mkdir(exist_ok=True)
    done = resume(video, work)
    part = Part(film)
    for picture, time in frames_of(film, done.frames):
        part.add(video.paint_checked(picture), time)
        if on_frame:
            on_frame(done.frames + part.frames)
        if part.frames == PART_FRAMES:
            done, part = keep(video, part, work, done), Part(film)
    if part.frames:
        done = keep(video, part, work, done)
    if not done.frames:
        raise BadFile(f"no frame of {str(film.path)!r} can be read: the video is cut off or damaged")
    join_parts(film, [part_path(work, number) for number in range(done.parts)], target, overwrite)
    shutil.rmtree(work)
    return done.frames


def paint_frames(
    video: VideoPainter,
    files: Sequence[Path],
    targets: Sequence[Path],
    work: Path,
    on_frame: OnFrame | None = None,
) -> None:
    """Paint a video given as picture files, in order, each into its target.

    Existing targets are replaced; `work` is as in `paint_film`. Raises BadFile for a frame that cannot be
    read.
    """
    work.mkdir(exist_ok=True)
    done = resume(video, work)
    for number in range(done.frames, len(files)):
        save_image(targets[number], video.paint_checked(open_image(files[number])), overwrite=True)
        done = replace(done, frames=number + 1)
        if done.frames % PART_FRAMES == 0:
            save_state(video, work, done)
        if on_frame:
            on_frame(done.frames)
    shutil.rmtree(work)


def part_path(work: Path, number: int) -> Path:
    """The path of a part."""
    return work / f"{number:06}.nut"


def keep(video: VideoPainter, part: Part, work: Path, done: Done) -> Done:
    """Write a part and then the state; returns the new progress."""
    write_atomically(part_path(work, done.parts), part.encoded(), overwrite=True)
    done = Done(done.parts + 1, done.frames + part.frames)
    save_state(video, work, done)
    return done


def save_state(video: VideoPainter, work: Path, done: Done) -> None:
    """Write the progress, and the shot that the next frame continues."""
    metadata = {"format": "pstyle.video", "parts": str(done.parts), "frames": str(done.frames)}
    checkpoint.save(work / STATE, tensors_of(video.shot), metadata, overwrite=True)


def resume(video: VideoPainter, work: Path) -> Done:
    """Read the progress and restore the shot; no progress without a state file. Raises BadFile."""
    if not (work / STATE).exists():
        return Done()
    tensors, metadata = checkpoint.load(work / STATE, lambda _: None, kind="pstyle.video", keys=KEYS)
    try:
        done = Done(int(metadata["parts"]), int(metadata["frames"]))
        video.shot = shot_of(tensors, video.painter.device)
    except (KeyError, ValueError) as error:
        raise BadFile(f"{str(work)!r} is damaged: delete that folder to start over") from error
    return done


def tensors_of(shot: Shot) -> dict[str, Tensor]:
    """A shot as named tensors."""
    found = {name: getattr(shot, name) for name in ("picture", "painted", "place")}
    found |= {f"own/{site}": value for site, value in (shot.whole.own or {}).items()}
    for kind in ("painted", "rebuilt"):
        for site, (mean, variance) in getattr(shot.whole, kind).items():
            found |= {f"{kind}/{site}/mean": mean, f"{kind}/{site}/variance": variance}
    return found


def shot_of(tensors: dict[str, Tensor], device: torch.device) -> Shot:
    """The shot from the tensors of `tensors_of`. Raises KeyError if one is missing."""
    tensors = {name: value.to(device) for name, value in tensors.items()}
    own = {name.removeprefix("own/"): value for name, value in tensors.items() if name.startswith("own/")}
    sites: dict[str, dict[str, Statistics]] = {"painted": {}, "rebuilt": {}}
    for name in tensors:
        kind, *site = name.split("/")
        if kind in sites and site[1:] == ["mean"]:
            sites[kind][site[0]] = Statistics(tensors[name], tensors[f"{kind}/{site[0]}/variance"])
    return Shot(
        tensors["picture"], tensors["painted"], GlobalStatistics(own or None, **sites), tensors["place"]
    )
