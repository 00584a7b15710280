"""Protects `restore` and `train-restorer`: results are the library's, large files too, bad input is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pstyle import cli
from pstyle.image.reading import open_image
from pstyle.image.writing import save_image
from pstyle.nets.vgg import save_vgg
from pstyle.restoration.repair.restorer import load_restorer, save_restorer
from pstyle.restoration.repair.restorer_run import RestorerRunConfig
from pstyle.restoration.repair.restoring import RepairConfig, RestorationPipeline
from tests.conftest import random_picture
from tests.restoration.tiny_restorer import TINY, random_restorer
from tests.tiny_networks import tiny_vgg

QUICK = ["--steps", "2", "--batch", "1", "--size-px", "64"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rng = torch.Generator().manual_seed(0)
    save_image("old.png", random_picture(rng, 66, 74))
    save_image("other.png", random_picture(rng, 64, 64))
    mask = torch.zeros(1, 1, 66, 74)
    mask[..., 20:30, 20:40] = 1
    save_image("mask.png", mask)
    save_restorer(Path("tiny.safetensors"), random_restorer(), "random")
    return tmp_path


@pytest.mark.parametrize(("flags", "strength"), [([], 1.0), (["--strength", "0"], 0.0)])
def test_pictures_are_restored_as_the_library_does(flags: list[str], strength: float, capsys) -> None:
    given = ["restore", "old.png", "-o", "out", "--restorer", "tiny.safetensors", "--mask", "mask.png"]
    assert cli.main([*given, *flags]) == 0
    assert capsys.readouterr().out.splitlines() == [str(Path("out/old.png"))]
    mender = RestorationPipeline(load_restorer(Path("tiny.safetensors")), "cpu")
    wanted = mender(open_image("old.png"), open_image("mask.png")[:, :1], RepairConfig(strength))
    assert (open_image("out/old.png") - wanted).abs().max() < 0.6 / 255
    if strength == 0:
        kept = open_image("mask.png") == 0
        assert torch.equal(open_image("out/old.png")[kept], open_image("old.png")[kept])


def test_what_is_found_is_filled_in() -> None:
    given = ["restore", "old.png", "-o", "out", "--restorer", "tiny.safetensors", "--find"]
    assert cli.main([*given, "--strength", "0"]) == 0
    found = RestorationPipeline(load_restorer(Path("tiny.safetensors")), "cpu").find_marks(
        open_image("old.png")
    )
    same = (open_image("out/old.png") == open_image("old.png")).all(1, keepdim=True)
    assert same[found == 0].all() and found.any()


def test_large_files_go_from_file_to_file(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyvips", reason="large files need the extra `print`")
    given = ["restore", "old.png", "--restorer", "tiny.safetensors", "-o"]
    assert cli.main([*given, "whole"]) == 0
    monkeypatch.setattr("pstyle.painting.streaming.LARGE_PIXELS", 1000)
    assert cli.main([*given, "large"]) == 0
    assert (open_image("large/old.png") - open_image("whole/old.png")).abs().max() <= 1.01 / 255


def test_one_bad_picture_does_not_keep_the_others(capsys) -> None:
    given = ["restore", "old.png", "other.png", "-o", "out", "--restorer", "tiny.safetensors"]
    assert cli.main([*given, "--mask", "mask.png"]) == 2
    told = capsys.readouterr().err
    assert "the mask is 74x66 px, the picture 64x64 px" in told and "1 of 2 pictures" in told
    assert Path("out/old.png").is_file() and not Path("out/other.png").exists()


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
        (["restore", "old.png", "-o", "out", "--strength", "2"], "--strength must be"),
        (["restore", "old.png", "-o", "out", "--style", "x.safetensors"], "add --mask FILE or --find"),
        (["restore", "old.png", "-o", "out", "--restorer", "old.png"], "not a safetensors file"),
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
    assert reason in told and told.count("\n") == 1 and not Path("out/old.png").exists()
