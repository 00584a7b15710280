"""Protects long runs: stopped anywhere, they go on where they were, and the end is the same to the bit."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch

from benchmarks.camera_moves import camera_move
from pstyle.core import checkpoint
from pstyle.core.files import BadFile
from pstyle.image.colors import luma
from pstyle.image.writing import save_image
from pstyle.painting.paint import SizeConfig
from pstyle.style.paint_settings import PaintSettings
from pstyle.video import resumable
from pstyle.video.container import film_of
from pstyle.video.resumable import paint_film, paint_frames, shot_of, tensors_of
from pstyle.video.stabilizing import VideoPainter
from tests.conftest import random_picture
from tests.video.film_files import av, read_film, write_film

FRAMES = 8


@pytest.fixture(autouse=True)
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumable, "PART_FRAMES", 3)


@pytest.fixture
def frames(rng: torch.Generator) -> list[torch.Tensor]:
    return camera_move("zoom", random_picture(rng, 70, 80), (40, 48), FRAMES).frames


@pytest.fixture
def source(frames: list[torch.Tensor], tmp_path: Path) -> Path:
    av()
    write_film(tmp_path / "in.mp4", frames)
    return tmp_path / "in.mp4"


def video(painter, reference_px: int = 768) -> VideoPainter:
    return VideoPainter(painter, PaintSettings(strength=0.7), size=SizeConfig(look_size_px=reference_px))


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_film_is_painted_frame_by_frame(painter, source: Path, tmp_path: Path) -> None:
    said: list[int] = []
    target = tmp_path / "a.mp4"
    made = paint_film(video(painter), film_of(source), target, tmp_path / "work", on_frame=said.append)
    assert made == FRAMES and said == list(range(1, FRAMES + 1))
    one = video(painter)
    expected = torch.cat([one(frame[None]) for frame in read_film(source)[0]])
    painted, times, sound = read_film(target)
    assert luma(painted - expected).abs().mean() < 0.02  # colors have half of the resolution
    assert (times, sound) == read_film(source)[1:]
    assert left_in(tmp_path) == ["a.mp4", "in.mp4"]


@pytest.mark.parametrize("stop", [1, 3, 4, 8])
def test_a_stopped_run_goes_on_to_the_same_end(painter, source: Path, tmp_path: Path, stop: int) -> None:
    film, work = film_of(source), tmp_path / "work"
    paint_film(video(painter), film, tmp_path / "whole.mp4", tmp_path / "other")
    seen: list[int] = []

    def stopping(done: int) -> None:
        if done == stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paint_film(video(painter), film, tmp_path / "out.mp4", work, on_frame=stopping)
    assert not (tmp_path / "out.mp4").exists() and work.is_dir()
    paint_film(video(painter), film, tmp_path / "out.mp4", work, on_frame=seen.append)
    assert seen[0] == (stop - 1) // 3 * 3 + 1 and not work.exists()
    whole, found = read_film(tmp_path / "whole.mp4"), read_film(tmp_path / "out.mp4")
    assert torch.equal(whole[0], found[0]) and whole[1:] == found[1:]


@pytest.mark.parametrize("failing", [1, 2, 4])
def test_a_full_disk_loses_nothing(painter, source: Path, tmp_path: Path, monkeypatch, failing: int) -> None:
    """A write of a part fails, or that of the state after it."""
    count, write, save = 0, resumable.write_atomically, checkpoint.write_atomically

    def counted(real):
        def wrapped(*given, **more) -> None:
            nonlocal count
            count += 1
            if count == failing:
                raise OSError(errno.ENOSPC, "No space left on device")
            real(*given, **more)

        return wrapped

    monkeypatch.setattr(resumable, "write_atomically", counted(write))
    monkeypatch.setattr(checkpoint, "write_atomically", counted(save))
    film, target = film_of(source), tmp_path / "out.mp4"
    with pytest.raises(OSError, match="No space left"):
        paint_film(video(painter), film, target, tmp_path / "work")
    assert not target.exists()
    paint_film(video(painter), film, target, tmp_path / "work")
    paint_film(video(painter), film, tmp_path / "whole.mp4", tmp_path / "other")
    assert torch.equal(read_film(target)[0], read_film(tmp_path / "whole.mp4")[0])
    assert left_in(tmp_path) == ["in.mp4", "out.mp4", "whole.mp4"]


def test_a_full_disk_at_the_very_end_keeps_the_parts(painter, source, tmp_path: Path, monkeypatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    film, target = film_of(source), tmp_path / "out.mp4"
    with monkeypatch.context() as patched:
        patched.setattr(resumable, "join_parts", lambda *given: full(0))
        with pytest.raises(OSError, match="No space left"):
            paint_film(video(painter), film, target, tmp_path / "work")
    assert len(list((tmp_path / "work").glob("*.nut"))) == 3 and not target.exists()
    seen: list[int] = []
    paint_film(video(painter), film, target, tmp_path / "work", on_frame=seen.append)
    assert seen == [] and len(read_film(target)[0]) == FRAMES


@pytest.mark.parametrize("reference_px", [768, 24])
def test_frames_in_files_go_on_too(painter, frames: list[torch.Tensor], tmp_path: Path, reference_px) -> None:
    files = [tmp_path / f"in{number}.png" for number in range(FRAMES)]
    for file, frame in zip(files, frames, strict=True):
        save_image(file, frame)
    whole, found = ([tmp_path / f"{name}{number}.png" for number in range(FRAMES)] for name in ("a", "b"))
    paint_frames(video(painter, reference_px), files, whole, tmp_path / "other")

    def stopping(done: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paint_frames(video(painter, reference_px), files, found, tmp_path / "work", stopping)
    paint_frames(video(painter, reference_px), files, found, tmp_path / "work")
    assert [path.read_bytes() for path in found] == [path.read_bytes() for path in whole]
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_a_shot_survives_its_file(painter, picture: torch.Tensor, strength: float) -> None:
    one, other = (VideoPainter(painter, PaintSettings(strength=strength)) for _ in range(2))
    one(picture)
    other.shot = shot_of(tensors_of(one.shot), painter.device)
    following = picture.roll(1, 3)
    assert torch.equal(one(following), other(following))


def test_a_damaged_state_is_refused_and_left(painter, source: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / resumable.STATE).write_bytes(b"no state")
    with pytest.raises(BadFile):
        paint_film(video(painter), film_of(source), tmp_path / "out.mp4", work)
    checkpoint.save(
        work / resumable.STATE,
        {"picture": torch.zeros(1)},
        {"format": "pstyle.video", "parts": "1", "frames": "3"},
        overwrite=True,
    )
    with pytest.raises(BadFile, match="delete that folder to start over"):
        paint_film(video(painter), film_of(source), tmp_path / "out.mp4", work)
