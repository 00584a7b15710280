"""The questions and answers of a taste test, as an append-only, crash-safe file of JSON lines.

Nothing is ever removed: an undo is a line, too.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.files import BadFile, read_file
from ..core.json_lines import append_to, line_of, records_in, whole_lines

SUFFIX = ".taste"
FORMAT = "pstyle.taste 1"
MAX_BYTES = 4 << 20
MAX_OPTIONS, MAX_DIRECTIONS, MAX_LATENT = 4, 16, 1024
MAX_COORDINATE = 100.0
DIGITS = 4  # of a coordinate in the file


@dataclass(frozen=True)
class Question:
    """Points (K, d) of a taste space to choose from; a `check` repeats an earlier one with sides swapped."""

    points: Tensor
    check: bool = False


@dataclass(frozen=True)
class Answer:
    """A question with the candidate liked best (None: all the same) and, if given, the one liked least."""

    question: Question
    best: int | None
    worst: int | None = None

    def __post_init__(self) -> None:
        count = len(self.question.points)
        for index in (self.best, self.worst):
            if index is not None and not 0 <= index < count:
                raise ValueError(f"an answer must name one of {count} candidates, got number {index + 1}")
        if self.worst is not None and self.best in (None, self.worst):
            raise ValueError(
                "the worst candidate must differ from the best, and be left out if all are the same"
            )


class History:
    """Questions and answers about the styles around one origin, written line by line.

    `origin` is a digest of the style and its directions. Nothing is written if `path` is None.
    """

    def __init__(self, directions: Tensor, origin: str, path: Path | None = None) -> None:
        """Continue or create the file. Raises BadFile if it is damaged or has another origin."""
        self.directions, self.origin, self.path = directions.half().float(), origin, path
        self.answers: list[Answer] = []
        self.pending: Question | None = None
        self.at = torch.zeros(len(directions))  # the point of the style whose file holds these answers
        if path is not None and path.exists():
            other = read_history(path)
            if other.origin != origin:
                raise BadFile(
                    f"{str(path)!r} is the taste of another style: continue with that, or use another name"
                )
            self.directions, self.answers, self.pending = other.directions, other.answers, other.pending
        elif path is not None:
            self._write(self._header())

    def ask(self, question: Question) -> None:
        """Record the question shown."""
        self.pending = _rounded(question)
        self._write(_ask(self.pending))

    def answer(self, best: int | None, worst: int | None = None) -> None:
        """Record the answer to the question shown.

        Raises ValueError if there is none, or the answer names no candidate.
        """
        if self.pending is None:
            raise ValueError("there is no question to answer: ask for one first")
        self.answers.append(Answer(self.pending, best, worst))
        self.pending = None
        self._write({"best": best, "worst": worst})

    def undo(self, keep: int | None = None) -> None:
        """Undo the last answer, or all but the first `keep`; the first question undone is asked again.

        Raises ValueError if there are fewer answers.
        """
        keep = len(self.answers) - 1 if keep is None else keep
        if not 0 <= keep < max(1, len(self.answers)):
            raise ValueError(f"there are {len(self.answers)} answers: none to undo down to {keep}")
        if self.answers:
            self._take_back(keep)
            self._write({"undo": keep})

    def take_over(self, other: History) -> None:
        """Append another person's answers about the same style. Raises ValueError for another style."""
        if other.origin != self.origin:
            raise ValueError("these tastes are around different styles: merge tastes of one style only")
        pending, self.pending = self.pending, None
        for answer in other.answers:
            self.ask(answer.question)
            self.answer(answer.best, answer.worst)
        if pending is not None:
            self.ask(pending)

    def text(self, most: int, at: Tensor) -> str:
        """The newest `most` answers as lines, to store with the style at the point `at` (d,)."""
        records = [self._header()]
        for answer in self.answers[max(0, len(self.answers) - most) :]:
            records.append(_ask(answer.question))
            records.append({"best": answer.best, "worst": answer.worst})
        records.append({"at": at.tolist()})
        return "".join(line_of(record) for record in records)

    def export(self) -> dict[str, Any]:
        """All answers that were not undone, ready for JSON."""
        return {
            "format": FORMAT,
            "origin": self.origin,
            "answers": [
                {
                    "candidates": a.question.points.tolist(),
                    "check": a.question.check,
                    "best": a.best,
                    "worst": a.worst,
                }
                for a in self.answers
            ],
        }

    def _take_back(self, keep: int) -> None:
        self.pending = self.answers[keep].question
        del self.answers[keep:]

    def _header(self) -> dict[str, Any]:
        data = self.directions.numpy().astype("<f2").tobytes()
        shape = list(self.directions.shape)
        return {
            "format": FORMAT,
            "origin": self.origin,
            "shape": shape,
            "directions": base64.b64encode(data).decode(),
        }

    def _write(self, record: dict[str, Any]) -> None:
        if self.path is not None:
            append_to(self.path, line_of(record))

    def _read(self, record: dict[str, Any]) -> None:
        if set(record) == {"ask", "check"} and isinstance(record["check"], bool):
            self.pending = Question(_points(record["ask"], len(self.directions)), record["check"])
        elif set(record) == {"best", "worst"} and self.pending is not None:
            if not all(value is None or type(value) is int for value in record.values()):
                raise ValueError("an answer names its candidates by numbers")
            self.answers.append(Answer(self.pending, **record))
            self.pending = None
        elif set(record) == {"at"}:
            self.at = _points([record["at"]], len(self.directions))[0]
        elif (
            set(record) == {"undo"}
            and type(record["undo"]) is int
            and 0 <= record["undo"] < len(self.answers)
        ):
            self._take_back(record["undo"])
        else:
            raise ValueError("it holds a line that does not belong in a taste file")


