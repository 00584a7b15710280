"""Runs of several named stages, each of which trains one network into one file.

A stage resumes after a kill, and its time is estimated before the run begins.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from .. import __version__
from ..core.config import to_json
from ..core.files import sha256_of
from ..core.process_group import ALONE, ProcessGroup
from .run_log import RunLog

NUMBERS_FILE = "numbers.json"
TRIAL_FOLDER = "trial"
TRIAL_STEPS = 4  # the first one includes one-time work and is not timed

Network = TypeVar("Network", bound=nn.Module)


class StagedRun:
    """The folder of a run, with one file for each finished stage.

    With `most_steps`, every stage ends early: a trial run.
    """

    def __init__(
        self, folder: Path, log: RunLog, processes: ProcessGroup = ALONE, most_steps: int | None = None
    ) -> None:
        self.folder, self.log, self.processes, self.most_steps = folder, log, processes, most_steps

    def stage(
        self,
        name: str,
        file: str,
        config: Any,
        train: Callable[..., Network],
        save: Callable[[Path, Network, str], None],
        load: Callable[[Path], Network],
    ) -> Network:
        """The network in `file`, trained first if the file does not exist.

        `train(config, state_path=..., on_step=...)` is the stage's loop, `config` its settings with `steps`.
        The network is read back from the file, so that a resumed run sees the same numbers.
        """
        path = self.folder / file
        if not path.exists():
            own = replace(config, steps=min(config.steps, self.most_steps or config.steps))
            with self.log.stage(name, config.steps, to_json(config)) as on_step:
                network = train(own, state_path=state_of(path), on_step=on_step)
            if self.processes.first:
                save(path, network, f"trained by pstyle {__version__}: {name}")
            self.processes.wait()
        return load(path).to(self.processes.device)


def estimate(
    stages: Callable[[StagedRun], object], folder: Path, log: RunLog, processes: ProcessGroup = ALONE
) -> dict[str, float]:
    """Seconds left for each stage, measured on a few steps of all stages at the first start.

    The trial also reveals errors that would come hours later, such as too little memory.
    """
    if "estimate" not in log.found:
        log.add(estimate=_timed(stages, folder / TRIAL_FOLDER, processes))
    return {name: seconds * (1 - log.share_done(name)) for name, seconds in log.found["estimate"].items()}


def _timed(stages: Callable[[StagedRun], object], trial: Path, processes: ProcessGroup) -> dict[str, float]:
    times: dict[str, list[float]] = {}
    planned: dict[str, int] = {}

    def note(name: str, steps: int, record: dict[str, float]) -> None:
        times.setdefault(name, []).append(time.monotonic())
        planned[name] = steps

    if processes.first:
        shutil.rmtree(trial, ignore_errors=True)  # left by a trial that was killed
        trial.mkdir()
    processes.wait()
    log = RunLog(trial / NUMBERS_FILE, {}, note, writes=processes.first)
    stages(StagedRun(trial, log, processes, TRIAL_STEPS))
    if processes.first:
        shutil.rmtree(trial)
    steps_apart = {name: max(1, len(moments) - 1) for name, moments in times.items()}
    return {
        name: round((moments[-1] - moments[0]) / steps_apart[name] * planned[name], 3)
        for name, moments in times.items()
    }


def state_of(product: Path) -> Path:
    """The state file of the stage that makes `product`."""
    return product.with_name(f"{product.stem}_state.safetensors")


def check_state_folder(state: Path) -> None:
    """Create the folder of a run. Raises ValueError if it holds something else."""
    if state.is_dir() and any(state.iterdir()) and not (state / NUMBERS_FILE).exists():
        raise ValueError(f"{str(state)!r} holds files, but not the state of a run: choose an empty folder")
    state.mkdir(parents=True, exist_ok=True)


def hash_of(files: Sequence[Path]) -> str:
    """SHA-256 over the SHA-256 of each file, in order."""
    found = hashlib.sha256()
    for file in files:
        found.update(bytes.fromhex(sha256_of(file)))
    return found.hexdigest()
