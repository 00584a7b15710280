"""Kills runs over a folder at random moments and judges what they left: `kill_folder.py PLACE WEIGHTS KILLS`.

Run as a process of its own, with one thread, so that it can fork. Prints one line of JSON.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import signal
import sys
import threading
from pathlib import Path

import pytest
import torch
from PIL import Image

from pstyle.batch.folder import PAINTED, REFUSED, FolderPainter, Picture, by_size
from pstyle.batch.job import Job
from pstyle.batch.manifest import NAME, PATTERN, known_in
from pstyle.cli.inputs import output_names
from pstyle.image.listing import list_pictures
from tests.tiny_networks import ship

Files = dict[str, tuple[bytes, int]]


def pictures_in(folder: Path) -> list[Picture]:
    found = list_pictures(folder)
    return by_size([Picture(*both) for both in zip(found, output_names(found), strict=True)])


def run(painter: FolderPainter, pictures: list[Picture], die_after: int | None = None) -> None:
    """A run; killed within a hundredth of a second after it has painted a picture more than this many."""
    known, painted = known_in(painter.folder.glob(PATTERN)), 0
    for outcome in painter(pictures, NAME, known):
        painted += outcome.state == PAINTED
        if die_after is not None and painted > die_after:
            threading.Timer(random.uniform(0, 0.01), os.kill, (os.getpid(), signal.SIGKILL)).start()
            die_after = None


def files_in(folder: Path) -> Files:
    """Bytes and inode of every painting."""
    return {
        path.name: (path.read_bytes(), path.stat().st_ino)
        for path in folder.glob("*.png")
        if not path.name.startswith(".")
    }


def kill_one(painter: FolderPainter, pictures: list[Picture]) -> None:
    """A run in another process, which is killed on its way."""
    child = os.fork()
    if child == 0:
        run(painter, pictures, random.randint(0, 2))
        os._exit(0)
    os.waitpid(child, 0)


def is_whole(data: bytes) -> bool:
    try:
        Image.open(io.BytesIO(data)).load()
    except OSError:
        return False
    return True


def untold(folder: Path, files: Files) -> int:
    """Paintings whose bytes no line of the manifest tells."""
    known = known_in(folder.glob(PATTERN))
    told = {name: {written.sha256 for written in lines} for name, lines in known.items()}
    found = {name: hashlib.sha256(data).hexdigest() for name, (data, _) in files.items()}
    return sum(found[name] not in told.get(name, ()) for name in found)


def main(place: Path, weights: Path, kills: int) -> None:
    ship(weights, pytest.MonkeyPatch())
    pictures = pictures_in(place / "in")
    job = Job(place / "style.safetensors", device="cpu", dtype=torch.float32)
    painter = FolderPainter(job, place / "out")
    report = dict.fromkeys(("kills", "halfway", "redone", "torn", "untold"), 0)
    before: Files = {}
    for _ in range(kills):
        kill_one(painter, pictures)
        after = files_in(place / "out")
        report["kills"] += 1
        report["halfway"] += len(before) < len(after) < len(pictures)
        report["redone"] += sum(after.get(name) != found for name, found in before.items())
        report["torn"] += sum(not is_whole(data) for data, _ in after.values())
        report["untold"] += untold(place / "out", after)
        before = after
    refused = sum(one.state == REFUSED for one in painter(pictures, NAME, known_in([place / "out" / NAME])))
    after = files_in(place / "out")
    report["redone"] += sum(after.get(name) != found for name, found in before.items())
    (place / "alone").mkdir()
    run(FolderPainter(job, place / "alone"), pictures)
    alone = files_in(place / "alone")
    report |= {"painted": len(after), "refused": refused}
    report["same"] = sum(after[name][0] == data for name, (data, _) in alone.items())
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
