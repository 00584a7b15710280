"""Protects `pstyle score`: every score is printed, and its scale has the right ends."""

from __future__ import annotations

import pytest


def test_score_prints_each_score(call) -> None:
    code, out, err = call("score", "one.png", "one.png", "two.png")
    assert code == 0 and err == ""
    told = dict(line.split(": ", 1) for line in out)
    scores = {"style", "patch_swd", "color", "content", "ssim", "edge_f1", "copied"}
    assert told.keys() == scores | {"lpips", "judge"}
    assert float(told["ssim"]) == 1 and float(told["content"]) == 0 and float(told["style"]) > 0
    assert told["copied"] == "0.0000" and told["judge"] == "loss (shipped)"
    assert told["lpips"].startswith("absent (")


def test_score_places_a_picture_on_a_scale(call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pstyle.cli.score.SCORE_PX", 48)
    code, out, err = call("score", "one.png", "one.png", "two.png", "--scale", "--scale-steps", "2")
    assert code == 0 and err == ""
    told = dict(line.split(": ", 1) for line in out)
    assert told["style_percent"] == told["patch_swd_percent"] == "0 %"
    assert told["scale"].startswith("0 % is the content picture itself, 100 %")
    code, out, _ = call("score", "two.png", "one.png", "two.png", "--scale", "--scale-steps", "2")
    assert code == 0 and "copied: 1.0000" in out
    assert float(next(line for line in out if "style_percent" in line).split()[1]) > 100
