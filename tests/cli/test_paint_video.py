"""Protects `pstyle paint` for videos: a file or frames in, one out, and bad input in one sentence."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch

from benchmarks.camera_moves import camera_move
from pstyle import cli
from pstyle.cli.paint_video import run_id
from pstyle.image.reading import open_image
from pstyle.image.writing import save_image
from pstyle.painting.paint import SizeConfig
from pstyle.painting.painter import Painter, load_painter
from pstyle.style.paint_settings import PaintSettings
from pstyle.style.style import save_style
from pstyle.video import container as films
from pstyle.video import resumable
from pstyle.video.stabilizing import VideoConfig, VideoPainter
from tests.conftest import random_picture
from tests.tiny_networks import random_style, ship
from tests.video.film_files import av, read_film, write_film


@pytest.fixture(autouse=True)
def place(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a style, and five frames as pictures."""
    ship(weights, monkeypatch)
    monkeypatch.chdir(tmp_path)
    save_style(tmp_path / "style.safetensors", random_style())
    (tmp_path / "frames").mkdir()
    picture = random_picture(torch.Generator().manual_seed(0), 60, 70)
    for number, frame in enumerate(camera_move("pan", picture, (40, 48), 5).frames):
        save_image(tmp_path / "frames" / f"{number}.png", frame)
    return tmp_path


@pytest.fixture
def clip(place: Path) -> Path:
    av()
    write_film(place / "clip.mkv", [open_image(path) for path in sorted((place / "frames").iterdir())])
    return place / "clip.mkv"


@pytest.fixture
def paint(capsys: pytest.CaptureFixture):
    """Runs `paint`: (exit code, lines on stdout, text on stderr)."""

    def run(*argv: str) -> tuple[int, list[str], str]:
        code = cli.main(["paint", "style.safetensors", *argv])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return run


def test_a_video_is_painted_into_a_file_or_a_folder(paint, clip: Path, place: Path) -> None:
    assert paint("clip.mkv", "-o", "out.mp4") == (0, ["out.mp4"], "")
    assert paint("clip.mkv", "-o", "made", "--strength", "0")[:2] == (0, [str(Path("made/clip.mp4"))])
    whole, plain, before = (read_film(place / name) for name in ("out.mp4", "made/clip.mp4", "clip.mkv"))
    assert len(whole[0]) == len(plain[0]) == 5 and whole[1] == plain[1]
    assert (plain[0] - before[0]).abs().mean() < 0.06 < (whole[0] - plain[0]).abs().mean()
    assert not [path for path in place.rglob(".*")]


def test_frames_are_painted_as_one_video(paint, place: Path) -> None:
    assert paint("frames", "-o", "alone")[0] == 0
    code, out, _ = paint("frames", "-o", "together", "--frames", "--blend", "0.5")
    assert code == 0 and out == [str(Path("together") / f"{number}.png") for number in range(5)]
    first, last = ([open_image(place / f"{name}/{n}.png") for name in ("alone", "together")] for n in (0, 4))
    assert torch.allclose(*first, atol=0.006) and not torch.allclose(*last, atol=0.02)
    code, _, err = paint("frames", "-o", "together", "--frames")
    assert code == 2 and "exists already" in err


def test_a_full_disk_is_told_and_the_run_goes_on(paint, clip: Path, place: Path, monkeypatch) -> None:
    def full(*given, **more) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(resumable, "join_parts", full)
        code, _, err = paint("clip.mkv", "-o", "out.mp4")
    assert code == 2 and err.count("\n") == 1
    assert "(No space left on device): finished pictures are kept; make room and run the same" in err
    monkeypatch.setattr(resumable.VideoPainter, "paint_checked", full)  # nothing is painted a second time
    assert paint("clip.mkv", "-o", "out.mp4")[0] == 0 and len(read_film(place / "out.mp4")[0]) == 5


def test_another_run_goes_on_with_nothing_of_this_one(paint, clip: Path, place: Path, monkeypatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(resumable, "join_parts", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
        assert paint("clip.mkv", "-o", "out.mp4")[0] == 130
    left = [path.name for path in place.glob(".out*")]
    assert len(left) == 1
    assert paint("clip.mkv", "-o", "out.mp4", "--strength", "0.5")[0] == 0
    assert [path.name for path in place.glob(".out*")] == left


def test_a_video_that_is_cut_off_is_painted_as_far_as_it_goes(paint, place: Path) -> None:
    av()
    rng = torch.Generator().manual_seed(0)
    write_film(place / "long.mkv", [random_picture(rng, 48, 64) for _ in range(20)])
    data = (place / "long.mkv").read_bytes()
    (place / "cut.mkv").write_bytes(data[: len(data) // 2])
    code, out, err = paint("cut.mkv", "-o", "out.mp4")
    painted = len(read_film(place / "out.mp4")[0])
    assert code == 2 and out == ["out.mp4"] and 2 < painted < 18
    assert f"'cut.mkv' is cut off or damaged: {painted} of about 2" in err and err.count("\n") == 1


def test_runs_that_would_paint_otherwise_are_others(place: Path) -> None:
    painter = load_painter("style.safetensors", "cpu")
    low = Painter(painter.style, painter.generator, painter.vgg, "cpu", torch.bfloat16)
    videos = [
        VideoPainter(painter),
        VideoPainter(painter, PaintSettings(strength=0.5)),
        VideoPainter(painter, config=VideoConfig(blend=0.5)),
        VideoPainter(painter, size=SizeConfig(look_size_px=24)),
        VideoPainter(low),
    ]
    sources, style = sorted((place / "frames").iterdir()), place / "style.safetensors"
    assert len({run_id(sources, style, video) for video in videos}) == len(videos)
    assert run_id(sources, style, VideoPainter(painter)) == run_id(sources, style, videos[0])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["text.mp4", "-o", "out.mp4"], "'text.mp4' is not a video"),
        (["nowhere.mp4", "-o", "out.mp4"], "'nowhere.mp4' cannot be read"),
        (["clip.mkv", "-o", "out.webm"], "'.webm': use one of .mp4, .mov, .mkv"),
        (["clip.mkv", "-o", "clip.mkv", "--overwrite"], "is the video to paint"),
        (["clip.mkv", "-o", "there.mp4"], "'there.mp4' exists already"),
        (["clip.mkv", "frames", "-o", "out.mp4"], "paint one at a time"),
        (["clip.mkv", "-o", "out.mp4", "--mask", "frames/0.png"], "--mask and --second are for pictures"),
        (["clip.mkv", "-o", "out.mp4", "--blend", "2"], "--blend must be a number from 0.0 to 0.98"),
        (["clip.mkv", "-o", "nowhere/out.mp4"], "'nowhere' is not a folder"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_lost(
    paint, clip: Path, place: Path, given: list[str], said: str
) -> None:
    (place / "text.mp4").write_text("no video")
    (place / "there.mp4").write_text("kept")
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    code, out, err = paint(*given)
    assert code == 2 and out == [] and said in err and err.count("\n") == 1
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before


def test_without_pyav_frames_are_still_painted(paint, place: Path, monkeypatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(films, "import_module", absent)
    (place / "a.mp4").write_bytes(b"x")
    code, _, err = paint("a.mp4", "-o", "out.mp4")
    assert code == 2 and "need PyAV: `pip install pstyle[video]`, or give a folder of frames" in err
    assert paint("frames", "-o", "out", "--frames")[0] == 0
