"""Inputs and outputs of commands: pictures, networks, and files that must not exist yet."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from ..core.device import choose_device
from ..core.files import find_file
from ..core.folders import current_folders
from ..image.listing import list_pictures
from ..image.reading import open_image
from ..image.resizing import resize_short_side
from ..losses.perceptual import Perceptual, perceptual_with
from ..nets.generator import Generator, load_generator
from ..nets.vgg import VGG, load_loss_vgg, load_vgg
from ..samples import content_pictures
from ..taste.stars import DISLIKED, MOST_STARS

MAX_CONTENTS = 100
LONGEST_NAME_BYTES = 200
SCENES = 12
SHIPPED_VGGS = {"loss": load_loss_vgg, "slim": load_vgg}


class Networks(NamedTuple):
    """The networks for learning, on one device."""

    generator: Generator
    vgg: VGG
    perceptual: Perceptual


def networks(arguments: Namespace) -> Networks:
    """Load the shipped networks, and the loss chosen by `--vgg`, onto `--device`."""
    device = choose_device(arguments.device)
    slim = load_vgg()
    loss = perceptual(arguments.vgg, slim)
    return Networks(load_generator().to(device), slim.to(device), loss.to(device))


def perceptual(name: str, slim: VGG) -> Perceptual:
    """A loss from the network `name`, and from the slim one for layers beyond its end."""
    return perceptual_with(slim, find_vgg(name))


def find_vgg(name: str) -> VGG:
    """Load a shipped network by name, a file in the model folder, or a file by path. Raises BadFile."""
    if name in SHIPPED_VGGS:
        return SHIPPED_VGGS[name]()
    if name.endswith(".safetensors") and os.path.lexists(name):
        return load_vgg(Path(name))
    file = name.removesuffix(".safetensors") + ".safetensors"
    return load_vgg(find_file(current_folders().style_models, file))


def picture_files(paths: Sequence[str], most: int) -> list[Path]:
    """Picture files without duplicates in the order given, folders sorted; ValueError for too many."""
    found: dict[Path, Path] = {}  # by real path, so that no picture counts twice
    for given in paths:
        for path in list_pictures(given):
            found.setdefault(path.resolve(), path)
    if len(found) > most:
        raise ValueError(f"got {len(found)} pictures, 1 to {most} are allowed: choose the best")
    return list(found.values())


def listed_pictures(paths: Sequence[str]) -> list[Path]:
    """Sorted picture files: those given, below folders, and listed one per line in text files."""
    given: list[str] = []
    for path in paths:
        is_list = Path(path).suffix.lower() == ".txt"
        given += Path(path).read_text(encoding="utf-8").splitlines() if is_list else [path]
    return list_pictures(given, recursive=True)


def open_contents(paths: Sequence[str] | None, size_px: int, seed: int) -> list[Tensor]:
    """Content pictures with short side `size_px`: up to 100 of those given, or drawn scenes."""
    if paths is None:
        return content_pictures(SCENES, size_px, seed)
    files = list_pictures(paths)
    chosen = files[:: -(-len(files) // MAX_CONTENTS)]
    return [resize_short_side(open_image(path), size_px) for path in chosen]


def read_weights(text: str | None, count: int) -> list[float]:
    """Parse weights such as "2,1,1", one for each picture. Raises ValueError for anything else."""
    if text is None:
        return [1.0] * count
    try:
        weights = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ValueError(f"--weights must be numbers such as 2,1,1, got {text!r}") from error
    if len(weights) != count:
        raise ValueError(f"got {len(weights)} weights for {count} pictures: give one weight per picture")
    return weights


def read_stars(text: str, count: int) -> list[int]:
    """Parse stars such as "5,3,0", one for each picture. Raises ValueError for anything else."""
    stars = [int(part) if part.strip().isdecimal() else -1 for part in text.split(",")]
    if len(stars) != count or not all(DISLIKED <= value <= MOST_STARS for value in stars):
        raise ValueError(
            f"--stars must be a number from {DISLIKED} to {MOST_STARS} for each of {count} pictures, such as "
            f"{','.join(['3'] * count)}; got {text[:80]!r}"
        )
    return stars


def new_file(path: str, suffixes: Sequence[str], overwrite: bool) -> Path:
    """The path of a file to write, checked before the work begins. Raises ValueError if it is unusable."""
    target = Path(path)
    if target.suffix.lower() not in suffixes:
        raise ValueError(f"{path!r} must end with {' or '.join(suffixes)}")
    if not target.parent.is_dir():
        raise ValueError(f"{str(target.parent)!r} is not a folder: make it first, or choose another")
    refuse_existing([target], overwrite)
    return target


def new_folder(path: str) -> Path:
    """A folder to write into, created if missing. Raises ValueError if the path is not a folder."""
    folder = Path(path)
    if os.path.lexists(folder) and not folder.is_dir():
        raise ValueError(f"{path!r} is not a folder: choose another")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def output_names(files: Sequence[Path]) -> list[str]:
    """NAME.png for each picture, or NAME_2.png and so on if the name is taken by an earlier picture."""
    names: list[str] = []
    taken: set[str] = set()
    for file in files:
        stem = _shortened(file.stem)
        name, number = f"{stem}.png", 2
        while name.lower() in taken:  # some file systems ignore case
            name, number = f"{stem}_{number}.png", number + 1
        taken.add(name.lower())
        names.append(name)
    return names


def _shortened(stem: str) -> str:
    """A name short enough to leave room for a number, a suffix and a temporary ending."""
    while len(os.fsencode(stem)) > LONGEST_NAME_BYTES:
        stem = stem[:-1]
    return stem


def refuse_existing(targets: Sequence[Path], overwrite: bool) -> None:
    """Raise ValueError if a file exists that may not be replaced."""
    found = [target for target in targets if os.path.lexists(target)]
    if found and not overwrite:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise ValueError(f"{str(found[0])!r}{more} exists already: choose another place, or add --overwrite")


@contextmanager
def kept(folder: Path) -> Iterator[None]:
    """Wrap resumable work: an OSError inside becomes one sentence that names the folder and what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(
            f"{str(folder)!r} cannot be written to ({reason}): finished pictures are kept; make room "
            "and run the same command again"
        ) from error


def optional_path(name: str | None) -> Path | None:
    return Path(name) if name else None
