"""Protects `pstyle paint DIR -o OUT`: it goes on, lists bad pictures at the end, and loses nothing."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest
import torch

from pstyle import cli
from pstyle.batch import cluster
from pstyle.batch import folder as batch
from pstyle.image.reading import open_image
from pstyle.image.writing import save_image
from pstyle.style.style import save_style
from tests.conftest import random_picture
from tests.tiny_networks import random_style, ship


@pytest.fixture(autouse=True)
def place(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a style and three pictures in `in`."""
    ship(weights, monkeypatch)
    monkeypatch.chdir(tmp_path)
    save_style(tmp_path / "style.safetensors", random_style())
    (tmp_path / "in").mkdir()
    rng = torch.Generator().manual_seed(0)
    for name in ("a.png", "a.jpg", "b.png"):
        save_image(tmp_path / "in" / name, random_picture(rng, 40, 33))
    return tmp_path


@pytest.fixture
def paint(capsys: pytest.CaptureFixture):
    """Runs `paint`: (exit code, lines on stdout, text on stderr)."""

    def run(*argv: str) -> tuple[int, list[str], str]:
        code = cli.main(["paint", "style.safetensors", *argv])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return run


def test_a_folder_is_painted_once_and_its_speed_is_told(paint, place: Path) -> None:
    code, out, err = paint("in", "-o", "out")
    assert (code, err) == (0, "") and sorted(out[:-1]) == ["out/a.png", "out/a_2.png", "out/b.png"]
    speed = (
        r"painted 3 pictures in [\d.]+ s: ([\d.]+) per second, ([\d.]+) for each of (\d+) cores; 0 were .*"
    )
    told = re.fullmatch(speed, out[-1])
    assert float(told[1]) == pytest.approx(float(told[2]) * int(told[3]), abs=0.01 * int(told[3]))
    code, out, err = paint("in", "-o", "out")
    assert (code, err, len(out)) == (0, "", 1) and out[0].endswith("; 3 were painted before")
    assert paint("in", "-o", "out", "--strength", "0.5")[1][-1].startswith("painted 3 pictures")


def test_bad_pictures_are_listed_at_the_end_and_the_others_are_painted(paint, place: Path) -> None:
    (place / "in" / "text\x1b[2J.png").write_text("no picture")
    (place / "in" / "cut.png").write_bytes((place / "in" / "a.png").read_bytes()[:300])
    code, out, err = paint("in", "-o", "out")
    assert code == 2 and len(out) == 4
    lines = err.splitlines()
    assert len(lines) == 2 and all(line.isprintable() for line in lines)
    assert "'in/cut.png'" in err and "text" in err and lines[1].endswith("(2 of 5 pictures were not painted)")


def test_a_full_disk_is_told_and_the_run_goes_on(paint, place: Path, monkeypatch) -> None:
    written = 0

    def full(*given, **more) -> None:
        nonlocal written
        written += 1
        if written == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(*given, **more)

    write = batch.write_atomically
    with monkeypatch.context() as patched:
        patched.setattr(batch, "write_atomically", full)
        code, out, err = paint("in", "-o", "out")
    assert code == 2 and len(out) == 1 and err.count("\n") == 1
    assert (
        "'out' cannot be written to (No space left on device): finished pictures are kept; make room" in err
    )
    there = len(list((place / "out").glob("*.png")))
    code, out, err = paint("in", "-o", "out")
    assert (code, err) == (0, "") and out[-1].startswith(f"painted {3 - there} pictures")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["in", "-o", "in"], "'in' is the folder to paint"),
        (["in", "-o", "in", "--overwrite"], "'in' is the folder to paint"),
        (["in", "-o", "theirs"], "'theirs/b.png' exists already"),
        (["in", "-o", "torn"], "'torn/manifest.jsonl' is damaged"),
        (["in", "-o", "style.safetensors"], "is not a folder"),
        (["in", "nowhere", "-o", "out"], "no file or folder 'nowhere'"),
        (["empty", "-o", "out"], "no pictures in the folder 'empty'"),
        (["in", "-o", "out", "--second", "style.safetensors"], "give a mask as well"),
        (["in", "-o", "out", "--mask", "style.safetensors"], "'style.safetensors' cannot be opened"),
        (["in", "-o", "out", "--engine", "dask"], "--engine"),
        (["in", "-o", "out", "--shard", "0"], "--shard must be an integer from 1"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_lost(
    paint, place: Path, given: list[str], said: str
) -> None:
    for folder in ("theirs", "torn", "empty"):
        (place / folder).mkdir()
    (place / "theirs" / "b.png").write_text("kept")
    (place / "torn" / "manifest.jsonl").write_text("no line\n")
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    code, out, err = paint(*given)
    assert code == 2 and out == [] and said in err and err.count("\n") == 1
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before


def test_without_ray_it_is_said_what_to_install(paint, monkeypatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(cluster, "import_module", absent)
    code, out, err = paint("in", "-o", "out", "--engine", "ray")
    assert code == 2 and "needs Ray: `pip install pstyle[cluster]`, or leave --engine out" in err
    assert paint("in", "-o", "out")[0] == 0


def test_single_pictures_are_painted_without_a_manifest(paint, place: Path) -> None:
    assert paint("in/a.png", "in/b.png", "-o", "out")[1] == ["out/a.png", "out/b.png"]
    assert sorted(path.name for path in (place / "out").iterdir()) == ["a.png", "b.png"]
    assert paint("in", "-o", "made")[0] == 0
    assert torch.equal(open_image("made/b.png"), open_image("out/b.png"))
