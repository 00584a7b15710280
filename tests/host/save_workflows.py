"""Lays the example workflows out and saves them by ComfyUI's own page: `python -m tests.host.save_workflows`.

Needs what the tests of this folder need (CONTRIBUTING.md). Arguments are the names of workflows; none is all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import ROOT
from tests.examples import EXAMPLES, write_pictures
from tests.host.comfy import Comfy

Columns = list[list[int]]  # of node ids
ARRANGE = Path(__file__).with_name("arrange.mjs")
STACKS: dict[str, list[list[tuple[str, Columns]]]] = {  # from left to right, groups from top to bottom
    "learn_and_paint": [
        [("1 Your pictures", [[1, 7]])],
        [("2 Learn and save", [[2], [3], [4, 5, 6]])],
        [("3 Paint", [[8], [9]])],
    ],
    "load_and_paint": [[("1 Style and picture", [[1, 2]])], [("2 Paint", [[3, 4], [5, 6]])]],
    "taste_test": [
        [("1 Style and pictures", [[2, 3], [1, 4]])],
        [("2 Choose", [[5], [6]])],
        [("3 Use", [[7, 9], [8]]), ("4 See where it lies", [[10], [11]])],
    ],
    "finetune": [
        [("1 Style and pictures", [[2, 8], [1, 3]])],
        [("2 Fine-tune against a discriminator", [[4], [5, 6, 7]])],
        [("3 Paint before and after", [[9, 10], [11, 12]]), ("4 See what looks real", [[13], [14]])],
    ],
    "blend": [
        [("1 Two styles", [[1, 2], [3, 4]])],
        [("2 Learn both", [[5], [6]])],
        [("3 Blend and paint", [[7, 8], [9], [10]])],
    ],
    "features": [
        [("1 Picture and network", [[1, 2], [3]])],
        [("2 What the network sees", [[4, 5, 6], [7, 8, 9], [10, 11, 12]])],
    ],
    "paint_video": [[("1 Style and frames", [[1, 2]])], [("2 Paint, save and score", [[3], [4, 5]])]],
    "paint_360": [[("1 Style and 360 picture", [[1, 2]])], [("2 Paint, save and score", [[3], [4, 5, 6]])]],
    "paint_stereo": [[("1 Style and picture", [[1, 2]])], [("2 Paint, save and score", [[3], [4, 5]])]],
    "learn_damage": [
        [("1 Scans", [[1, 2]])],
        [("2 Learn their damage", [[3, 5, 6]])],
        [("3 Make more of it", [[4], [7], [8]]), ("4 Restore such scans", [[9], [10], [11]])],
    ],
    "restore_old_photo": [[("1 Scan", [[1]])], [("2 Find, restore and compare", [[2, 3], [4, 5]])]],
}


def main(names: list[str]) -> None:
    checkout = Path(os.environ["COMFYUI_DIR"]).absolute()
    with tempfile.TemporaryDirectory() as folder:
        comfy = Comfy(checkout, Path(folder) / "base", ROOT)
        try:
            write_pictures(comfy.base / "input")
            job = {
                "url": comfy.url,
                "modules": str(checkout),
                "chromium": "/usr/bin/chromium",
                "workflows": [
                    {"path": str(EXAMPLES / f"{name}.json"), "stacks": STACKS[name]}
                    for name in names or STACKS
                ],
                "shots": os.environ.get("COMFYUI_SHOTS"),
            }
            (Path(folder) / "job.json").write_text(json.dumps(job))
            subprocess.run(["node", ARRANGE, Path(folder) / "job.json"], check=True)
        finally:
            comfy.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
