"""Protects `pstyle learn`: its flags reach the training, and its files hold what it learned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from pstyle.core.progress import Progress
from pstyle.style.style import load_style
from tests.cli.quick import PHOTOS, QUICK
from tests.conftest import random_picture


def test_learn_writes_a_style(call, place: Path) -> None:
    code, out, err = call(
        "learn", "one.png", "two.png", "-o", "new.safetensors", "--content", "photos", *QUICK
    )
    assert (code, out, err) == (0, ["new.safetensors"], "")
    told = load_style(place / "new.safetensors").provenance
    assert (told.pictures, told.steps, told.sizes_px) == (2, 2, "70x64, 66x80")


def test_learn_practices_on_built_in_scenes(call, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int, int]] = []

    def scenes(count: int, size_px: int, seed: int) -> list[torch.Tensor]:
        asked.append((count, size_px, seed))
        return [random_picture(torch.Generator().manual_seed(seed), size_px, size_px)]

    monkeypatch.setattr("pstyle.cli.inputs.content_pictures", scenes)
    assert call("learn", "one.png", "-o", "new.safetensors", *QUICK, "--seed", "3")[0] == 0
    assert asked == [(12, 128, 3)]


def test_weights_belong_to_pictures_in_the_order_given(call, place: Path) -> None:
    common = ["--content", "photos", *QUICK[2:], "--steps", "0"]
    assert call("learn", "two.png", "one.png", "--weights", "1,0", "-o", "a.safetensors", *common)[0] == 0
    assert call("learn", "two.png", "-o", "b.safetensors", *common)[0] == 0
    assert call("learn", "one.png", "-o", "c.safetensors", *common)[0] == 0
    a, b, c = (load_style(place / f"{name}.safetensors").latent for name in "abc")
    assert torch.equal(a, b) and not torch.equal(a, c)


def test_the_loss_may_come_from_another_network(call, place: Path) -> None:
    """By name from the model folder or by path; layers that it does not reach come from the slim one."""
    common = ["learn", "one.png", "--content", "photos", *QUICK]
    for out, more in (
        ("shipped", []),
        ("slim", ["--vgg", "slim"]),
        ("name", ["--vgg", "shallow"]),
        ("path", ["--vgg", "models/pstyle/shallow.safetensors"]),
    ):
        assert call(*common, "-o", f"{out}.safetensors", *more)[0] == 0
    shipped, slim, name, path = (
        load_style(place / f"{out}.safetensors").weights["block0.weight"]
        for out in ("shipped", "slim", "name", "path")
    )
    assert torch.equal(name, path)
    assert not any(torch.equal(a, b) for a, b in ((name, slim), (name, shipped), (slim, shipped)))


def test_a_stopped_learning_keeps_its_history(call, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(self: object, progress: Progress) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pstyle.cli.console.Follower.__call__", stop)
    command = ("learn", "one.png", "-o", "new.safetensors", "--history", "new.json", *PHOTOS, *QUICK)
    assert call(*command)[0] == 130
    assert [record["step"] for record in json.loads((place / "new.json").read_text())] == [1]


def test_overwrite_replaces(call, place: Path) -> None:
    before = (place / "style.safetensors").read_bytes()
    assert (
        call(*("learn", "one.png", "-o", "style.safetensors", "--content", "photos"), *QUICK, "--overwrite")[
            0
        ]
        == 0
    )
    assert (place / "style.safetensors").read_bytes() != before
