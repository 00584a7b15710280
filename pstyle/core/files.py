"""Whole files: crash-safe writes, guarded reads, and names from an allow-list instead of paths.

A write that is killed or fails at any moment leaves the old file or the new one, never a torn one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
DEVICE_NAME = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)  # reserved by Windows

CHUNK_BYTES = 1 << 20


class BadFile(ValueError):  # noqa: N818
    """A refused file or file name; the message is one line without control characters."""

    def __init__(self, message: str) -> None:
        super().__init__("".join(c if c.isprintable() else ascii(c)[1:-1] for c in message))


def write_atomically(path: str | Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write a whole file so that readers find the old file or the new one, even after a crash.

    Raises BadFile if the file exists and `overwrite` is False. Raises OSError if the system fails: the old
    file is then intact, or the new one complete if only the last step, syncing the folder, failed.
    """
    with _replacing(Path(path), overwrite) as temporary:
        _write_new(temporary, data)


@contextlib.contextmanager
def written_whole(path: str | Path, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """Open a file for writing that appears once the block succeeds: `write_atomically` for large files.

    The file can also be read and sought in. Raises BadFile and OSError like `write_atomically`.
    """
    with _replacing(Path(path), overwrite) as temporary:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        with open(temporary, "x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())


@contextlib.contextmanager
def _replacing(path: Path, overwrite: bool) -> Iterator[Path]:
    """Yield the name of a temporary file that replaces `path` once the block succeeds."""
    _check_target(path, overwrite)
    temporary = path.with_name(f".{path.name}.tmp")  # one fixed name, so crashes do not pile up leftovers
    try:
        yield temporary
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def move_whole(path: str | Path, target: str | Path) -> None:
    """Durably rename a whole file within its folder, replacing any file of the new name.

    Raises OSError if the system fails.
    """
    os.replace(path, target)
    _sync_folder(Path(target).parent)


def read_file(path: str | Path, limit_bytes: int, *, most_bytes: int = -1) -> bytes:
    """Read a regular file, or its first `most_bytes`.

    Links are followed: reading through a user's own link is fine, writing through it is not (see `path_in`).
    Raises BadFile if it is not a regular file, cannot be read or exceeds the limit.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise BadFile(f"{str(path)!r} cannot be read: {getattr(error, 'strerror', error)}") from error
    if not stat.S_ISREG(found.st_mode):  # checked before opening, since opening a FIFO blocks forever
        raise BadFile(f"{str(path)!r} is not a regular file")
    if found.st_size > limit_bytes:
        raise BadFile(f"{str(path)!r} has {found.st_size} bytes, more than the {limit_bytes} allowed")
    try:
        with open(path, "rb") as file:
            return file.read(found.st_size if most_bytes < 0 else min(most_bytes, found.st_size))
    except OSError as error:
        raise BadFile(f"{str(path)!r} cannot be read: {error.strerror}") from error


def safe_name(name: str) -> str:
    """Return a plain name unchanged: at most 64 letters, digits, spaces, dots, dashes and underscores.

    Raises BadFile for any other name, and for names that Windows reserves, since files are shared.
    """
    plain = isinstance(name, str) and NAME.fullmatch(name) and not name.endswith((".", " "))
    if not plain or DEVICE_NAME.fullmatch(name.split(".")[0].rstrip(" ")):
        raise BadFile(
            f"{str(name)[:80]!r} is not a usable name: use 1 to 64 letters, digits, spaces, '.', '_' or "
            "'-', starting with a letter or digit, not ending in '.' or space, no device name such as 'nul'"
        )
    return name


def path_in(folder: str | Path, name: str, suffix: str) -> Path:
    """The path to write `name` to, with or without its suffix. Raises BadFile if it leaves the folder."""
    stem = name.removesuffix(suffix) if isinstance(name, str) else name
    path = Path(folder) / (safe_name(stem) + suffix)
    if os.path.dirname(os.path.realpath(path)) != os.path.realpath(folder):
        raise BadFile(f"{str(path)!r} is a link that leads out of its folder: choose another name")
    return path


def list_files(folder: str | Path, suffix: str) -> list[str]:
    """Sorted full names of the visible files in a folder that end with `suffix`."""
    try:
        with os.scandir(folder) as entries:
            found = [entry.name for entry in entries if os.path.isfile(entry.path)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in found if name.endswith(suffix) and not name.startswith("."))


def find_file(folder: str | Path, name: str) -> Path:
    """The path of a file that is in the folder now, by its full name. Raises BadFile for any other name."""
    if name not in list_files(folder, ""):
        raise BadFile(f"there is no file {str(name)[:80]!r} in {str(folder)!r}")
    return Path(folder) / name


def _check_target(path: Path, overwrite: bool) -> None:
    if not path.parent.is_dir():
        raise BadFile(f"{str(path.parent)!r} is not a folder: make it first, or choose another")
    if os.path.lexists(path) and not overwrite:
        raise BadFile(f"{str(path)!r} exists already: choose another name, or ask to overwrite it")
    if os.path.lexists(path) and not path.is_file() and not path.is_symlink():
        raise BadFile(f"{str(path)!r} is not a regular file and is left alone")


def _write_new(path: Path, data: bytes) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        write_through(descriptor, data)
    finally:
        os.close(descriptor)


def write_through(descriptor: int, data: bytes) -> None:
    """Write to an open file, and wait until it is on the disk. Raises OSError if the system fails."""
    rest = memoryview(data)
    while rest:  # the system may write less than it is given
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows opens no folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file of any length. Raises BadFile if it cannot be read."""
    found = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while part := file.read(CHUNK_BYTES):
                found.update(part)
    except OSError as error:
        raise BadFile(f"{str(path)!r} cannot be read: {error.strerror}") from error
    return found.hexdigest()
