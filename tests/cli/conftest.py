"""What tests of commands share: tiny networks, a working folder, and a way to call a command."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from pstyle import cli
from pstyle.core.folders import Folders, use_folders
from pstyle.image.writing import save_image
from pstyle.nets.vgg import save_vgg
from pstyle.style.style import save_style
from tests.conftest import random_picture
from tests.tiny_networks import random_style, ship, tiny_vgg, write_networks


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write_networks(folder)
    return folder


@pytest.fixture
def place(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with pictures, a style, a damaged picture, tiny shipped weights and a model folder."""
    ship(weights, monkeypatch)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    rng = torch.Generator().manual_seed(0)
    for folder in ("photos", "models/pstyle", "out"):
        (tmp_path / folder).mkdir(parents=True)
    for name, size in (("one", (64, 70)), ("two", (80, 66))):
        save_image(tmp_path / f"{name}.png", random_picture(rng, *size))
        save_image(tmp_path / "photos" / f"{name}.jpg", random_picture(rng, 72, 96))
    (tmp_path / "damaged.png").write_bytes((tmp_path / "one.png").read_bytes()[:300])
    (tmp_path / "text.txt").write_text("no picture")
    save_style(tmp_path / "style.safetensors", random_style())
    (tmp_path / "broken.safetensors").write_bytes((tmp_path / "style.safetensors").read_bytes()[:-5])
    save_vgg(tmp_path / "models" / "pstyle" / "shallow.safetensors", tiny_vgg(0.25, "relu2_1"), "random")
    folders = Folders(tmp_path / "input", tmp_path / "output", tmp_path / "temp", tmp_path / "models")
    with use_folders(folders):
        yield tmp_path


@pytest.fixture
def call(place: Path, capsys: pytest.CaptureFixture):
    """Runs a command: (exit code, lines on stdout, text on stderr)."""

    def run(*argv: str) -> tuple[int, list[str], str]:
        code = cli.main(list(argv))
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return run
