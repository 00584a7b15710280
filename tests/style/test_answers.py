"""Protects answers: nothing given is lost, whatever tears; undo, merge and export; strangers' files."""

from __future__ import annotations

import errno
import json
import os

import pytest
import torch

from pstyle.core.files import BadFile
from pstyle.style.answers import SUFFIX, Answer, History, Question, parse_history, read_history

DIRECTIONS = torch.tensor([[0.5, -1.25, 2.0], [0.0, 1.0, 0.25]])


@pytest.fixture
def path(tmp_path):
    return tmp_path / f"mine{SUFFIX}"


def question(*rows: tuple[float, float], check: bool = False) -> Question:
    return Question(torch.tensor(rows or ((0.0, 1.0), (1.0, 0.0), (-1.0, 0.5))), check)


def answered(history: History, *bests: int | None) -> History:
    for number, best in enumerate(bests):
        history.ask(question((0.0, number / 7), (1.0, 0.0), (-1.0, 0.5)))
        history.answer(best)
    return history


def told(history: History) -> list[tuple]:
    return [(a.question.points.tolist(), a.question.check, a.best, a.worst) for a in history.answers]


def test_what_is_read_is_what_was_written(path):
    written = answered(History(DIRECTIONS, "a style", path), 0, None, 2)
    written.ask(question((0.12345678, 1.0), (1.0, 0.0), check=True))
    found = read_history(path)
    assert told(found) == told(written) and torch.equal(found.directions, DIRECTIONS)
    assert torch.equal(found.pending.points, written.pending.points) and found.pending.check


def test_a_second_sitting_goes_on_where_the_first_ended(path):
    answered(History(DIRECTIONS, "a style", path), 1)
    second = answered(History(torch.zeros(2, 3), "a style", path), 2)  # its directions are those of the file
    assert [best for _, _, best, _ in told(read_history(path))] == [1, 2]
    assert torch.equal(second.directions, DIRECTIONS)


def test_another_style_s_file_is_refused_and_left_alone(path):
    answered(History(DIRECTIONS, "a style", path), 1)
    before = path.read_bytes()
    with pytest.raises(BadFile, match=r"mine\.taste.*taste of another style"):
        History(DIRECTIONS, "another style", path)
    assert path.read_bytes() == before


def test_undo_shows_the_question_again_and_goes_to_any_point(path):
    history = answered(History(DIRECTIONS, "a style", path), 0, 1, 2)
    second = history.answers[1].question
    history.undo()
    assert len(history.answers) == 2
    history.undo(keep=1)
    assert torch.equal(history.pending.points, second.points)
    history.answer(2, worst=0)
    assert told(read_history(path)) == told(history) and history.answers[1].worst == 0
    assert path.read_text().count('"undo"') == 2  # nothing is ever taken out
    with pytest.raises(ValueError, match="there are 2 answers: none to undo down to 2"):
        history.undo(keep=2)


def test_undo_of_nothing_changes_nothing(path):
    history = History(DIRECTIONS, "a style", path)
    history.undo(keep=0)
    assert history.answers == [] and history.pending is None
    with pytest.raises(ValueError, match="there are 0 answers"):
        history.undo()


@pytest.mark.parametrize(("best", "worst"), [(3, None), (-1, None), (0, 0), (None, 1), (0, 5)])
def test_answers_name_candidates_that_are_there(best, worst):
    with pytest.raises(ValueError, match="an answer must name one of 3|the worst candidate must differ"):
        Answer(question(), best, worst)


def test_an_answer_needs_a_question():
    with pytest.raises(ValueError, match="there is no question to answer"):
        History(DIRECTIONS, "a style").answer(0)


def test_tastes_of_one_style_merge_and_of_two_do_not(path):
    mine, theirs = (
        answered(History(DIRECTIONS, "a style", path), 0),
        answered(History(DIRECTIONS, "a style"), 1, 2),
    )
    mine.ask(question((0.5, 0.5), (0.0, 0.0)))
    mine.take_over(theirs)
    assert told(mine) == told(read_history(path)) and [row[2] for row in told(mine)] == [0, 1, 2]
    assert len(mine.pending.points) == 2  # what was on the screen still is
    with pytest.raises(ValueError, match="around different styles"):
        mine.take_over(History(DIRECTIONS, "another style"))


