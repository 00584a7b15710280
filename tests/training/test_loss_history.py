"""Protects histories in files: what was written comes back, and a stranger's file is read with care."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from pstyle.core.files import BadFile
from pstyle.training.loss_history import load_history, save_history

RECORDS = [{"step": 1, "loss": 0.5, "style": 0.25}, {"step": 2, "loss": 1e-9}]


def test_records_come_back(tmp_path: Path) -> None:
    save_history(tmp_path / "a.json", RECORDS)
    assert load_history(tmp_path / "a.json") == RECORDS
    assert json.loads((tmp_path / "a.json").read_text()) == RECORDS
    with pytest.raises(BadFile, match="exists already"):
        save_history(tmp_path / "a.json", RECORDS)
    save_history(tmp_path / "a.json", [], overwrite=True)
    assert load_history(tmp_path / "a.json") == []


def test_losses_that_were_not_finite_are_left_out(tmp_path: Path) -> None:
    save_history(tmp_path / "a.json", [{"step": 1, "loss": math.nan, "style": math.inf, "content": 2.0}])
    assert load_history(tmp_path / "a.json") == [{"step": 1, "content": 2.0}]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        '[{"loss": 1}]',
        '[{"step": "1"}]',
        '[{"step": true}]',
        '[{"step": 1, "loss": NaN}]',
        '[{"step": 1, "loss": 1e999}]',
        '[{"step": 1, "step": 2}]',
        '[{"step": 1, "a\\u001b[31m": 2}]',
        '[{"step": 1, "' + 65 * "a" + '": 2}]',
        "[" * 100_000,
        '[{"step": 1, "loss": 1' + 400 * "0" + "}]",
    ],
)
def test_anything_else_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(BadFile, match=r"a\.json' is not a history") as caught:
        load_history(tmp_path / "a.json")
    assert str(caught.value).isprintable()


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff\xfe")
    with pytest.raises(BadFile, match="not a history"):
        load_history(tmp_path / "a.json")
    with pytest.raises(BadFile, match="cannot be read"):
        load_history(tmp_path / "b.json")
