"""Protects two promises: a write leaves the old file or the new one, in its folder; a read never hangs."""

from __future__ import annotations

import errno
import json
import os
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pstyle.core import files
from pstyle.core.files import (
    BadFile,
    find_file,
    list_files,
    path_in,
    read_file,
    safe_name,
    write_atomically,
    written_whole,
)

OLD, NEW = b"old " * 1000, b"new! " * 2000
SUFFIX = ".safetensors"


def kill(folder: Path, kills: int, write: str) -> dict[str, int]:
    script = Path(__file__).with_name("kill_writer.py")
    command = [sys.executable, str(script), str(folder), str(kills), write]
    environment = {**os.environ, "PYTHONPATH": str(script.parents[2])}
    limit = {"timeout": 200 + kills, "check": True}  # seconds, on a busy machine
    done = subprocess.run(command, env=environment, capture_output=True, text=True, **limit)
    return json.loads(done.stdout)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("kills", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_kills_never_leave_a_torn_file(tmp_path: Path, kills: int) -> None:
    found = kill(tmp_path, kills, "atomic")
    print(*(f"{name}={count}" for name, count in found.items()))  # noqa: T201
    assert found["bad"] == 0 and found["orphans"] <= 1 and not found["torch"]
    assert found["interrupted"] > 0  # else the kills missed the writes


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_the_kill_test_catches_a_plain_write(tmp_path: Path) -> None:
    assert kill(tmp_path, 15, "plain")["bad"] > 0


class FaultyOS:
    """The os module with calls recorded, at most 4096 bytes taken per write, and the N-th call failing."""

    WATCHED = ("unlink", "open", "write", "fsync", "close", "replace")

    def __init__(self, fail_at: int, fault: BaseException | None) -> None:
        self.fail_at, self.fault, self.calls = fail_at, fault, []

    def __getattr__(self, name: str) -> object:
        real = getattr(os, name)
        return self.watch(name, real) if name in self.WATCHED else real

    def watch(self, name: str, real: Callable) -> Callable:
        def call(first: object, *rest: object) -> object:
            self.calls.append((name, first if name != "replace" else (first, *rest)))
            failing = len(self.calls) == self.fail_at
            if failing and name == "close":
                real(first)  # a close that reports an error has closed all the same
            if failing:
                raise self.fault
            return real(first, *(part[:4096] for part in rest) if name == "write" else rest)

        return call


def write_under(monkeypatch: pytest.MonkeyPatch, faulty: FaultyOS, path: Path) -> BaseException | None:
    with monkeypatch.context() as patch:
        patch.setattr(files, "os", faulty)
        try:
            write_atomically(path, NEW, overwrite=True)
        except BaseException as error:
            return error
    return None


FAULTS = [OSError(code, os.strerror(code)) for code in (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS)]


@pytest.mark.parametrize("before", ["nothing", "old file", "old file and a temporary"])
def test_every_failing_call_leaves_a_whole_file_and_no_temporary(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, before: str
) -> None:
    path, temporary = tmp_path / "style", tmp_path / ".style.tmp"
    old = None if before == "nothing" else OLD
    counts = {"old": 0, "new": 0, "torn": 0}
    faultless = FaultyOS(0, None)
    assert write_under(monkeypatch, faultless, path) is None and len(faultless.calls) > 9
    for fault in [*FAULTS, KeyboardInterrupt()]:
        for number in range(1, len(faultless.calls) + 1):
            path.write_bytes(OLD) if old else path.unlink(missing_ok=True)
            if "temporary" in before:
                temporary.write_bytes(b"left by a crash")
            assert write_under(monkeypatch, FaultyOS(number, fault), path) is fault
            found = path.read_bytes() if path.exists() else None
            counts["new" if found == NEW else "old" if found == old else "torn"] += 1
            assert not temporary.exists()
    print(f"before={before!r} failures={sum(counts.values())} {counts}")  # noqa: T201
    assert counts["torn"] == 0 and counts["old"] > 0 and counts["new"] > 0


def test_calls_come_in_the_order_for_a_power_cut(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path, temporary = tmp_path / "style", tmp_path / ".style.tmp"
    faultless = FaultyOS(0, None)
    write_under(monkeypatch, faultless, path)
    names = [name for name, _ in faultless.calls]
    writes = ["write"] * -(-len(NEW) // 4096)
    assert names == ["unlink", "open", *writes, "fsync", "close", "replace", "open", "fsync", "close"]
    by_name = {name: [what for called, what in faultless.calls if called == name] for name in names}
    assert by_name["open"] == [temporary, tmp_path] and by_name["replace"] == [(temporary, path)]
    assert by_name["fsync"] == by_name["close"] and set(by_name["write"]) == {by_name["fsync"][0]}


def test_a_file_above_the_size_limit_fails_and_the_old_one_stays(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "style"
    path.write_bytes(OLD)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(NEW) // 2, before[1]))
    try:
        with pytest.raises(OSError) as failure:
            write_atomically(path, NEW, overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert failure.value.errno == errno.EFBIG
    assert path.read_bytes() == OLD and os.listdir(tmp_path) == ["style"]


def test_an_existing_file_is_kept_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "style"
    write_atomically(path, OLD)
    with pytest.raises(BadFile, match="exists already"):
        write_atomically(path, NEW)
    assert path.read_bytes() == OLD
    write_atomically(path, NEW, overwrite=True)
    assert path.read_bytes() == NEW and os.listdir(tmp_path) == ["style"]


def test_folders_and_missing_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", tmp_path / "absent" / "style"):
        with pytest.raises(BadFile, match="folder"):
            write_atomically(path, NEW, overwrite=True)
    assert os.listdir(tmp_path) == ["folder"]


def test_a_link_is_replaced_and_never_written_through(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(OLD)
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    with pytest.raises(BadFile, match="exists already"):
        write_atomically(tmp_path / "link", NEW)
    write_atomically(tmp_path / "link", NEW, overwrite=True)
    assert (tmp_path / "theirs").read_bytes() == OLD and (tmp_path / "link").read_bytes() == NEW


def ends_in_time(function: Callable[[], None]) -> bool:
    """False if it still runs after a while: a read that hangs then fails its test alone."""
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    thread.join(20)
    return not thread.is_alive()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_what_is_no_regular_file_is_refused_and_never_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "dangling").symlink_to(tmp_path / "absent")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    server = socket.socket(socket.AF_UNIX)
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    server.bind("socket")
    kinds = [*(tmp_path / name for name in ("folder", "fifo", "dangling", "loop", "socket", "absent"))]
    refused = []

    def read(path: Path | str) -> None:
        with pytest.raises(BadFile):
            read_file(path, 1 << 20)
        refused.append(path)

    for path in [*kinds, "/dev/zero", "nul\0name"]:
        assert ends_in_time(lambda path=path: read(path)), path
    server.close()
    print(f"kinds={len(refused)} refused={len(refused)}")  # noqa: T201
    assert len(refused) == 8


def test_reading_keeps_to_its_limit_and_follows_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "style", tmp_path / "link"
    path.write_bytes(OLD)
    link.symlink_to(path)
    assert read_file(link, len(OLD)) == OLD and read_file(path, len(OLD), most_bytes=3) == OLD[:3]
    with pytest.raises(BadFile, match="4000 bytes, more than the 3999 allowed"):
        read_file(path, len(OLD) - 1)


HOSTILE_NAMES = [
    "", ".", "..", "/", "\\", "../x", "../../etc/passwd", "../output_evil/x", "a/../../x", "a/b",
    "./x", "/etc/x", "/tmp/x", "//host/share/x", "..\\..\\x", "a\\b", "C:\\x", "C:x",
    "\\\\host\\share\\x", "x:ads", "~/x", "~root", "$HOME/x", "%2e%2e%2fx", "..%2fx", "....//x",
    "-rf", "--help", ".hidden", "_x", " x", "x ", "x.", "NUL", "nul.txt", "con", "Com1", "LPT9.a",
    "aux ", "a\nb", "a\0b", "a\x1b[31mb", "a\u202egpj.b", "caf\u00e9", "\uff0e\uff0e\uff0fx", "x" *
    65, "x" * 300, "*?|<>\"",
]  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """tmp_path/output with a link out of it, and two folders beside it that nobody may write to."""
    for name in ("output", "output_evil", "outside"):
        (tmp_path / name).mkdir()
    (tmp_path / "outside" / "theirs").write_bytes(OLD)
    (tmp_path / "output" / f"link{SUFFIX}").symlink_to(tmp_path / "outside" / "theirs")
    (tmp_path / "output" / f"dangling{SUFFIX}").symlink_to(tmp_path / "outside" / "absent")
    return tmp_path


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def save_as(folder: Path, name: str) -> bool:
    try:
        path_in(folder, name, SUFFIX).write_bytes(NEW)  # a plain write, which would also go through a link
    except BadFile as refusal:
        assert str(refusal).isprintable() and len(str(refusal)) < 600
        return False
    return True


def test_48_hostile_names_write_nothing_outside_or_at_all(tree: Path) -> None:
    before = everything_in(tree)
    accepted = [name for name in [*HOSTILE_NAMES, "link", "dangling"] if save_as(tree / "output", name)]
    escaped = len(everything_in(tree)) - len(before)
    print(f"names={len(HOSTILE_NAMES)} accepted={len(accepted)} escaped={escaped}")  # noqa: T201
    assert len(set(HOSTILE_NAMES)) == 48 and accepted == [] and everything_in(tree) == before
    for name in ("ok", f"with suffix{SUFFIX}", "a.b-c_d", "9", "x" * 64, "console", "com10"):
        assert save_as(tree / "output", name)
    assert everything_in(tree / "outside") == {"theirs": OLD} and everything_in(tree / "output_evil") == {}


def check_contained(tree: Path, name: str, written: set[str]) -> None:
    if save_as(tree / "output", name):
        written.add(safe_name(name.removesuffix(SUFFIX)) + SUFFIX)


def test_random_names_stay_in_the_folder(tree: Path) -> None:
    rng, written = random.Random(0), set()
    pieces = [
        "..",
        "/",
        "\\",
        ".",
        "a",
        "B7",
        " ",
        "-",
        "_",
        "nul",
        "\n",
        "\0",
        ":",
        "link",
        "\u202e",
        SUFFIX,
    ]
    for _ in range(5000):
        check_contained(tree, "".join(rng.choices(pieces, k=rng.randint(0, 5))), written)

    @settings(max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.text(max_size=70))
    def check(name: str) -> None:
        check_contained(tree, name, written)

    check()
    outside = everything_in(tree / "outside") | everything_in(tree / "output_evil")
    inside = everything_in(tree / "output").keys() - {f"link{SUFFIX}"}
    print(f"names=5200 accepted={len(written)} outside={len(outside) - 1}")  # noqa: T201
    assert outside == {"theirs": OLD} and inside == written and len(written) > 50


@pytest.mark.parametrize("name", [None, 3, b"x", Path("x"), ["x"]])
def test_a_name_that_is_no_text_is_refused(name: object, tmp_path: Path) -> None:
    with pytest.raises(BadFile):
        path_in(tmp_path, name, SUFFIX)


def test_only_files_that_lie_in_the_folder_are_found(tree: Path) -> None:
    folder = tree / "output"
    (folder / f"b{SUFFIX}").write_bytes(NEW)
    (folder / f"a{SUFFIX}").write_bytes(NEW)
    (folder / f".a{SUFFIX}.tmp").write_bytes(b"left by a crash")
    (folder / f".hidden{SUFFIX}").write_bytes(NEW)
    (folder / "notes.txt").write_bytes(NEW)
    (folder / f"folder{SUFFIX}").mkdir()
    (folder / f"loop{SUFFIX}").symlink_to(folder / f"loop{SUFFIX}")
    assert list_files(folder, SUFFIX) == [f"a{SUFFIX}", f"b{SUFFIX}", f"link{SUFFIX}"]
    assert list_files(tree / "absent", SUFFIX) == list_files(folder / "notes.txt", "") == []
    assert read_file(find_file(folder, f"link{SUFFIX}"), 1 << 20) == OLD  # one's own link may be read through
    absent = ["dangling", ".hidden", "folder", "loop", "absent", "../outside/theirs", str(folder / "b")]
    for name in [*(stem + SUFFIX for stem in absent), *HOSTILE_NAMES, None]:
        with pytest.raises(BadFile, match="there is no file") as refusal:
            find_file(folder, name)
        assert str(refusal.value).isprintable()


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\x1b[2Jb", "a\u202eb", "a\x00b", "a\udc80b\x07\u2028"])
def test_messages_hold_no_control_characters(name: str, tmp_path: Path) -> None:
    for act in (
        lambda: read_file(tmp_path / name, 10), lambda: find_file(tmp_path, name), lambda: safe_name(name),
        lambda: write_atomically(tmp_path / name / "x", b""),
    ):  # fmt: skip
        with pytest.raises(BadFile) as refusal:
            act()
        assert str(refusal.value).isprintable()
    assert str(BadFile(f"raw {name}")).isprintable()


def test_a_file_written_piece_by_piece_is_there_at_the_end_only(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with written_whole(path) as file:
        file.write(b"xxx and more")
        assert not path.exists()
        file.seek(0)
        file.write(b"the")
    assert path.read_bytes() == b"the and more" and os.listdir(tmp_path) == ["a"]
    with pytest.raises(BadFile, match="exists already"), written_whole(path):
        pass
    for stop in (KeyboardInterrupt, OSError(errno.ENOSPC, "full")):
        with pytest.raises((KeyboardInterrupt, OSError)), written_whole(path, overwrite=True) as file:
            file.write(NEW)
            raise stop
        assert path.read_bytes() == b"the and more" and os.listdir(tmp_path) == ["a"]


def test_what_a_crash_left_is_written_over_and_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(OLD)
    (tmp_path / ".a.tmp").symlink_to(tmp_path / "theirs")
    with written_whole(tmp_path / "a") as file:
        file.write(NEW)
    assert (tmp_path / "a").read_bytes() == NEW and (tmp_path / "theirs").read_bytes() == OLD
