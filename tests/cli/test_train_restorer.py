"""Protects `pstyle train-restorer`: a restorer is trained on or made anew, and bad input is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pstyle import cli
from pstyle.image.writing import save_image
from pstyle.nets.vgg import save_vgg
from pstyle.restoration.repair.restorer import load_restorer, save_restorer
from pstyle.restoration.repair.restorer_run import RestorerRunConfig
from tests.conftest import random_picture
from tests.restoration.tiny_restorer import TINY, random_restorer
from tests.tiny_networks import tiny_vgg

QUICK = ["--steps", "2", "--batch", "1", "--size-px", "64"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two pictures and a tiny restorer."""
    monkeypatch.chdir(tmp_path)
    rng = torch.Generator().manual_seed(0)
    save_image("old.png", random_picture(rng, 66, 74))
    save_image("other.png", random_picture(rng, 64, 64))
    save_restorer(Path("tiny.safetensors"), random_restorer(), "random")
    return tmp_path


def test_a_restorer_is_trained_on(tmp_path: Path) -> None:
    given = ["train-restorer", "old.png", "other.png", "--restorer", "tiny.safetensors", *QUICK]
    assert cli.main([*given, "-o", "mine.safetensors"]) == 0
    before, after = (load_restorer(Path(f"{name}.safetensors")) for name in ("tiny", "mine"))
    assert not torch.equal(before.last.weight, after.last.weight)
    assert torch.equal(before.tone_reader.worn[-1].weight, after.tone_reader.worn[-1].weight)


def test_a_new_restorer_is_made(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(RestorerRunConfig, "architecture", lambda self: TINY)
    monkeypatch.setattr("pstyle.restoration.repair.restorer_run.SCENE_PX", 64)
    Path("clean.txt").write_text("old.png\nother.png\n")
    save_vgg(Path("vgg.safetensors"), tiny_vgg(last="relu3_1"), "random")
    given = ["train-restorer", "clean.txt", "--new", "--state", "state", "--vgg", "vgg.safetensors", *QUICK]
    assert cli.main([*given, "-o", "new.safetensors", "--tone-steps", "1", "--scenes", "1"]) == 0
    out, err = capsys.readouterr()
    told = [line.split("  ")[-1] for line in err.splitlines()]
    assert told[:3] == ["tones", "tones of worn pictures", "repair"] and out == "new.safetensors\n"
    assert load_restorer(Path("new.safetensors")).config == TINY and Path("state/numbers.json").is_file()


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["train-restorer", "old.png", "-o", "tiny.safetensors"], "exists already"),
        (["train-restorer", "old.png", "-o", "b.safetensors", "--new"], "--new needs --state DIR"),
        (["train-restorer", "old.png", "-o", "b.safetensors", "--state", "state"], "add --new"),
        (
            ["train-restorer", "old.png", "-o", "b.safetensors", "--new", "--restorer", "tiny.safetensors"],
            "not allowed with argument --new",
        ),
        (["train-restorer", "old.png", "-o", "b.safetensors", "--size-px", "72"], "multiple of 16"),
        (
            ["train-restorer", "old.png", "-o", "b.safetensors", "--restorer", "tiny.safetensors"],
            "clean picture 1 is 74x66 px, at least 128 px",
        ),
    ],
)
def test_bad_input_is_one_sentence(capsys, command: list[str], reason: str) -> None:
    assert cli.main(command) == 2
    told = capsys.readouterr().err
    assert reason in told and told.count("\n") == 1 and not Path("b.safetensors").exists()
