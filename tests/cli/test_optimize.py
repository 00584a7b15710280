"""Protects `pstyle optimize`: pictures in, one picture out."""

from __future__ import annotations

from pathlib import Path

from pstyle.image.reading import open_image


def test_optimize_writes_one_picture(call, place: Path) -> None:
    quick = ["--steps", "2", "--size-px", "48", "--first-px", "48"]
    code, out, err = call("optimize", "one.png", "two.png", "photos", "-o", "best.png", *quick)
    assert (code, out, err) == (0, ["best.png"], "")
    assert open_image("best.png").shape == (1, 3, 48, 52)
