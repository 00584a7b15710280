"""Manifests of the pictures painted into a folder: append-only files of JSON lines next to the pictures.

A picture's line, with the hash of its bytes, is written before its file is renamed into place. So after a
kill at any moment, a picture is done if its file matches a line; a file that matches none is foreign, or was
changed since. A torn last line is dropped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from ..core.files import BadFile, read_file
from ..core.json_lines import append, line_of, records_in, whole_lines

FORMAT = "pstyle.manifest 1"
NAME, PATTERN = "manifest.jsonl", "manifest*.jsonl"
MAX_BYTES = 1 << 30


class Written(NamedTuple):
    """The hash of a file's bytes, and its key (`Job.key`)."""

    sha256: str
    key: str


KnownOutputs = dict[str, set[Written]]  # by the output's name: everything ever written under it


def shard_name(number: int) -> str:
    """The name of a shard's manifest."""
    return f"manifest-{number:06}.jsonl"


def known_in(files: Iterable[Path]) -> KnownOutputs:
    """Read the outputs listed in manifests. Raises BadFile for one that is damaged or of another format."""
    known: KnownOutputs = defaultdict(set)
    for file in files:
        for record in _records(file, whole_lines(read_file(file, MAX_BYTES))):
            if "output" in record:
                known[record["output"]].add(Written(record["sha256"], record["key"]))
    return known


def joined(*parts: KnownOutputs) -> KnownOutputs:
    """Merge the outputs of several manifests."""
    return {output: set().union(*(part.get(output, ()) for part in parts)) for output in set().union(*parts)}


class Manifest:
    """A manifest, open for one writer at a time: use it in a `with`.

    Raises BadFile if another run has it open or it is not a manifest, and OSError if the system fails.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Manifest:
        self._file = open(self.path, "a+b", buffering=0)  # noqa: SIM115 (closed on leaving)
        try:
            _lock(self._file.fileno(), self.path)
            self._file.seek(0)
            whole = whole_lines(self._file.read())
            _records(self.path, whole)
            self._file.truncate(len(whole))
            if not whole:
                self._add({"format": FORMAT})
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()  # which unlocks it

    def painted(self, source: Path, output: str, written: Written) -> None:
        """Record the contents of a picture's file, before that file exists."""
        self._add({"source": str(source), "output": output, **written._asdict()})

    def refused(self, source: Path, reason: str) -> None:
        """Record why a picture was not painted; the next run tries again."""
        self._add({"source": str(source), "refused": reason})

    def _add(self, record: dict[str, Any]) -> None:
        """Append a line durably. After an OSError the file is unchanged."""
        append(self._file.fileno(), line_of(record))


def _records(path: Path, data: bytes) -> list[dict[str, str]]:
    """The lines after the header. Raises BadFile if any is not a manifest's."""
    try:
        header, *records = records_in(data.decode()) or [{"format": FORMAT}]
        texts = all(isinstance(value, str) for record in records for value in record.values())
        kinds = {frozenset(record) for record in records}
    except (ValueError, AttributeError) as error:
        raise BadFile(f"{str(path)!r} is damaged ({error}): move it away to start over") from error
    allowed = {frozenset(("source", "output", *Written._fields)), frozenset(("source", "refused"))}
    if header != {"format": FORMAT} or not texts or not kinds <= allowed:
        raise BadFile(f"{str(path)!r} is not a manifest of this version: move it away, or use another folder")
    return records


def _lock(descriptor: int, path: Path) -> None:
    """Lock out other runs until the file is closed, even by a kill, where supported (not on Windows)."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BadFile(
            f"another run is painting into {str(path.parent)!r}: wait for it, or choose another folder"
        ) from error
    except OSError:  # a file system without locks
        return
