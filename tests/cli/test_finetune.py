"""Protects `pstyle finetune`: it writes a new style and leaves the given one alone."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from pstyle.style.style import load_style
from tests.cli.quick import QUICK


def test_finetune_writes_another_style(call, place: Path) -> None:
    before = (place / "style.safetensors").read_bytes()
    code, out, err = call(
        *(
            "finetune",
            "style.safetensors",
            "one.png",
            "two.png",
            "-o",
            "new.safetensors",
            "--content",
            "photos",
        ),
        *(*QUICK, "--warmup", "1", "--check-every", "2", "--few"),
    )
    assert code == 0 and err == "" and out[-1] == "new.safetensors" and len(out) == 3
    assert re.fullmatch(r"accuracy of the discriminator .*: \d\.\d\d .* a logit gap of -?\d+\.\d\d", out[1])
    style, begun = load_style(place / "new.safetensors"), load_style(place / "style.safetensors")
    kept = "the style is unchanged" in out[0]
    assert kept == torch.equal(style.weights["block0.weight"], begun.weights["block0.weight"])
    assert (place / "style.safetensors").read_bytes() == before
