"""Protects text in pictures: each letter is drawn, or replaced by one that can be; never by an empty box."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import ImageFont

from pstyle.plots import fonts


@pytest.fixture
def no_system_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(fonts, "_system_fonts", lambda: ())
    fonts._drawable.cache_clear()
    yield
    fonts._drawable.cache_clear()


def test_plain_text_is_drawn_in_the_font_that_comes_with_pillow() -> None:
    drawable, font = fonts.font_for("loss 0.5", 13)
    assert drawable == "loss 0.5" and font.getname() == ImageFont.load_default(13).getname()


@pytest.mark.parametrize(
    ("text", "drawable"),
    [("Café", "Cafe"), ("中文 style", "?? style"), ("x²", "x2"), ("\U0001f3a8", "?"), ("", "")],
)
def test_without_a_font_a_letter_gets_its_ascii_form(no_system_fonts: None, text: str, drawable: str) -> None:
    assert fonts.font_for(text, 13)[0] == drawable


@pytest.mark.skipif(not fonts._system_fonts(), reason="no font of the system is known")
def test_a_font_of_the_system_has_the_letters_that_pillows_lacks() -> None:
    drawable, font = fonts.font_for("Café", 13)
    assert drawable == "Café" and font.getname() != ImageFont.load_default(13).getname()


def test_what_is_drawn_is_never_the_box_for_a_missing_letter() -> None:
    for text in ("Zürich", "中文", "日本", "Ελλάδα", "\U0010fffe", "a\u0301"):
        drawable, font = fonts.font_for(text, fonts.PROBE_PX)
        box = bytes(font.getmask(fonts.NOT_A_LETTER))
        assert all(bytes(font.getmask(letter)) != box for letter in drawable)


def test_long_text_is_cut_to_its_width() -> None:
    assert fonts.shortened("loss", 13, 100) == "loss"
    cut = fonts.shortened("a very long name of a loss", 13, 100)
    assert cut.endswith("...") and 80 < fonts.text_width(cut, 13) <= 100
    assert fonts.shortened("loss", 13, 1) == ""
