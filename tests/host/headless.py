"""Runs workflows without ComfyUI, in a process of ComfyUI's interpreter: `headless.py JOB.json` -> JSON.

The job is {"base": folder, "runs": [[workflow, overrides], ...]}; one answer a run: by node id, its files.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main(job: dict) -> list[dict[str, list[str]]]:
    from pstyle.workflow import Runner

    base = Path(job["base"])
    runner, answers = Runner(ROOT, base / "input", base / "output", base / "models", "cpu"), []
    for workflow, values in job["runs"]:
        shown = runner.run(workflow, values).ui
        answers.append({node: files(base, ui["images"]) for node, ui in shown.items() if "images" in ui})
    return answers


def files(base: Path, images: list[dict[str, str]]) -> list[str]:
    folders = {"output": base / "output", "temp": base / "output" / "temp"}
    return [str(folders[image["type"]] / image["subfolder"] / image["filename"]) for image in images]


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.stdout.write(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()))))
