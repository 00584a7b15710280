"""Runs a ComfyUI workflow (API or editor format) without ComfyUI.

runner = Runner(pack_root, input_dir="photos", output_dir="out")
result = runner.run("learn_and_paint.json", {"PStylePaint.strength": 0.8})
result.saved  # the pictures that were written
"""

from __future__ import annotations

from .problems import BadWorkflow, NodeFailed, Problem
from .run import Progress, Result, Runner

__all__ = ["BadWorkflow", "NodeFailed", "Problem", "Progress", "Result", "Runner"]
