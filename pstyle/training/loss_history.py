"""The records of a run, one per step, as a JSON file for reports and plots."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..core.config import parse_json
from ..core.files import BadFile, read_file, write_atomically

MAX_BYTES = 64 << 20
MAX_NAME = 64  # characters

Records = list[dict[str, float]]


def save_history(
    path: str | Path, history: Sequence[Mapping[str, float]], *, overwrite: bool = False
) -> None:
    """Write records such as {"step": 1, "loss": 0.5}; non-finite values are left out, since JSON has none.

    Raises BadFile if the file exists and may not be replaced.
    """
    finite = [{name: value for name, value in record.items() if math.isfinite(value)} for record in history]
    write_atomically(path, json.dumps(finite).encode(), overwrite=overwrite)


def load_history(path: str | Path) -> Records:
    """Read records from an untrusted file. Raises BadFile for anything but a list of records."""
    try:
        records = parse_json(read_file(path, MAX_BYTES).decode())
    except BadFile:
        raise
    except ValueError as error:
        raise BadFile(f"{str(path)!r} is not a history: it is not valid JSON ({error})") from error
    if not isinstance(records, list) or not all(map(_is_record, records)):
        raise BadFile(
            f"{str(path)!r} is not a history: it must be a JSON list of records such as "
            '{"step": 1, "loss": 0.5}, as `pstyle learn --history` writes it'
        )
    return records


def _is_record(record: object) -> bool:
    return (
        isinstance(record, dict)
        and "step" in record
        and all(len(name) <= MAX_NAME and name.isprintable() for name in record)
        and all(type(value) in (int, float) and abs(value) < 1e300 for value in record.values())
    )
