"""Protects the commands for spheres and pairs of eyes: files in, files out, nothing lost over bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks.worlds import stereo_pair
from pstyle import cli
from pstyle.image.reading import open_image
from pstyle.image.writing import save_image
from pstyle.painting.painter import load_painter
from pstyle.style.style import save_style
from pstyle.vr.gpano import read_headings, save_panorama
from pstyle.vr.stereo import StereoConfig, paint_stereo
from tests.conftest import random_picture
from tests.tiny_networks import random_style, ship, write_networks


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a style, a sphere with a heading, a pair of eyes, a picture that is neither."""
    (tmp_path / "weights").mkdir()
    write_networks(tmp_path / "weights")
    ship(tmp_path / "weights", monkeypatch)
    monkeypatch.chdir(tmp_path)
    rng = torch.Generator().manual_seed(0)
    save_style(tmp_path / "style.safetensors", random_style())
    save_panorama("sphere.jpg", random_picture(rng, 32, 64), {"PoseHeadingDegrees": 12.5})
    pair = stereo_pair(32, 48)
    save_image("eyes.png", torch.cat([pair.left, pair.right], dim=3))
    save_image("odd.png", random_picture(rng, 31, 45))
    return tmp_path


def call(capsys: pytest.CaptureFixture, *argv: str) -> tuple[int, list[str], str]:
    code = cli.main(list(argv))
    out, err = capsys.readouterr()
    return code, out.splitlines(), err


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_a_painted_sphere_is_one_still(capsys, kind: str) -> None:
    command = ("paint-360", "style.safetensors", "sphere.jpg", "-o", "out", "--format", kind)
    code, out, _ = call(capsys, *command)
    assert code == 0 and out == [f"out/sphere.{kind}"]
    assert read_headings(out[0]) == {"PoseHeadingDegrees": 12.5}
    assert open_image(out[0]).shape == (1, 3, 32, 64)
    before = Path(out[0]).read_bytes()
    code, _, err = call(capsys, *command)
    assert code == 2 and "exists already" in err and Path(out[0]).read_bytes() == before


def test_painted_eyes_are_the_librarys(capsys) -> None:
    command = ("paint-stereo", "style.safetensors", "eyes.png", "-o", "out")
    save_image("disparity.png", torch.full((1, 1, 32, 48), 0.2))
    known = ("--disparity", "disparity.png", "--disparity-px", "20")
    code, out, _ = call(capsys, *command, *known)
    assert code == 0 and out == ["out/eyes.png"]
    painter, disparity = load_painter("style.safetensors", "cpu"), torch.full((1, 1, 32, 48), 4.0)
    expected = paint_stereo(painter, open_image("eyes.png"), disparity=disparity)
    assert torch.allclose(open_image(out[0]), expected, atol=1 / 255)


def test_scores_are_told(capsys) -> None:
    code, out, _ = call(capsys, "score-seams", "sphere.jpg")
    assert code == 0 and [line.split(":")[0] for line in out] == ["seam", "poles"]
    code, out, _ = call(capsys, "score-seams", "eyes.png", "--kind", "stereo", "--content", "eyes.png")
    assert code == 0 and out[1].startswith("eyes over content: 1.000")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("paint-360", "odd.png: a 360 picture must be equirectangular"),
        ("paint-stereo", "odd.png: a side-by-side picture holds two eyes of one size: got 45x31 px, of odd"),
    ],
)
def test_what_is_no_sphere_and_no_pair_is_passed_over_and_told(capsys, command: str, said: str) -> None:
    good = "sphere.jpg" if command == "paint-360" else "eyes.png"
    code, out, err = call(capsys, command, "style.safetensors", "odd.png", good, "-o", "out")
    assert code == 2 and [Path(line).stem for line in out] == [Path(good).stem]
    assert said in err and err.count("\n") == 1 and "1 of 2 pictures" in err


def test_layouts_are_flags(capsys) -> None:
    flags = ("--layout", "side-by-side", "--out-layout", "top-bottom")
    code, out, _ = call(capsys, "paint-stereo", "style.safetensors", "eyes.png", "-o", "out", *flags)
    assert code == 0 and open_image(out[0]).shape == (1, 3, 64, 48)
    assert StereoConfig("side-by-side", "top-bottom").painted_layout == "top-bottom"
