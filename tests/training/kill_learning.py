"""Kills learnings at random moments and goes on from what they left: `kill_learning.py FOLDER KILLS`.

Run as a process of its own, whose forks find everything imported. Prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from pstyle.core.checkpoint import digest
from pstyle.losses.perceptual import Perceptual
from pstyle.training.base_run import new_generator
from pstyle.training.learning import LearnConfig, Learning
from tests.tiny_networks import TINY, tiny_vgg

CONFIG = LearnConfig(steps=12, size_px=128, crop_px=64, batch=1)


def learned(state: Path) -> str:
    """The digest of what a learning ends with, which goes on from the state if there is one."""
    rng = torch.Generator().manual_seed(0)
    style, content = (torch.rand(1, 3, 64, 72, generator=rng) for _ in range(2))
    vgg = tiny_vgg(last="relu4_1")
    learning = Learning([style], [content], new_generator(TINY, 0), vgg, Perceptual([vgg]), CONFIG)
    learning.run(state_path=state, save_every=1)
    return digest(learning.state.tensors())


def begin(state: Path) -> tuple[int, int]:
    """(process, pipe) of a learning; the pipe tells its end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.write(writing, learned(state).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    return child, reading


def end(child: int, reading: int) -> str:
    """What a learning told before it ended, by itself or killed."""
    os.waitpid(child, 0)
    with os.fdopen(reading) as told:
        return told.read()


def main(folder: Path, kills: int) -> None:
    """Kill as many learnings as asked, each begun anew, and let each go on to its end."""
    start = time.monotonic()
    whole = end(*begin(folder / "whole.safetensors"))
    seconds = time.monotonic() - start
    equal = interrupted = orphans = 0
    for number in range(kills):
        state = folder / f"{number}.safetensors"
        child, reading = begin(state)
        time.sleep(random.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
        interrupted += end(child, reading) != whole
        orphans += (folder / f".{state.name}.tmp").exists()
        equal += end(*begin(state)) == whole
    report = {"kills": kills, "interrupted": interrupted, "orphans": orphans, "equal": equal}
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
