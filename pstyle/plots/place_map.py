"""A map of pictures, styles and candidates in a plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from PIL import Image
from torch import Tensor

from .axis import Axis
from .canvas import Box, Canvas, Point
from .chart import INK, LABEL_PX, TICK_PX, TITLE_PX, at, draw_axes
from .fonts import shortened, text_width

PICTURE, STYLE, CANDIDATE, CHOSEN = "#999999", "#1f77b4", "#b9b9b9", "#ff7f0e"
THUMB_SHARE = 12  # the map's side relative to a thumbnail's
NAME_WIDTH_PX = 200
FRAME_PX = 3


def place_map(
    pictures: Sequence[tuple[Tensor, Tensor]],
    styles: Mapping[str, tuple[Tensor, Tensor | None]],
    candidates: Sequence[tuple[Tensor, bool]],
    side_px: int = 900,
) -> Tensor:
    """Draw pictures, styles by name and candidates at their places (2,) in a plane.

    Pictures and styles are small, (3, h, w) uint8; a style may have none. Chosen candidates are orange.
    Raises ValueError for a side under 200 px.
    """
    canvas = Canvas(side_px, side_px)
    places = [place.tolist() for place, _ in chain(pictures, styles.values(), candidates)]
    box = (64, TITLE_PX + 52, side_px - 20, side_px - 56)
    x, y = equal_axes(places, box, side_px / THUMB_SHARE)
    title = shortened("Where pictures and styles lie: near is alike", TITLE_PX, side_px - box[0])
    canvas.text(box[0], 16, title, TITLE_PX, INK)
    _draw_legend(canvas, box[0], TITLE_PX + 34, [bool(pictures), bool(styles), *_kinds(candidates)])
    draw_axes(canvas, box, x, y, "First principal component of the codes", "Second", 12)
    taken = [_draw_thumb(canvas, small, at(box, x, y, place.tolist()), PICTURE) for place, small in pictures]
    marks = [_draw_style(canvas, small, at(box, x, y, place.tolist())) for place, small in styles.values()]
    for place, chosen in sorted(candidates, key=lambda candidate: candidate[1]):
        radius, color = (6.5, CHOSEN) if chosen else (4, CANDIDATE)
        column, row = at(box, x, y, place.tolist())
        canvas.dot(column, row, radius, color, "white")
        taken.append((column - radius, row - radius, column + radius, row + radius))
    taken += marks
    for name, mark in zip(styles, marks, strict=True):
        taken.append(_write_beside(canvas, name, mark, taken))
    return canvas.picture()


def equal_axes(places: Sequence[Sequence[float]], box: Box, margin_px: float) -> tuple[Axis, Axis]:
    """Axes with one scale for both, so that distances compare in any direction, with a margin around all."""
    left, top, right, bottom = box
    sides = (right - left, bottom - top)
    spans = [(min(values), max(values)) for values in zip(*places, strict=True)] or [(0.0, 0.0)] * 2
    needed = [(high - low) / (side - 2 * margin_px) for (low, high), side in zip(spans, sides, strict=True)]
    scale = max(needed) or 1 / sides[0]  # of a pixel
    middles = [(low + high) / 2 for low, high in spans]
    return tuple(
        Axis(middle - scale * side / 2, middle + scale * side / 2)
        for middle, side in zip(middles, sides, strict=True)
    )


def _kinds(candidates: Sequence[tuple[Tensor, bool]]) -> tuple[bool, bool]:
    return any(not chosen for _, chosen in candidates), any(chosen for _, chosen in candidates)


def _draw_legend(canvas: Canvas, x: float, y: float, present: Sequence[bool]) -> None:
    names = ("picture", "style", "candidate", "chosen candidate")
    for name, color, is_there in zip(names, (PICTURE, STYLE, CANDIDATE, CHOSEN), present, strict=True):
        if not is_there:
            continue
        if color in (PICTURE, STYLE):
            canvas.rectangle((x, y - 6, x + 12, y + 6), "white", color, FRAME_PX)
        else:
            canvas.dot(x + 6, y, 5.5, color)
        canvas.text(x + 19, y, name, TICK_PX, INK, "lm")
        x += 19 + text_width(name, TICK_PX) + 18


def _draw_style(canvas: Canvas, small: Tensor | None, place: Point) -> Box:
    if small is not None:
        return _draw_thumb(canvas, small, place, STYLE)
    x, y = place
    canvas.rectangle((x - 7, y - 7, x + 7, y + 7), STYLE, "white", 1.5)
    return x - 7, y - 7, x + 7, y + 7


def _draw_thumb(canvas: Canvas, small: Tensor, place: Point, color: str) -> Box:
    """A thumbnail in a frame around a place; returns the frame."""
    image = Image.fromarray(small.permute(1, 2, 0).contiguous().numpy())
    image.thumbnail(2 * [canvas.width_px // THUMB_SHARE], Image.Resampling.LANCZOS)
    left, top = (round(middle - side / 2) for middle, side in zip(place, image.size, strict=True))
    frame = (left - FRAME_PX, top - FRAME_PX, left + image.width + FRAME_PX, top + image.height + FRAME_PX)
    canvas.rectangle(frame, color)
    canvas.paste(image, left, top)
    return frame


def _write_beside(canvas: Canvas, name: str, mark: Box, taken: Sequence[Box]) -> Box:
    """Draw a name right of a mark, or where it covers the least of the drawing; returns its box."""
    words = shortened(name, LABEL_PX, NAME_WIDTH_PX)
    width, height = text_width(words, LABEL_PX), LABEL_PX + 2
    left, top, right, bottom = mark
    middle_x, middle_y = (left + right - width) / 2, (top + bottom - height) / 2
    corners = [
        (right + 5, middle_y),
        (left - width - 5, middle_y),
        (middle_x, bottom + 4),
        (middle_x, top - height - 4),
        (right + 4, top - height),
        (right + 4, bottom),
        (left - width - 4, top - height),
        (left - width - 4, bottom),
    ]
    boxes = [(x, y, x + width, y + height) for x, y in corners]
    best = min(boxes, key=lambda box: sum(_overlap(box, other) for other in taken) + _outside(canvas, box))
    canvas.text(best[0], (best[1] + best[3]) / 2, words, LABEL_PX, "#0f4c81", "lm", halo=True)
    return best


def _overlap(a: Box, b: Box) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def _outside(canvas: Canvas, box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1]) - _overlap(box, (0, 0, canvas.width_px, canvas.height_px))
