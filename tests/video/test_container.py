"""Protects video files: every frame, upright and in its colors, its time, the sound; strangers' files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
import torch

from pstyle.core.files import BadFile
from pstyle.video import container as films
from pstyle.video.container import Part, check_output, film_of, frames_of, join_parts
from tests.conftest import random_picture
from tests.video.film_files import av, read_film, write_film


@pytest.fixture(autouse=True)
def needs_av() -> None:
    av()


@pytest.fixture
def frames(rng: torch.Generator) -> list[torch.Tensor]:
    """Nine frames (1, 3, 40, 56) of soft shapes, brighter one after the other."""
    picture = torch.nn.functional.interpolate(random_picture(rng, 5, 7), size=(40, 56), mode="bilinear")
    return [(0.4 * picture + 0.06 * number).clamp(0, 1) for number in range(9)]


def copied(source: Path, target: Path, per_part: int = 4) -> None:
    """The film, decoded and encoded again in parts, as painting does it."""
    film, paths, part = film_of(source), [], None
    for number, (picture, time) in enumerate(frames_of(film)):
        if number % per_part == 0:
            part = Part(film)
            paths.append(target.with_name(f"{target.stem}{number}.nut"))
        part.add(picture, time)
        if part.frames == per_part:
            paths[-1].write_bytes(part.encoded())
    if part.frames < per_part:
        paths[-1].write_bytes(part.encoded())
    join_parts(film, paths, target)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001)])
def test_frames_times_and_sound_are_kept(frames, tmp_path: Path, suffix: str, rate: Fraction) -> None:
    source, target = tmp_path / "in.mp4", tmp_path / f"out{suffix}"
    write_film(source, frames, rate=rate)
    copied(source, target)
    before, after = read_film(source), read_film(target)
    film = film_of(target)
    assert film.rate == pytest.approx(rate, rel=1e-3) and film_of(source).frames == 9
    assert len(after[0]) == 9 and (after[0] - torch.cat(frames)).abs().mean() < 0.012
    assert after[1] == pytest.approx(before[1], abs=0.001)
    starts, sound = zip(*after[2], strict=True)
    assert starts == pytest.approx([start for start, _ in before[2]], abs=0.002) and len(starts) > 5
    assert sound == tuple(packet for _, packet in before[2])


def test_uneven_times_are_kept_to_the_tick(frames, tmp_path: Path) -> None:
    times = [0, 1, 2, 5, 6, 11, 12, 13, 20]
    write_film(tmp_path / "in.mp4", frames, times, sound=False)
    copied(tmp_path / "in.mp4", tmp_path / "out.mp4")
    assert read_film(tmp_path / "out.mp4")[1] == [Fraction(time, 25) for time in times]


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_turned_films_come_out_upright(frames, tmp_path: Path, rotation: int) -> None:
    write_film(tmp_path / "in.mp4", frames, rotation=rotation)
    copied(tmp_path / "in.mp4", tmp_path / "out.mp4")
    expected = torch.cat(frames).rot90(rotation // 90, (2, 3))  # counterclockwise, as the matrix is read
    found = read_film(tmp_path / "out.mp4")[0]
    assert found.shape == expected.shape and (found - expected).abs().mean() < 0.012


@pytest.mark.parametrize("size", [(40, 57), (41, 56), (17, 33)])
def test_odd_sizes_are_kept(rng, tmp_path: Path, size: tuple[int, int]) -> None:
    frames = [torch.full((1, 3, *size), 0.1 * number) for number in range(3)]
    write_film(tmp_path / "in.mkv", frames)
    copied(tmp_path / "in.mkv", tmp_path / "out.mp4")
    assert read_film(tmp_path / "out.mp4")[0].shape == (3, 3, *size)


@pytest.mark.parametrize("height", [48, 720])
def test_colors_are_kept(tmp_path: Path, height: int) -> None:
    """What we write says how it is meant, whatever a player takes for granted at this size."""
    color = torch.tensor([0.8, 0.15, 0.3]).view(1, 3, 1, 1).expand(1, 3, height, 64)
    part = Part(films.Film(tmp_path, 1, Fraction(25), Fraction(1, 25), Fraction(1)))
    part.add(color, 0)
    (tmp_path / "a.nut").write_bytes(part.encoded())
    picture = next(frames_of(film_of(tmp_path / "a.nut"))).picture
    assert (picture - color).abs().max() < 0.02


def test_a_start_in_the_middle_gives_the_same_frames(frames, tmp_path: Path) -> None:
    write_film(tmp_path / "in.mp4", frames)
    film = film_of(tmp_path / "in.mp4")
    whole, rest = list(frames_of(film)), list(frames_of(film, 6))
    assert [frame.time for frame in rest] == [frame.time for frame in whole[6:]]
    assert all(torch.equal(a.picture, b.picture) for a, b in zip(rest, whole[6:], strict=True))


def test_a_film_that_breaks_off_gives_what_is_there(frames, tmp_path: Path, rng: torch.Generator) -> None:
    write_film(tmp_path / "in.mkv", [random_picture(rng, 64, 64) for _ in range(40)])
    data = (tmp_path / "in.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) // 2])
    film = film_of(tmp_path / "cut.mkv")
    assert 5 < len(list(frames_of(film))) < 35
    copied(film.path, tmp_path / "out.mp4")
    assert 5 < len(read_film(tmp_path / "out.mp4")[0]) < 35


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nin.mp4\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize("data", [b"", b"no video at all" * 99, PLAYLIST, b"\0" * 5000])
def test_what_is_no_video_is_refused_in_one_line(data: bytes, frames, tmp_path: Path) -> None:
    write_film(tmp_path / "in.mp4", frames)
    (tmp_path / "a.mp4").write_bytes(data)
    with pytest.raises(BadFile, match=r"'.*a\.mp4' is not a video") as error:
        film_of(tmp_path / "a.mp4")
    assert "\n" not in str(error.value)


def test_other_bad_files(frames, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be read: No such file"):
        film_of(tmp_path / "nowhere.mp4")
    write_film(tmp_path / "in.mp4", frames)
    (tmp_path / "cut.mp4").write_bytes((tmp_path / "in.mp4").read_bytes()[:2000])
    with pytest.raises(BadFile, match="cut off before its index"):
        film_of(tmp_path / "cut.mp4")
    with av().open(str(tmp_path / "tone.mkv"), "w") as container:
        tone = container.add_stream("aac", rate=8000, layout="mono")
        container.mux(tone.encode())
    with pytest.raises(BadFile):
        film_of(tmp_path / "tone.mkv")


def test_sound_that_does_not_fit_is_told_before_the_work(frames, tmp_path: Path, monkeypatch) -> None:
    write_film(tmp_path / "in.mkv", frames)
    film = film_of(tmp_path / "in.mkv")
    for suffix in films.OUTPUTS:
        check_output(film, suffix)
    with pytest.raises(ValueError, match=r"'\.webm': use one of \.mp4"):
        check_output(film, ".webm")
    monkeypatch.setitem(films.OUTPUTS, ".mp4", "ogg")  # which holds no AAC
    with pytest.raises(ValueError, match=r"cannot hold the video's sound \(aac\): write \.mkv"):
        check_output(film, ".mp4")


def test_without_pyav_one_sentence_tells_what_to_do(tmp_path: Path, monkeypatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    (tmp_path / "a.mp4").write_bytes(b"x")
    monkeypatch.setattr(films, "import_module", absent)
    with pytest.raises(ValueError, match=r"need PyAV: `pip install pstyle\[video\]`"):
        film_of(tmp_path / "a.mp4")
