"""Lines that were written are there again, whatever happened at the end of the file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pstyle.core.json_lines import append, append_to, line_of, records_in, whole_lines

RECORDS = [{"text": "caf\u00e9\n\u2028"}, {"number": 0.1, "none": None}]


def test_records_come_back_line_by_line() -> None:
    text = "".join(map(line_of, RECORDS))
    assert text.count("\n") == 2 and records_in(text) == RECORDS
    with pytest.raises(ValueError, match="JSON"):
        line_of({"number": float("nan")})


def test_cut_off_at_any_byte_a_file_loses_its_torn_line_only(tmp_path: Path) -> None:
    path, text = tmp_path / "lines", "".join(map(line_of, RECORDS)).encode()
    for length in range(len(text) + 1):
        path.write_bytes(text[:length])
        whole = whole_lines(path.read_bytes())
        assert records_in(whole.decode()) == RECORDS[: text[:length].count(b"\n")]
        append_to(path, "{}\n")
        assert path.read_bytes() == whole + b"{}\n"


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_after_a_failure_an_open_file_is_as_before(tmp_path: Path, monkeypatch, call: str) -> None:
    path, real = tmp_path / "lines", getattr(os, call)

    def fail(*given: object) -> None:
        if call == "write":
            real(given[0], bytes(given[1])[:1])
        raise OSError("no space")

    append_to(path, "{}\n")
    with open(path, "r+b", buffering=0) as file, monkeypatch.context() as patch:
        patch.setattr(f"pstyle.core.json_lines.os.{call}", fail)
        with pytest.raises(OSError, match="no space"):
            append(file.fileno(), '{"a":1}\n')
    assert path.read_bytes() == b"{}\n"