def test_export_is_plain_json_with_everything_that_counts():
    history = answered(History(DIRECTIONS, "a style"), 0, None)
    found = json.loads(json.dumps(history.export()))
    assert [answer["best"] for answer in found["answers"]] == [0, None]
    assert found["answers"][0]["candidates"] == history.answers[0].question.points.tolist()


def test_lines_for_a_style_file_hold_the_newest_answers_and_where_they_led():
    history = answered(History(DIRECTIONS, "a style"), 0, 1, 2)
    found = parse_history(history.text(2, torch.tensor([0.5, -1.0])))
    assert told(found) == told(history)[1:] and found.at.tolist() == [0.5, -1.0]


def test_torn_at_any_byte_no_whole_line_is_lost(path):
    answered(History(DIRECTIONS, "a style", path), 0, 1)
    data = path.read_bytes()
    ends = [index + 1 for index, byte in enumerate(data) if byte == ord("\n")]
    for length in range(ends[0], len(data)):
        path.write_bytes(data[:length])
        whole = sum(end <= length for end in ends)
        expected = max(0, (whole - 1) // 2)  # header, then a line each for question and answer
        assert len(read_history(path).answers) == expected
        history = History(DIRECTIONS, "a style", path)  # and it goes on
        history.ask(question())
        history.answer(2)
        assert [a.best for a in read_history(path).answers] == [0, 1][:expected] + [2]


@pytest.mark.parametrize("call", ["open", "write", "fsync"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_a_failing_system_loses_no_line_that_was_there(path, monkeypatch, call, code):
    history = answered(History(DIRECTIONS, "a style", path), 0)
    real = getattr(os, call)

    def fail(*given):
        if call == "write":
            real(given[0], bytes(given[1])[: len(given[1]) // 2])  # a disk that fills up half way
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(f"pstyle.core.json_lines.os.{call}", fail)
        with pytest.raises(OSError, match=r"\[Errno"):
            history.ask(question())
    assert [a.best for a in read_history(path).answers] == [0]
    again = History(DIRECTIONS, "a style", path)
    again.ask(question())
    again.answer(1)
    assert [a.best for a in read_history(path).answers] == [0, 1]


HEADER = History(DIRECTIONS, "a style").text(0, torch.zeros(2)).splitlines()[0]


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["{}"],
        ["[]"],
        [HEADER.replace("taste 1", "taste 2")],
        [HEADER.replace('"shape":[2,3]', '"shape":[3,2]'), '{"ask":[[1,2]],"check":false}'],
        [HEADER.replace('"shape":[2,3]', '"shape":[99999999,3]')],
        [HEADER.replace('"shape":[2,3]', '"shape":[true,3]')],
        [HEADER, '{"best":0,"worst":null}'],
        [HEADER, '{"ask":[[1e999,2]],"check":false}'],
        [HEADER, '{"ask":[[NaN,2]],"check":false}'],
        [HEADER, '{"ask":[[1,2,3]],"check":false}'],
        [HEADER, '{"ask":[],"check":false}'],
        [HEADER, '{"ask":[["1",2]],"check":false}'],
        [HEADER, '{"ask":[[1,2]],"check":1}'],
        [HEADER, '{"ask":[[1,2]],"check":false}', '{"best":true,"worst":null}'],
        [HEADER, '{"ask":[[1,2]],"check":false}', '{"best":7,"worst":null}'],
        [HEADER, '{"undo":0}'],
        [HEADER, '{"undo":-1}'],
        [HEADER, '{"at":[1]}'],
        [HEADER, '{"run":"rm"}'],
        [HEADER, "[" * 100_000],
        [HEADER, "x"],
        [HEADER, "3"],
    ],
)
def test_strangers_files_are_refused_by_one_sentence(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines))
    with pytest.raises(BadFile, match=r"mine\.taste.*is not a taste file of this version") as told:
        read_history(path)
    assert str(told.value).isprintable()


def test_bytes_that_are_no_text_are_refused(path):
    path.write_bytes(HEADER.encode() + b"\n\xff\xfe\n")
    with pytest.raises(BadFile, match="not a taste file"):
        read_history(path)
