"""Resumable painting of many pictures into a folder; decoding, painting and encoding overlap."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from torch import Tensor

from ..core.files import BadFile, move_whole, read_file, sha256_of, write_atomically
from ..core.memory import is_out_of_memory
from ..image.reading import FORMATS, MAX_FILE_BYTES, decoded
from ..image.writing import encoded
from ..painting.streaming import is_large
from .ahead import ahead
from .job import Job, key_of
from .manifest import KnownOutputs, Manifest, Written, joined, known_in

HEAD_BYTES = 64 << 10  # start of a file, which usually holds its size in pixels
OPEN, PAINTED, KEPT, REFUSED = "open", "painted", "kept", "refused"


class Picture(NamedTuple):
    """A picture file, and the name of its painting in the folder."""

    source: Path
    output: str


class Outcome(NamedTuple):
    """The outcome of a picture: painted, kept from an earlier run, or refused for a reason."""

    picture: Picture
    state: str
    reason: str = ""


@dataclass
class Task:
    """A picture on its way through the stages."""

    picture: Picture
    state: str = OPEN
    reason: str = ""
    key: str = ""
    image: Tensor | None = None  # decoded, then painted; None if streamed from file to file


class FolderPainter:
    """Runs a job on pictures, each into a file of a folder; `paint` may be called repeatedly.

    Files that it did not paint, or that were changed since, are replaced only with `overwrite`. Raises
    BadFile for a job with unusable files.
    """

    def __init__(self, job: Job, folder: Path, overwrite: bool = False) -> None:
        self.folder, self.overwrite = folder, overwrite
        self.work = job.work()
        self._job_digest = job.digest(self.work)

    def __call__(
        self, pictures: Iterable[Picture], manifest_name: str, known: KnownOutputs | None = None
    ) -> Iterator[Outcome]:
        """Paint pictures in order, yielding each outcome once its file exists.

        Pictures listed in the manifest of this name, or `known` from others, are not painted again; the
        manifest grows with the run. Pictures that cannot be painted are refused, and the run continues.
        Raises BadFile for an unusable manifest, and OSError if the folder cannot be written to; the run can
        then be resumed.
        """
        with Manifest(self.folder / manifest_name) as manifest:
            load = partial(self._load, joined(known or {}, known_in([manifest.path])))
            loaded = ahead(partial(_attempt, load), map(Task, pictures))
            painted = map(partial(_attempt, self._paint), loaded)
            for task in ahead(partial(self._store, manifest), painted):
                yield Outcome(task.picture, task.state, task.reason)

    def _load(self, known: KnownOutputs, task: Task) -> None:
        """Read a picture unless its painting exists already."""
        source, output = task.picture
        if is_large(source):
            data, found = None, sha256_of(source)
        else:
            data = read_file(source, MAX_FILE_BYTES)
            found = hashlib.sha256(data).hexdigest()
        task.key = key_of(self._job_digest, found)
        if self._is_there(task, known.get(output, set())):
            task.state = KEPT
        elif data is not None:
            task.image = decoded(data, source)

    def _is_there(self, task: Task, written: set[Written]) -> bool:
        """Whether a picture's painting is in the folder. Raises BadFile if a foreign file has its name."""
        target = self.folder / task.picture.output
        if not os.path.lexists(target):
            return False
        found = sha256_of(target) if target.is_file() else ""
        if Written(found, task.key) in written:
            return True
        if not self.overwrite and found not in {one.sha256 for one in written}:
            raise BadFile(
                f"{str(target)!r} exists already, and was not painted here or was changed since: "
                "choose another folder, or ask to overwrite it"
            )
        return False

    def _paint(self, task: Task) -> None:
        if task.image is not None:
            task.image = self.work.paint(task.image)
        else:
            self.work.paint_file(task.picture.source, self._streamed(task), overwrite=True)

    def _store(self, manifest: Manifest, task: Task) -> Task:
        """Write a painting and its manifest line, or a line with the reason for the refusal."""
        _attempt(partial(self._write, manifest), task)
        task.image = None
        if task.state == REFUSED:
            manifest.refused(task.picture.source, task.reason)
        return task

    def _write(self, manifest: Manifest, task: Task) -> None:
        source, output = task.picture
        if task.image is not None:
            data = encoded(task.image, output)
            manifest.painted(source, output, Written(hashlib.sha256(data).hexdigest(), task.key))
            write_atomically(self.folder / output, data, overwrite=True)
        else:
            manifest.painted(source, output, Written(sha256_of(self._streamed(task)), task.key))
            move_whole(self._streamed(task), self.folder / output)
        task.state = PAINTED

    def _streamed(self, task: Task) -> Path:
        """The temporary file of a streamed painting, before it is listed and renamed."""
        return self.folder / f".{task.picture.output}.streamed.png"


def by_size(pictures: Iterable[Picture]) -> list[Picture]:
    """Pictures grouped by size, the smallest first, so that memory and plans are reused."""
    return sorted(pictures, key=lambda picture: (*size_px(picture.source), picture.source))


def size_px(path: Path) -> tuple[int, int, int]:
    """Pixel count, height and width from the first bytes of a file; zeros if unknown."""
    try:
        head = io.BytesIO(read_file(path, MAX_FILE_BYTES, most_bytes=HEAD_BYTES))
        with Image.open(head, formats=FORMATS) as picture:
            return picture.height * picture.width, picture.height, picture.width
    except Exception:  # of many types; decoding will report the fault
        return 0, 0, 0


def _attempt(stage: Callable[[Task], None], task: Task) -> Task:
    """Run a stage on an open task; errors in the picture refuse it."""
    try:
        if task.state == OPEN:
            stage(task)
    except (ValueError, RuntimeError, MemoryError) as error:
        if not isinstance(error, ValueError) and not is_out_of_memory(error):
            raise
        task.state, task.reason = REFUSED, str(error)
    return task
