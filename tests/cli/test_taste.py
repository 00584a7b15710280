"""Protects `pstyle taste`: answers from a file or the keyboard become a style, and none is lost."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

from pstyle.image.reading import open_image
from pstyle.style.answers import read_history
from pstyle.style.style import load_style


def test_taste_takes_answers_from_a_file(call, place: Path) -> None:
    (place / "answers.txt").write_text("A\n\nB worst A\nundo\nsame\nC\n")
    given = ["--answers", "answers.txt", "--export", "a.json", "--pictures", "one.png", "--apart", "0"]
    code, out, err = call("taste", "style.safetensors", "one.png", "-o", "mine.safetensors", *given)
    assert (code, err) == (0, "") and out[-1] == "mine.safetensors" and len(out) == 7
    assert "chosen by 3 answers" in load_style(place / "mine.safetensors").provenance.note
    assert [a.best for a in read_history(place / "mine.taste").answers] == [0, None, 2]
    assert [a["best"] for a in json.loads((place / "a.json").read_text())["answers"]] == [0, None, 2]
    assert open_image(place / "mine.png").shape[1] == 3


def test_taste_goes_on_undoes_and_merges(call, place: Path) -> None:
    for name, answers in (("mine", "A\nB\n"), ("hers", "C\n")):
        (place / "answers.txt").write_text(answers)
        call(
            "taste",
            "style.safetensors",
            "one.png",
            "-o",
            f"{name}.safetensors",
            "--answers",
            "answers.txt",
            "--apart",
            "0",
        )
    (place / "answers.txt").write_text("D\n")
    more = ["--answers", "answers.txt", "--keep", "1", "--merge", "hers.taste", "--overwrite", "--apart", "0"]
    code, _, err = call("taste", "style.safetensors", "two.png", "-o", "mine.safetensors", *more)
    assert (code, err) == (0, "")
    assert [a.best for a in read_history(place / "mine.taste").answers] == [0, 2, 3]


def test_taste_asks_at_the_keyboard_until_quit(call, place: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("A\nbanana\nB\nquit\nA\n"))
    code, out, _ = call("taste", "style.safetensors", "one.png", "-o", "mine.safetensors", "--apart", "0")
    assert code == 0 and any("'banana' is not an answer: choose A" in line for line in out)
    assert len(read_history(place / "mine.taste").answers) == 2


def test_a_wrong_answer_in_a_file_is_told_and_earlier_ones_stay(call, place: Path) -> None:
    (place / "answers.txt").write_text("A\nbanana\n")
    given = ["--answers", "answers.txt", "--apart", "0"]
    code, _, err = call("taste", "style.safetensors", "one.png", "-o", "mine.safetensors", *given)
    assert code == 2 and "'banana' is not an answer" in err and not (place / "mine.safetensors").exists()
    assert len(read_history(place / "mine.taste").answers) == 1
