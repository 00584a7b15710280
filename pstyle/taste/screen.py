"""The screen of a taste test: a grid of candidates with letters, and the answers a person may give."""

from __future__ import annotations

from torch import Tensor

from ..image.resizing import resize_short_side
from ..nets.generator import STRIDE
from ..plots.contact_sheet import contact_sheet
from ..style.answers import History, Question
from .space import Paint

LETTERS = "ABCD"
SAME, UNDO = "same", "undo"
CELL_PX = 448
SEEN_PX = 384  # short side of the candidates shown
COMPARED_PX = 128  # short side at which candidates are checked for differences


def shown_picture(image: Tensor, short_side_px: int) -> Tensor:
    """The picture (1, 3, H, W) that candidates are painted from: reduced, sides cropped to multiples of 8."""
    small = resize_short_side(image, short_side_px)
    height, width = (side // STRIDE * STRIDE for side in small.shape[2:])
    return small[..., :height, :width].contiguous()


def grid_of(question: Question, paint: Paint) -> Tensor:
    """The candidates of a question with their letters, two in a row: (1, 3, H, W)."""
    painted = [paint(point[None]) for point in question.points]
    cells = [[*range(start, min(start + 2, len(painted)))] for start in range(0, len(painted), 2)]
    rows = [[painted[index] for index in row] for row in cells]
    return contact_sheet(rows, [[LETTERS[index] for index in row] for row in cells], CELL_PX)


def apply_answer(history: History, words: str) -> None:
    """Apply an answer: a letter, 'same', 'undo', or a best and a worst such as "A worst D".

    Raises ValueError for anything else, and for a letter that is not shown.
    """
    said = words.strip()
    if said.lower() == UNDO:
        history.undo()
        return
    if said.lower() == SAME:
        history.answer(None)
        return
    best, _, worst = (part.strip().upper() for part in said.lower().partition("worst"))
    shown = LETTERS[: len(history.pending.points)] if history.pending else ""
    for letter in filter(None, (best, worst)):
        if len(letter) != 1 or letter not in shown:
            letters = ", ".join(shown) or "no letter yet"
            raise ValueError(
                f"{said[:80]!r} is not an answer: choose {letters}, {SAME} or {UNDO}; "
                "'A worst D' names the worst too"
            )
    if not best:
        raise ValueError(f"{said[:80]!r} names no best candidate: give one, as in 'A' or 'A worst D'")
    history.answer(LETTERS.index(best), LETTERS.index(worst) if worst else None)
