"""Protects `pstyle restore`: results are the library's, for large files too, and bad input is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pstyle import cli
from pstyle.image.reading import open_image
from pstyle.image.writing import save_image
from pstyle.restoration.repair.restorer import load_restorer, save_restorer
from pstyle.restoration.repair.restoring import RepairConfig, RestorationPipeline
from tests.conftest import random_picture
from tests.restoration.tiny_restorer import random_restorer


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
    pipeline = RestorationPipeline(load_restorer(Path("tiny.safetensors")), "cpu")
    wanted = pipeline(open_image("old.png"), open_image("mask.png")[:, :1], RepairConfig(strength))
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


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["restore", "old.png", "-o", "out", "--strength", "2"], "--strength must be"),
        (["restore", "old.png", "-o", "out", "--style", "x.safetensors"], "add --mask FILE or --find"),
        (["restore", "old.png", "-o", "out", "--restorer", "old.png"], "not a safetensors file"),
    ],
)
def test_bad_input_is_one_sentence(capsys, command: list[str], reason: str) -> None:
    assert cli.main(command) == 2
    told = capsys.readouterr().err
    assert reason in told and told.count("\n") == 1 and not Path("out/old.png").exists()
