"""Pictures side by side on one sheet, with captions."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw
from torch import Tensor

from .canvas import to_image, to_picture
from .fonts import font_for, shortened


def contact_sheet(
    rows: Sequence[Sequence[Tensor | None]], labels: Sequence[Sequence[str]] | None = None, cell_px: int = 256
) -> Tensor:
    """Pictures of any sizes on one white sheet, each fitted into a square cell with its caption below.

    rows hold pictures (1, 3, H, W), None for an empty cell; labels, if given, has a caption for each cell.
    Raises ValueError for no pictures, captions that do not match the cells, or a cell under 32 px.
    """
    if cell_px < 32 or all(image is None for row in rows for image in row):
        raise ValueError("a contact sheet needs at least one picture and cells of at least 32 px")
    if labels is not None and [len(row) for row in labels] != [len(row) for row in rows]:
        raise ValueError("labels must have one caption for each cell of rows")
    gap, text_px = max(4, cell_px // 32), max(11, cell_px // 16)
    caption_px = 0 if labels is None else text_px + gap
    step_x, step_y = cell_px + gap, cell_px + caption_px + gap
    columns = max(len(row) for row in rows)
    sheet = Image.new("RGB", (gap + columns * step_x, gap + len(rows) * step_y), "white")
    for top, row in enumerate(rows):
        for left, image in enumerate(row):
            x, y = gap + left * step_x, gap + top * step_y
            if image is not None:
                _paste(sheet, image, x, y, cell_px)
            if labels is not None:
                _write(sheet, labels[top][left], x, y + cell_px + gap // 2, cell_px, text_px)
    return to_picture(sheet)


def _paste(sheet: Image.Image, image: Tensor, x: int, y: int, cell_px: int) -> None:
    if image.ndim != 4 or image.shape[:2] != (1, 3):
        raise ValueError(f"a contact sheet shows pictures (1, 3, H, W); got {tuple(image.shape)}")
    picture = to_image(image)
    factor = cell_px / max(picture.size)
    width, height = (max(1, round(side * factor)) for side in picture.size)
    fitted = picture.resize((width, height), Image.Resampling.LANCZOS)
    sheet.paste(fitted, (x + (cell_px - width) // 2, y + (cell_px - height) // 2))


def _write(sheet: Image.Image, caption: str, x: int, y: int, width_px: int, text_px: int) -> None:
    words, font = font_for(shortened(caption, text_px, width_px), text_px)
    ImageDraw.Draw(sheet).text((x + width_px / 2, y), words, "black", font, "ma")
