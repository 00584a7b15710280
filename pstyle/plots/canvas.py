"""A white page to draw on, antialiased by drawing shapes enlarged and reducing them at the end."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from .fonts import font_for

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom

ENLARGED = 3
SMALLEST_PX = 200
MANY_POINTS = 2000
DASH_PX = 5


class Text(NamedTuple):
    """One line of text; `anchor` is as in Pillow. Upward text is rotated left and centered on (x, y)."""

    x: float
    y: float
    words: str
    size_px: int
    color: str
    anchor: str = "la"
    upward: bool = False
    halo: bool = False  # white around the letters


class Canvas:
    """A page of `width_px` x `height_px`; positions and sizes are in its pixels, from the upper left corner.

    Text is always drawn on top of shapes. Raises ValueError for a side under 200 px.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        if min(width_px, height_px) < SMALLEST_PX:
            raise ValueError(f"a plot needs at least {SMALLEST_PX} px a side; got {width_px}x{height_px}")
        self.width_px, self.height_px = width_px, height_px
        self._page = Image.new("RGB", (width_px * ENLARGED, height_px * ENLARGED), "white")
        self._draw = ImageDraw.Draw(self._page)
        self._texts: list[Text] = []

    def line(self, points: list[Point], color: str, width: float = 1.0) -> None:
        """Straight lines from point to point."""
        corners = [(x * ENLARGED, y * ENLARGED) for x, y in points]
        joint = "curve" if len(corners) < MANY_POINTS else None  # rounded joints take most of the time
        self._draw.line(corners, color, round(width * ENLARGED), joint)

    def dashed(self, left: float, right: float, y: float, color: str, width: float = 1.0) -> None:
        """A horizontal line, dashed."""
        for x in np.arange(left, right, 2 * DASH_PX).tolist():
            self.line([(x, y), (min(x + DASH_PX, right), y)], color, width)

    def dot(self, x: float, y: float, radius: float, color: str, edge: str | None = None) -> None:
        """A filled circle, with an edge of 1 px around it if a color is given."""
        if edge:
            self.dot(x, y, radius + 1, edge)
        box = [(side + sign * radius) * ENLARGED for sign in (-1, 1) for side in (x, y)]
        self._draw.ellipse(box, fill=color)

    def rectangle(self, box: Box, fill: str | None, edge: str | None = None, width: float = 1.0) -> None:
        """A rectangle with its edge inside."""
        left, top, right, bottom = (side * ENLARGED for side in box)
        self._draw.rectangle((left, top, right - 1, bottom - 1), fill, edge, round(width * ENLARGED))

    def paste(self, picture: Image.Image, x: float, y: float) -> None:
        """A picture with its upper left corner at the pixel nearest to (x, y)."""
        large = picture.resize([side * ENLARGED for side in picture.size], Image.Resampling.NEAREST)
        self._page.paste(large, (round(x) * ENLARGED, round(y) * ENLARGED))

    def text(
        self, x: float, y: float, words: str, size_px: int, color: str, anchor: str = "la", **how: bool
    ) -> None:
        """One line of text, as `Text` has it."""
        self._texts.append(Text(x, y, words, size_px, color, anchor, **how))

    def picture(self) -> Tensor:
        """The drawing, (1, 3, H, W) in [0, 1]."""
        page = self._page.reduce(ENLARGED)
        for text in self._texts:
            _write(page, text)
        return to_picture(page)


def to_picture(image: Image.Image) -> Tensor:
    """An RGB image as a picture (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255


def to_image(picture: Tensor) -> Image.Image:
    """A picture (1, 3, H, W) in [0, 1] as an RGB image; values outside are clamped."""
    pixels = (picture[0].detach().float().cpu().clamp(0, 1) * 255).round().byte().permute(1, 2, 0)
    return Image.fromarray(pixels.contiguous().numpy())


def _write(page: Image.Image, text: Text) -> None:
    words, font = font_for(text.words, text.size_px)
    if not text.upward:
        halo = {"stroke_width": 2, "stroke_fill": "white"} if text.halo else {}
        ImageDraw.Draw(page).text((text.x, text.y), words, text.color, font, text.anchor, **halo)
        return
    length, height = round(font.getlength(words)) + 4, 2 * text.size_px
    line = Image.new("L", (length, height), 0)
    ImageDraw.Draw(line).text((length / 2, height / 2), words, 255, font, "mm")
    turned = line.transpose(Image.Transpose.ROTATE_90)
    page.paste(text.color, (round(text.x - height / 2), round(text.y - length / 2)), turned)
