"""`make weights` gives both commands flags that they take, and nothing that is held out."""

from __future__ import annotations

import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from PIL import Image

from pstyle.cli.flags import Parser

ROOT = Path(__file__).resolve().parents[1]


def make(*arguments: str) -> str:
    """What `make` prints, with this Python in place of an environment of its own."""
    given = ["make", "-C", str(ROOT), f"BIN={Path(sys.executable).parent}", "INSTALLED=", *arguments]
    return subprocess.run(given, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for name in (
        "paintings/monet/a",
        "paintings/vermeer/b",
        "photos/kodim01",
        "photos/kodim04",
        "textures/c",
    ):
        path = tmp_path / "images" / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(path)
    return tmp_path / "images"


def test_both_commands_take_their_flags(tmp_path: Path, images: Path) -> None:
    told = make(
        "-n", "weights", f"IMAGES={images}", "VGG=one two", f"WEIGHTS_DIR={tmp_path}/new", "ARGS=--seed 5"
    )
    lines = [line for line in told.replace("\\\n", " ").splitlines() if "-m pstyle" in line]
    asked = {}
    for words in map(shlex.split, lines):
        command = words[3]
        parser, name = Parser(), command.replace("-", "_")
        getattr(import_module(f"pstyle.cli.{name}"), f"{name}_flags")(parser)
        asked[command] = parser.parse_args(words[4:])
    base, restorer = asked["train-base"], asked["train-restorer"]
    assert list(asked) == ["train-base", "train-restorer"] and base.seed == restorer.seed == 5
    assert base.teacher == ["one", "two"] and restorer.new
    assert restorer.vgg == f"{base.output}/vgg_loss.safetensors" and restorer.state != base.state


def test_what_is_held_out_trains_nothing(tmp_path: Path, images: Path) -> None:
    make(f"{tmp_path}/state/lists", f"IMAGES={images}", f"STATE={tmp_path}/state")
    lists = {path.stem: path.read_text().splitlines() for path in (tmp_path / "state/lists").iterdir()}
    names = {name: [Path(path).stem for path in paths] for name, paths in lists.items()}
    assert names == {"training_paintings": ["a"], "training_photos": ["kodim01"], "textures": ["c"]}
