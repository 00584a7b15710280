"""Kills writers at random moments and judges what they left: `kill_writer.py FOLDER KILLS atomic|plain`.

Run as a process of its own, without torch, so that its forks are cheap. Prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from pstyle.core.files import write_atomically

SIZE = 1 << 20
STEP_BYTES = 8


def content(step: int) -> bytes:
    return step.to_bytes(STEP_BYTES, "little") * (SIZE // STEP_BYTES)


def step_in(path: Path) -> int:
    """The step whose content the file holds; -1 if it holds no step's whole content."""
    data = path.read_bytes() if path.exists() else b""
    step = int.from_bytes(data[:STEP_BYTES], "little")
    return step if data == content(step) else -1


def write_for_ever(path: Path, step: int, acknowledge: int, write: str) -> None:
    while True:
        if write == "atomic":
            write_atomically(path, content(step), overwrite=True)
        else:
            path.write_bytes(content(step))
        os.write(acknowledge, step.to_bytes(STEP_BYTES, "little"))
        step += 1


def aim_at(temporary: Path, patience_seconds: float = 0.05) -> None:
    """Wait until a write has begun, if it shows, and a random time more."""
    deadline = time.monotonic() + patience_seconds
    while not temporary.exists() and time.monotonic() < deadline:
        time.sleep(0)
    time.sleep(random.uniform(0, 0.01))


def kill_one(path: Path, first: int, write: str) -> tuple[int, int]:
    """(last acknowledged step, step found in the file) after one writer was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        write_for_ever(path, first, writing, write)
    os.close(writing)
    acknowledged = os.read(reading, STEP_BYTES)  # now it is in the loop
    aim_at(path.with_name(f".{path.name}.tmp"))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(reading, STEP_BYTES):
        acknowledged = more
    os.close(reading)
    return int.from_bytes(acknowledged, "little"), step_in(path)


def main(folder: Path, kills: int, write: str) -> None:
    path, bad, interrupted, first = folder / "style.safetensors", 0, 0, 1
    for _ in range(kills):
        acknowledged, found = kill_one(path, first, write)
        bad += found not in (acknowledged, acknowledged + 1)
        interrupted += len(list(folder.iterdir())) > 1 or found < 0
        first = acknowledged + 2
    orphans = len(list(folder.iterdir())) - 1
    report = {"kills": kills, "interrupted": interrupted, "bad": bad, "orphans": orphans}
    sys.stdout.write(json.dumps({**report, "torch": "torch" in sys.modules}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
