"""The log of a run of several stages: one JSON file that outlives a kill."""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from .. import __version__
from ..core.config import parse_json
from ..core.files import read_file, write_atomically

MAX_JSON_BYTES = 1 << 20
AVERAGED_STEPS = 50  # window of the averaged losses; the file is written as often
OnStageStep = Callable[[str, int, dict[str, float]], None]  # stage, its number of steps, record of a step


class RunLog:
    """Settings, versions, times and losses of a run in a JSON file, continued when the run resumes.

    Of several processes only one `writes` it. Raises ValueError if the file belongs to a run with other
    settings or files.
    """

    def __init__(self, path: Path, run: dict[str, str], on_step: OnStageStep, writes: bool = True) -> None:
        self.path, self.on_step, self.writes = path, on_step, writes
        versions = f"pstyle {__version__}, torch {torch.__version__}, python {platform.python_version()}"
        self.found: dict[str, Any] = {"run": run, "versions": versions, "stages": {}}
        if path.exists():
            self.found = {"run": {}, "stages": {}} | parse_json(read_file(path, MAX_JSON_BYTES).decode())
        if others := sorted(name for name in run if self.found["run"].get(name) != run[name]):
            raise ValueError(
                f"{str(path.parent)!r} is the state of a run with other {', '.join(others)}: "
                "give the same, or choose another folder"
            )
        self.add()

    def add(self, **values: Any) -> None:
        """Add values and write the file."""
        self.found |= values
        if not self.writes:
            return
        text = json.dumps(self.found, indent=2, sort_keys=True)
        write_atomically(self.path, text.encode(), overwrite=True)

    def share_done(self, name: str) -> float:
        """The share of a stage's steps logged as done, from 0 to 1."""
        entry = self.found["stages"].get(name)
        return entry["losses"].get("step", 0) / entry["steps"] if entry else 0.0

    @contextmanager
    def stage(self, name: str, steps: int, settings: str) -> Iterator[Callable[[dict[str, float]], None]]:
        """An `on_step` for a stage's loop that sums its seconds and averages its losses."""
        entry = {"steps": steps, "settings": settings, "seconds": 0.0, "losses": {}}
        entry |= self.found["stages"].get(name, {})
        self.found["stages"][name] = entry
        last = time.monotonic()

        def follow(record: dict[str, float]) -> None:
            nonlocal last
            now = time.monotonic()
            entry["seconds"], last = round(entry["seconds"] + now - last, 3), now
            for key, value in record.items():
                if not math.isfinite(value):  # a skipped step; JSON has no NaN
                    continue
                old = entry["losses"].get(key, value)
                entry["losses"][key] = value if key == "step" else old + (value - old) / AVERAGED_STEPS
            if record["step"] % AVERAGED_STEPS == 0:
                self.add()
            self.on_step(name, steps, record)

        try:
            yield follow
        finally:
            self.add()
