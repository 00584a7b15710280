"""File names in workflows, confined: read below the input folder, written below the output folder."""

from __future__ import annotations

import os
import re
import time
import unicodedata
from pathlib import Path, PurePosixPath

from ..core.folders import Folders
from .problems import show

FOLDER_MARKS = ("input", "output", "temp")  # "photo.png [output]" is read from the output folder
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".apng", ".avif")
LONGEST_BYTES = 1000
LONGEST_PART_BYTES = 200  # file systems allow 255, and a counter is appended


def confined(folder: Path, name: str) -> Path:
    """`folder/name`, both resolved, if it is inside the folder even after following links.

    Raises:
        ValueError: the name is empty or absolute, has '..', a backslash, a drive or a control character, or a
            link in it leads out.
    """
    parts = PurePosixPath(name).parts
    fault = None
    if not parts:
        fault = "it is empty"
    elif name.startswith("/") or "\\" in name or re.match("[A-Za-z]:", name):
        fault = "it must be relative, with '/' between folders"
    elif ".." in parts:
        fault = "'..' would leave the folder"
    elif any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        fault = "it has control characters"
    elif len(name.encode()) > LONGEST_BYTES or max(len(part.encode()) for part in parts) > LONGEST_PART_BYTES:
        fault = f"it has more than {LONGEST_BYTES} bytes, or a part of it more than {LONGEST_PART_BYTES}"
    if fault is None:
        root = Path(os.path.realpath(folder))
        path = Path(os.path.realpath(root / name))
        if path.is_relative_to(root):
            return path
        fault = "a link on its way leads out of the folder"
    raise ValueError(f"{show(name)} is refused as a name below {show(str(folder))}: {fault}")


def list_input(folders: Folders) -> list[str]:
    """Sorted names of the pictures directly in the input folder."""
    if not folders.input.is_dir():
        return []
    with os.scandir(folders.input) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.name.lower().endswith(PICTURE_SUFFIXES) and entry.is_file()
        )


def input_file(folders: Folders, name: str) -> Path:
    """The regular file of a LoadImage value: below input, or below the folder named in a trailing [mark].

    Raises:
        ValueError: the name leads out of that folder, or there is no such file.
    """
    folder = folders.input
    for mark in FOLDER_MARKS:
        if name.endswith(f"[{mark}]"):
            folder, name = getattr(folders, mark), name[: -len(mark) - 2].rstrip()
    path = confined(folder, name)
    if not path.is_file():
        raise ValueError(f"there is no file {show(name)} in {show(str(folder))}")
    return path


def save_place(folder: Path, prefix: str, width_px: int = 0, height_px: int = 0) -> tuple[Path, str, int]:
    """Where pictures with a prefix such as "trip/day_%day%" go, as ComfyUI numbers them.

    Returns:
        (folder, start of the file name, next free number); nothing is created.

    Raises:
        ValueError: the prefix leads out of the folder.
    """
    filled = _fill_in(prefix, width_px, height_px)
    confined(folder, filled)  # reports faults of the whole prefix
    *parents, name = PurePosixPath(filled).parts
    target = confined(folder, "/".join(parents)) if parents else Path(os.path.realpath(folder))
    numbers = [0]
    if target.is_dir():
        start = re.escape(name).replace("%batch_num%", r"\d+")
        pattern = re.compile(start + r"_(\d{1,18})(?=_|$)", re.IGNORECASE if os.name == "nt" else 0)
        found = (pattern.match(entry) for entry in os.listdir(target))
        numbers += [int(match[1]) for match in found if match]
    return target, name, max(numbers) + 1


def _fill_in(prefix: str, width_px: int, height_px: int) -> str:
    now = time.localtime()
    values = {
        "width": str(width_px),
        "height": str(height_px),
        "year": str(now.tm_year),
        "month": f"{now.tm_mon:02}",
        "day": f"{now.tm_mday:02}",
        "hour": f"{now.tm_hour:02}",
        "minute": f"{now.tm_min:02}",
        "second": f"{now.tm_sec:02}",
    }
    return re.sub("%(" + "|".join(values) + ")%", lambda match: values[match[1]], prefix)
