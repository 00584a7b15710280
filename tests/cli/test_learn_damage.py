"""Protects `pstyle learn-damage`: scans become a damage file, and bad scans are told."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pstyle import cli
from pstyle.core.seeding import generator_of
from pstyle.image.reading import open_image
from pstyle.image.writing import save_image
from pstyle.restoration.damage.damage import Damage
from pstyle.restoration.damage.damage_style import DamageStyle, load_damage, save_damage
from pstyle.restoration.damage.fitting import damaged_alike
from pstyle.samples import content_pictures

OLD = Damage(saturation=0.0, black=(0.2, 0.1, 0.1), grain=0.08)


QUICK = ["--rounds", "1", "--practice", "2", "--practice-px", "160"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save_image("clean.png", torch.rand(1, 3, 40, 50, generator=generator_of(0)))
    save_damage(Path("old.safetensors"), DamageStyle(OLD))
    return tmp_path


def test_scans_become_a_style_that_damages_pictures(place: Path, capsys) -> None:
    Path("scans").mkdir()
    for number, scan in enumerate(damaged_alike(content_pictures(2, 160, seed=3), OLD, 0)):
        save_image(f"scans/{number}.png", scan)
    assert cli.main(["learn-damage", "scans", "-o", "mine.safetensors", *QUICK]) == 0
    assert load_damage(Path("mine.safetensors")).damage.grain == pytest.approx(0.08, rel=0.3)
    assert cli.main(["damage", "mine.safetensors", "clean.png", "-o", "out", "--seed", "3"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(Path("out/clean.png"))
    assert (open_image("out/clean.png") - open_image("clean.png")).abs().mean() > 0.05


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["learn-damage", "clean.png", "-o", "b.safetensors"], "scan 1 is 50x40 px, at least 128 px"),
        (["learn-damage", "clean.png", "-o", "old.safetensors"], "exists already"),
        (["learn-damage", "clean.png", "-o", "b.safetensors", "--rounds", "0"], "--rounds must be"),
    ],
)
def test_bad_input_is_one_sentence(place: Path, capsys, command: list[str], reason: str) -> None:
    assert cli.main(command) == 2
    told = capsys.readouterr().err
    assert reason in told and told.count("\n") == 1 and not Path("b.safetensors").exists()
