"""Protects `pstyle damage`: pictures are damaged as the library does, and bad input is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pstyle import cli
from pstyle.core.seeding import generator_of
from pstyle.image.reading import open_image
from pstyle.image.writing import save_image
from pstyle.restoration.damage.damage import Damage
from pstyle.restoration.damage.damage_style import DamageStyle, save_damage

OLD = Damage(saturation=0.0, black=(0.2, 0.1, 0.1), grain=0.08)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save_image("clean.png", torch.rand(1, 3, 40, 50, generator=generator_of(0)))
    save_damage(Path("old.safetensors"), DamageStyle(OLD))
    return tmp_path


def test_a_file_and_a_seed_make_the_librarys_damage(place: Path) -> None:
    assert cli.main(["damage", "old.safetensors", "clean.png", "-o", "out", "--strength", "0.5"]) == 0
    wanted = DamageStyle(OLD).damage_pictures(open_image("clean.png"), generator_of(0, 0), 0.5).image
    assert (open_image("out/clean.png") - wanted).abs().max() < 1e-6


def test_a_picture_that_cannot_be_read_keeps_no_other_from_being_damaged(place: Path, capsys) -> None:
    Path("broken.png").write_bytes(b"text")
    assert cli.main(["damage", "old.safetensors", "broken.png", "clean.png", "-o", "out"]) == 2
    told = capsys.readouterr().err
    assert "broken.png" in told and told.endswith("(1 of 2 pictures were not damaged)\n")
    assert Path("out/clean.png").exists()


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["damage", "old.safetensors", "clean.png", "-o", "out", "--strength", "3"], "0.0 to 2.0, got 3"),
        (["damage", "clean.png", "clean.png", "-o", "out"], "not a safetensors file"),
    ],
)
def test_bad_input_is_one_sentence(place: Path, capsys, command: list[str], reason: str) -> None:
    assert cli.main(command) == 2
    told = capsys.readouterr().err
    assert reason in told and told.count("\n") == 1 and not Path("out/clean.png").exists()
