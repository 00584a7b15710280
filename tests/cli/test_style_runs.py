"""Protects what `learn` and `finetune` share: ratings count, and a stopped run keeps its style."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pstyle.core.progress import Progress
from pstyle.style.style import load_style
from tests.cli.quick import QUICK


def test_stars_weigh_pictures_and_set_the_disliked_apart(call, place: Path) -> None:
    given = ["one.png", "two.png", "--content", "photos", *QUICK]
    code, _, _ = call("learn", *given, "-o", "starred.safetensors", "--stars", "5,0")
    assert code == 0 and load_style(place / "starred.safetensors").provenance.pictures == 1
    for stars in ("5", "6,1", "a,b", "0,0", "5,,3"):
        code, _, err = call("learn", *given, "-o", "other.safetensors", "--stars", stars)
        assert code == 2 and ("--stars must be" in err or "no picture is liked" in err)


def test_ctrl_c_keeps_the_style_so_far(call, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(self: object, progress: Progress) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pstyle.cli.console.Follower.__call__", stop)
    code, out, err = call("learn", "one.png", "-o", "new.safetensors", "--content", "photos", *QUICK)
    assert code == 130 and out == [] and err.count("\n") == 1 and "'new.safetensors'" in err
    assert load_style(place / "new.safetensors").provenance.steps == 1


def test_a_killed_learning_goes_on_from_its_state(call, place: Path) -> None:
    common = ["learn", "one.png", "--content", "photos", *QUICK, "--state", "state.safetensors"]
    assert call(*common, "-o", "a.safetensors")[0] == 0
    untouched = (place / "state.safetensors").read_bytes()
    assert call(*common, "-o", "b.safetensors")[0] == 0  # no step is left to do
    a, b = (load_style(place / f"{name}.safetensors") for name in "ab")
    assert all(torch.equal(a.weights[name], b.weights[name]) for name in a.weights)
    assert (place / "state.safetensors").read_bytes() == untouched
    code, _, err = call(*common, "--lr-latent", "0.5", "-o", "c.safetensors")
    assert code == 2 and "other settings" in err
