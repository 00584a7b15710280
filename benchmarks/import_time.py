"""Seconds that importing the pack adds to a host which has torch, numpy and Pillow loaded, as ComfyUI has.

    python benchmarks/import_time.py [--rounds 7]

Each round is a process of its own, which imports the root `__init__.py` under a path-like name, as the host
does.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
IMPORT_ONCE = """
import sys, time
import importlib.util
import numpy, PIL.Image, safetensors.torch, torch
name = sys.argv[1] + "/custom_nodes/pstyle"
spec = importlib.util.spec_from_file_location(
    name, sys.argv[1] + "/__init__.py", submodule_search_locations=[sys.argv[1]]
)
start = time.perf_counter()
pack = importlib.util.module_from_spec(spec)
sys.modules[name] = pack
spec.loader.exec_module(pack)
assert len(pack.NODE_CLASS_MAPPINGS) > 10
print(time.perf_counter() - start)
"""


def seconds() -> float:
    """Seconds of one import in a new process."""
    command = [sys.executable, "-c", IMPORT_ONCE, str(ROOT)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Print the median."""
    parser = argparse.ArgumentParser(description="Seconds that importing the pack adds to its host.")
    parser.add_argument("--rounds", type=int, default=7, help="processes, of which the median counts")
    rounds = parser.parse_args().rounds
    print(f"import of the pack: {median(seconds() for _ in range(rounds)):.3f} s, median of {rounds}")  # noqa: T201


if __name__ == "__main__":
    main()