def read_history(path: Path) -> History:
    """Read a history from an untrusted file, for reading only. Raises BadFile unless it is valid."""
    data = read_file(path, MAX_BYTES)
    try:
        return parse_history(whole_lines(data).decode())
    except ValueError as error:
        raise BadFile(f"{str(path)!r} is not a taste file of this version ({error})") from error


def parse_history(text: str) -> History:
    """The history in untrusted lines of JSON. Raises ValueError unless they are valid."""
    try:
        header, *records = records_in(text)
        found = History(*_origin(header))
        for record in records:
            found._read(record)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"a line has an invalid form: {error}") from error
    return found


def _ask(question: Question) -> dict[str, Any]:
    points = [[round(value, DIGITS) for value in row] for row in question.points.tolist()]
    return {"ask": points, "check": question.check}


def _origin(header: dict[str, Any]) -> tuple[Tensor, str]:
    if header.get("format") != FORMAT or set(header) != {"format", "origin", "shape", "directions"}:
        raise ValueError("its first line is not a header")
    rows, columns = header["shape"]
    if not (
        type(rows) is type(columns) is int and 1 <= rows <= MAX_DIRECTIONS and 1 <= columns <= MAX_LATENT
    ):
        raise ValueError(f"its directions have the shape {header['shape']}")
    values = np.frombuffer(base64.b64decode(header["directions"], validate=True), "<f2")
    directions = torch.from_numpy(values.reshape(rows, columns).astype("<f4"))
    if not directions.isfinite().all() or not isinstance(header["origin"], str):
        raise ValueError("its directions are not numbers")
    return directions, header["origin"]


def _points(rows: Sequence[Sequence[float]], size: int) -> Tensor:
    if not 1 <= len(rows) <= MAX_OPTIONS or any(len(row) != size for row in rows):
        raise ValueError(f"a question has 1 to {MAX_OPTIONS} candidates of {size} numbers")
    for row in rows:
        for value in row:
            if type(value) not in (int, float) or not math.isfinite(value) or abs(value) > MAX_COORDINATE:
                raise ValueError("a coordinate is not a number, or is too large")
    return torch.tensor(rows, dtype=torch.float32)


def _rounded(question: Question) -> Question:
    """The question as read back from a file, so that a restart changes nothing."""
    return replace(question, points=_points(_ask(question)["ask"], question.points.shape[1]))
