"""Append-only files of JSON lines that survive a crash.

A line counts once its newline is written; a torn last line, left by a kill or a full disk, is dropped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from .config import parse_json
from .files import write_through


def line_of(record: Mapping[str, Any]) -> str:
    """A record as a line. Raises ValueError for numbers that JSON lacks."""
    return json.dumps(record, separators=(",", ":"), allow_nan=False) + "\n"


def records_in(text: str) -> list[Any]:
    """Parse the records in whole lines. Raises ValueError for anything but JSON."""
    return [parse_json(line) for line in text.splitlines()]


def whole_lines(data: bytes) -> bytes:
    """Read a file's bytes without a torn last line."""
    return data[: data.rfind(b"\n") + 1]


def append(descriptor: int, line: str) -> None:
    """Append a line to an open file and wait until it is on the disk.

    Raises OSError if the system fails: the file is then unchanged, or ends in a torn line.
    """
    start = os.lseek(descriptor, 0, os.SEEK_END)
    try:
        write_through(descriptor, line.encode())
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, start)
        raise


def append_to(path: Path, line: str) -> None:
    """Append a line to a new or existing file, dropping a torn last line. Raises OSError like `append`."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with open(descriptor, "rb", closefd=False) as file:
            whole = len(whole_lines(file.read()))
        os.ftruncate(descriptor, whole)
        append(descriptor, line)
    finally:
        os.close(descriptor)
