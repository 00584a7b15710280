"""Searches for bytes that break a target, guided by the lines they reach: `fuzz.py TARGET CORPUS [FLAGS]`.

Needs atheris (pip install atheris). FLAGS are libFuzzer's, such as -max_total_time=600; new files go to
CORPUS.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pstyle", "json"]):
    import json.decoder  # noqa: F401

    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz until told to stop; libFuzzer writes what breaks the target to a file and ends the process."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        target = TARGETS[sys.argv.pop(1)](Path(folder))

        def call(data: bytes) -> None:
            target(data)

        atheris.Setup(sys.argv, call)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
