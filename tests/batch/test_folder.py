"""Protects painting a folder: the bytes of a plain loop, nothing done twice, nothing torn, nothing lost."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pstyle.batch import folder as batch
from pstyle.batch.folder import KEPT, PAINTED, REFUSED, FolderPainter, Picture, by_size, size_px
from pstyle.batch.job import Job
from pstyle.batch.manifest import NAME, PATTERN, known_in
from pstyle.cli.inputs import output_names
from pstyle.core import files
from pstyle.image.listing import list_pictures
from pstyle.image.reading import open_image, open_mask
from pstyle.image.writing import save_image
from pstyle.painting.paint import SizeConfig, paint
from pstyle.style.paint_settings import PaintSettings
from tests.batch.conftest import NAMES, SIZES
from tests.conftest import random_picture


def pictures_in(folder: Path) -> list[Picture]:
    found = list_pictures(folder)
    return [Picture(*both) for both in zip(found, output_names(found), strict=True)]


def run(job: Job, place: Path, overwrite: bool = False) -> dict[str, tuple[str, str]]:
    """State and reason by the name of the picture."""
    known = known_in((place / "out").glob(PATTERN))
    painter = FolderPainter(job, place / "out", overwrite)
    outcomes = painter(by_size(pictures_in(place / "in")), NAME, known)
    return {one.picture.source.name: (one.state, one.reason) for one in outcomes}


def states(found: dict[str, tuple[str, str]]) -> Counter:
    return Counter(state for state, _ in found.values())


def everything_in(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and inode of every file; one that is written anew gets another inode."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_ino)
        for path in folder.rglob("*")
        if path.is_file()
    }


def outputs(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {name: found for name, found in everything_in(folder).items() if name.endswith(".png")}


# --- what is painted


def test_files_are_those_of_a_plain_loop(job: Job, place: Path) -> None:
    everything = replace(
        job,
        settings=PaintSettings(strength=0.7, keep_color=True),
        size=SizeConfig(look_size_px=28),
        mask=place / "mask.png",
        second=place / "second.safetensors",
    )
    (place / "plain").mkdir()
    for task in (job, everything):
        assert states(run(task, place)) == {PAINTED: 5}
        work = task.work()
        for source, name in pictures_in(place / "in"):
            mask = open_mask(task.mask) if task.mask else None
            found = paint(open_image(source), work.painter, task.settings, mask, work.second, task.size)
            save_image(place / "plain" / name, found, overwrite=True)
        plain = {name: data for name, (data, _) in outputs(place / "plain").items()}
        assert {name: data for name, (data, _) in outputs(place / "out").items()} == plain
        assert plain.keys() == {"a.png", "a_2.png", "b.png", "-rf.png", "c d\n.png"}


def test_pictures_of_one_size_follow_one_another(place: Path) -> None:
    (place / "in" / "bad.png").write_bytes(b"no picture")
    order = [size_px(picture.source) for picture in by_size(pictures_in(place / "in"))]
    assert order == sorted(order) and order[0] == (0, 0, 0) and order[1] == (24 * 31, 24, 31)
    assert Counter(order[1:]) == Counter((h * w, h, w) for h, w in SIZES)


def test_a_large_picture_goes_from_file_to_file_and_is_kept_as_others(
    job: Job, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyvips")
    assert states(run(job, place)) == {PAINTED: 5}
    whole = {name: open_image(place / "out" / name) for name in outputs(place / "out")}
    monkeypatch.setattr("pstyle.painting.streaming.LARGE_PIXELS", 1000)
    assert states(run(job, place)) == {KEPT: 5}
    assert states(run(replace(job, size=SizeConfig(tile="always")), place)) == {PAINTED: 5}
    for name, expected in whole.items():
        assert (open_image(place / "out" / name) - expected).abs().max() < 2 / 255
    assert not list((place / "out").glob(".*"))


# --- what is not painted again


def test_run_again_nothing_is_painted_or_written(job: Job, place: Path, monkeypatch) -> None:
    run(job, place)
    before = everything_in(place)

    def never(*_: object) -> None:
        raise AssertionError("it paints")

    monkeypatch.setattr(batch.FolderPainter, "_paint", never)
    assert states(run(job, place)) == {KEPT: 5} and everything_in(place) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda job: replace(job, settings=PaintSettings(strength=0.9)),
        lambda job: replace(job, size=SizeConfig(look_size_px=20)),
        lambda job: replace(job, style=job.style.with_name("second.safetensors")),
        lambda job: replace(job, mask=job.style.with_name("mask.png")),
    ],
    ids=["look", "size", "style", "mask"],
)
def test_a_changed_job_paints_every_picture_anew(job: Job, place: Path, change) -> None:
    run(job, place)
    before = outputs(place / "out")
    assert states(run(change(job), place)) == {PAINTED: 5}
    after = outputs(place / "out")
    assert all(after[name][0] != before[name][0] for name in before)


def test_a_changed_picture_is_painted_anew_and_no_other(job: Job, place: Path) -> None:
    run(job, place)
    before = outputs(place / "out")
    save_image(place / "in" / "b.png", open_image(place / "in" / "b.webp"))
    (place / "in" / "b.webp").unlink()  # the same name, and other bytes
    found = run(job, place)
    assert states(found) == {PAINTED: 1, KEPT: 4} and found["b.png"][0] == PAINTED
    assert {name: f for name, f in outputs(place / "out").items() if name != "b.png"} == {
        name: f for name, f in before.items() if name != "b.png"
    }


def test_a_painting_that_was_removed_comes_back(job: Job, place: Path) -> None:
    run(job, place)
    before = outputs(place / "out")
    (place / "out" / "a.png").unlink()
    assert states(run(job, place)) == {PAINTED: 1, KEPT: 4}
    assert outputs(place / "out")["a.png"][0] == before["a.png"][0]


# --- what is not lost


def test_files_of_others_stay_unless_asked(job: Job, place: Path) -> None:
    (place / "out" / "a.png").write_bytes(b"mine")
    (place / "out" / "b.png").symlink_to(place / "nowhere")
    (place / "out" / "c d\n.png").mkdir()
    found = run(job, place)
    assert states(found) == {PAINTED: 2, REFUSED: 3} and (place / "out" / "a.png").read_bytes() == b"mine"
    assert "exists already" in found["b.webp"][1] and not (place / "nowhere").exists()
    found = run(job, place, overwrite=True)
    assert states(found) == {PAINTED: 2, KEPT: 2, REFUSED: 1} and not (place / "nowhere").exists()
    assert "not a regular file" in found["c d\n.png"][1]


def test_a_painting_that_was_retouched_stays_unless_asked(job: Job, place: Path) -> None:
    run(job, place)
    save_image(place / "out" / "a.png", torch.zeros(1, 3, 8, 8), overwrite=True)
    retouched = (place / "out" / "a.png").read_bytes()
    found = run(replace(job, settings=PaintSettings(strength=0.5)), place)
    assert states(found) == {PAINTED: 4, REFUSED: 1} and "changed since" in found["a.jpg"][1]
    assert (place / "out" / "a.png").read_bytes() == retouched
    assert states(run(job, place, overwrite=True)) == {PAINTED: 5}


def test_bad_pictures_are_refused_and_tried_again(job: Job, place: Path, monkeypatch) -> None:
    (place / "in" / "cut.png").write_bytes((place / "in" / "a.png").read_bytes()[:700])
    (place / "in" / "text.jpg").write_text("no picture")
    (place / "in" / "empty.gif").touch()
    work_paint = batch.Job.work

    def short_of_memory(self: Job):
        work = work_paint(self)

        def paint_or_fail(image: torch.Tensor) -> torch.Tensor:
            if image.shape[2] == 24:
                raise RuntimeError("[enforce fail] can't allocate memory: you tried to allocate 9 bytes")
            return work.paint(image)

        return type("Short", (), {"paint": staticmethod(paint_or_fail), "painter": work.painter})()

    with monkeypatch.context() as patched:
        patched.setattr(batch.Job, "work", short_of_memory)
        found = run(job, place)
    assert states(found) == {PAINTED: 4, REFUSED: 4} and "memory" in found["-rf.png"][1]
    assert all(name in found[name][1] for name in ("cut.png", "text.jpg", "empty.gif"))
    told = [json.loads(line) for line in (place / "out" / NAME).read_text().splitlines()[1:]]
    assert sum("refused" in line for line in told) == 4
    (place / "in" / "text.jpg").unlink()
    assert states(run(job, place)) == {PAINTED: 1, KEPT: 4, REFUSED: 2}


def test_an_error_of_the_program_stops_the_run(job: Job, place: Path, monkeypatch) -> None:
    monkeypatch.setattr(
        batch.FolderPainter, "_paint", lambda *_: (_ for _ in ()).throw(RuntimeError("a bug"))
    )
    with pytest.raises(RuntimeError, match="a bug"):
        run(job, place)


def test_a_full_disk_at_any_call_stops_the_run_and_loses_nothing(job: Job, place: Path, monkeypatch) -> None:
    """Every call of the system in writing a picture fails once; then there is room, and the run goes on."""
    for name in NAMES[2:]:
        (place / "in" / name).unlink()
    run(job, place)
    wanted = {name: data for name, (data, _) in outputs(place / "out").items()}
    failed = 0
    for number in range(1, 40):
        for path in (place / "out").iterdir():
            path.unlink()
        calls = 0

        def full(real, number=number):
            def call(*given, **more):
                nonlocal calls
                calls += 1
                if calls == number:
                    raise OSError(errno.ENOSPC, "No space left on device")
                return real(*given, **more)

            return call

        with monkeypatch.context() as patched:
            for name in ("write", "fsync", "replace"):
                patched.setattr(files.os, name, full(getattr(os, name)))
            try:
                run(job, place)
            except OSError as error:
                assert error.errno == errno.ENOSPC
                failed += 1
            else:
                break
        whole = outputs(place / "out")
        assert all(data == wanted[name] for name, (data, _) in whole.items() if not name.startswith("."))
        assert states(run(job, place))[REFUSED] == 0
        after = outputs(place / "out")
        assert {name: data for name, (data, _) in after.items()} == wanted
        assert all(after[name] == found for name, found in whole.items())  # not written a second time
    assert failed == calls >= 2 * 5 + 1  # five for each picture, and the manifest's first line


def test_names_never_lead_out_of_the_folder(job: Job, place: Path) -> None:
    for name in (
        "....png",
        "\\..\\x.png",
        "x" * 251 + ".jpg",
        "%2e%2e%2fx.png",
        " .png",
        "\udc80.png",
        "$HOME.png",
        "x" * 200 + ".png",
    ):
        (place / "in" / name).write_bytes((place / "in" / "a.png").read_bytes())
    before = everything_in(place)
    assert states(run(job, place)) == {PAINTED: 5 + 7}  # the first one is hidden
    new = everything_in(place).keys() - before.keys()
    assert all(os.path.dirname(name) == "out" for name in new) and len(new) == 5 + 7 + 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_again_and_again_no_file_is_redone_or_torn(place: Path, weights: Path) -> None:
    rng = torch.Generator().manual_seed(1)
    for number in range(45):
        save_image(place / "in" / f"{number}.png", random_picture(rng, 40 + number % 3, 52))
    script = Path(__file__).with_name("kill_folder.py")
    command = [sys.executable, str(script), *map(str, (place, weights, 10))]
    environment = {**os.environ, "PYTHONPATH": str(script.parents[2]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=True)
    found = json.loads(done.stdout)
    print(found)  # noqa: T201
    assert found["kills"] == 10 and found["halfway"] >= 5  # else they missed the run
    assert found["refused"] == found["redone"] == found["torn"] == found["untold"] == 0
    assert found["painted"] == 50 == found["same"]
