"""The picture files among the given paths and folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")


def list_pictures(paths: str | Path | Iterable[str | Path], recursive: bool = False) -> list[Path]:
    """Sorted picture files without duplicates; folders are expanded, with `recursive` at any depth.

    Hidden files and other file types in a folder are skipped. Raises ValueError for a missing path, a file of
    another type, or a folder without pictures.
    """
    found: dict[Path, Path] = {}  # by real path, so that no picture counts twice
    for path in map(Path, [paths] if isinstance(paths, str | Path) else paths):
        for picture in _pictures_of(path, recursive):
            found.setdefault(picture.resolve(), picture)
    return sorted(found.values())


def _pictures_of(path: Path, recursive: bool) -> list[Path]:
    if path.is_dir():
        inside = path.rglob("*") if recursive else path.iterdir()
        pictures = sorted(file for file in inside if file.suffix.lower() in SUFFIXES and file.is_file())
        shown = [file for file in pictures if not _is_hidden(file.relative_to(path))]
        if not shown:
            raise ValueError(f"no pictures in the folder {str(path)!r}: use one of {', '.join(SUFFIXES)}")
        return shown
    if not path.exists():
        raise ValueError(f"there is no file or folder {str(path)!r}")
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{str(path)!r} is not a picture file: use one of {', '.join(SUFFIXES)}")
    return [path]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
