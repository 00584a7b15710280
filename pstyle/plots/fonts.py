"""Fonts for text in pictures: Pillow's own, and a system font for letters that it lacks.

Pillow's font has only Latin letters. Letters that no font has become their ASCII form or a question mark.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache

from PIL import ImageFont

PILLOWS = ""  # stands for the font that comes with Pillow
SYSTEM_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.ttf",
    "SourceHanSansSC-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "msyh.ttc",
    "simhei.ttf",
    "simsun.ttc",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "STHeiti Light.ttc",
    "Arial Unicode.ttf",
    "DejaVuSans.ttf",
    "LiberationSans-Regular.ttf",
    "arial.ttf",
)
NOT_A_LETTER = "\U0010fffe"  # drawn as the missing-letter box
PROBE_PX = 24


def font_for(text: str, size_px: int) -> tuple[str, ImageFont.FreeTypeFont]:
    """The drawable text, and a font that has all its letters."""
    drawable, name = _drawable(text)
    return drawable, _font(name, size_px)


def text_width(text: str, size_px: int) -> float:
    """Width of a line of text in pixels."""
    drawable, font = font_for(text, size_px)
    return font.getlength(drawable)


def shortened(text: str, size_px: int, width_px: float) -> str:
    """The text, cut and ended with "..." if wider than `width_px`; "" if nothing fits."""
    endings = [text, *(text[:length] + "..." for length in range(len(text) - 1, -1, -1))]
    return next((line for line in endings if text_width(line, size_px) <= width_px), "")


@lru_cache(1024)
def _drawable(text: str) -> tuple[str, str]:
    """The text and the first font that has all its letters, or its ASCII form for Pillow's font."""
    if text.isascii():
        return text, PILLOWS
    fonts = (PILLOWS, *_system_fonts())
    found = next((name for name in fonts if all(_has(name, letter) for letter in text)), None)
    if found is not None:
        return text, found
    letters = [one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one)]
    return "".join(one if one.isascii() else "?" for one in letters), PILLOWS


@cache
def _system_fonts() -> tuple[str, ...]:
    return tuple(name for name in SYSTEM_FONTS if _is_there(name))


def _is_there(name: str) -> bool:
    try:
        _font(name, PROBE_PX)
    except OSError:
        return False
    return True


@cache
def _font(name: str, size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(name, size_px) if name else ImageFont.load_default(size_px)


@cache
def _missing(name: str) -> bytes:
    return bytes(_font(name, PROBE_PX).getmask(NOT_A_LETTER))


@lru_cache(4096)
def _has(name: str, letter: str) -> bool:
    return bytes(_font(name, PROBE_PX).getmask(letter)) != _missing(name)
