"""Protects the manifest: torn or full at any byte it goes on; it has one writer; a stranger's is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pstyle.batch.manifest import NAME, PATTERN, Manifest, Written, joined, known_in, shard_name
from pstyle.core.files import BadFile

ONE, TWO = Written("1" * 64, "a" * 64), Written("2" * 64, "b" * 64)


def written(folder: Path, name: str = NAME) -> Path:
    with Manifest(folder / name) as manifest:
        manifest.painted(Path("in/a\n\u202e.jpg"), "a.png", ONE)
        manifest.refused(Path("in/bad.png"), "it is none")
        manifest.painted(Path("in/b.jpg"), "b.png", TWO)
    return folder / name


def test_what_was_told_is_known_again_whichever_run_told_it(tmp_path: Path) -> None:
    written(tmp_path)
    with Manifest(tmp_path / shard_name(7)) as manifest:
        manifest.painted(Path("in/a.jpg"), "a.png", TWO)
    assert known_in(sorted(tmp_path.glob(PATTERN))) == {"a.png": {ONE, TWO}, "b.png": {TWO}}
    assert known_in([]) == {} and joined({"a": {ONE}}, {}, {"a": {TWO}, "b": {ONE}}) == {
        "a": {ONE, TWO},
        "b": {ONE},
    }


def test_cut_off_at_any_byte_it_loses_the_torn_line_only_and_goes_on(tmp_path: Path) -> None:
    path = written(tmp_path)
    data = path.read_bytes()
    for length in range(len(data) + 1):
        path.write_bytes(data[:length])
        lines = data[:length].count(b"\n")
        expected = {} if lines < 2 else {"a.png": {ONE}} if lines < 4 else {"a.png": {ONE}, "b.png": {TWO}}
        assert known_in([path]) == expected
        if length % 7 == 0:
            with Manifest(path) as manifest:
                manifest.painted(Path("c.jpg"), "c.png", ONE)
            assert known_in([path]) == expected | {"c.png": {ONE}}


def test_a_full_disk_leaves_whole_lines_and_room_lets_it_go_on(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = written(tmp_path)
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    with Manifest(path) as manifest:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))  # a line fits in part
        try:
            with pytest.raises(OSError):
                manifest.painted(Path("c.jpg"), "c.png", ONE)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert path.read_bytes() == before
        manifest.painted(Path("c.jpg"), "c.png", ONE)
    assert known_in([path]).keys() == {"a.png", "b.png", "c.png"}


def test_a_second_run_into_the_same_folder_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="this system has no such locks")
    with (
        Manifest(tmp_path / NAME),
        pytest.raises(BadFile, match="another run"),
        Manifest(tmp_path / NAME),
    ):
        pass
    with Manifest(tmp_path / NAME):  # closed, it is free again
        pass


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a letter\nof mine\n", "is damaged"),
        (b'{"format":"pstyle.manifest 2"}\n', "is not a manifest of this version"),
        (b'{"format":"pstyle.manifest 1"}\n{"output":"a.png"}\n', "is not a manifest"),
        (
            b'{"format":"pstyle.manifest 1"}\n{"output":"a","sha256":1,"key":"b","source":"c"}\n',
            "is not a manifest",
        ),
        (b'{"format":"pstyle.manifest 1"}\n[1]\n', "is damaged"),
        (b'{"format":"pstyle.manifest 1"}\n' + b"[" * 99999 + b"\n", "is damaged"),
        (b"\xff\xfe\n", "is damaged"),
    ],
)
def test_a_file_that_is_no_manifest_is_refused_and_stays_as_it_was(
    tmp_path: Path, data: bytes, said: str
) -> None:
    path = tmp_path / NAME
    path.write_bytes(data)
    with pytest.raises(BadFile, match=said):
        known_in([path])
    with pytest.raises(BadFile, match=said), Manifest(path):
        pass
    assert path.read_bytes() == data


@settings(deadline=None, database=None, max_examples=200)
@given(st.binary(max_size=200))
def test_no_bytes_make_another_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """They are refused in a sentence, unless they are lines of JSON objects after the format's own."""
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(data + b"\n")
    with pytest.raises(BadFile) as said:
        known_in([path])
    assert str(said.value).isprintable()
    path.write_bytes(b'{"format":"pstyle.manifest 1"}\n' + data + b"\n")
    try:
        assert known_in([path]) == {}
    except BadFile as refusal:
        assert str(refusal).isprintable()
    else:
        assert all(isinstance(json.loads(line), dict) for line in data.splitlines())
