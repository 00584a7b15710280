"""Protects HTML pages: well formed, every text escaped, pictures inside to the byte."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pstyle.evaluation.html_page import figure, grid, page, paragraph, picture_tag, section, table, text
from tests.evaluation.html_reading import HOSTILE, Page, pixels


def test_a_png_holds_every_pixel(rng) -> None:
    image = torch.randint(256, (1, 3, 7, 13), generator=rng) / 255
    (tag,) = Page(picture_tag(image, "noise", "PNG")).all("img")
    assert np.array(pixels(tag)).tolist() == (image[0] * 255).round().byte().permute(1, 2, 0).tolist()
    assert tag["alt"] == "noise"


@pytest.mark.parametrize("size", [(1, 1), (33, 50)])
def test_a_jpeg_is_much_like_its_picture(size: tuple[int, int]) -> None:
    ramp = torch.linspace(-0.1, 1.1, size[1]).expand(1, 3, *size)  # values beyond are clamped
    (tag,) = Page(picture_tag(ramp, "ramp")).all("img")
    found = torch.from_numpy(np.array(pixels(tag))).permute(2, 0, 1) / 255
    assert (found - ramp[0].clamp(0, 1)).abs().max() < 0.05


def test_a_table_has_every_cell_in_its_row_under_its_head() -> None:
    head = ("score", "painted", "in words")
    rows = [["style", 1.5, "near"], ["color", 2, "<far>"], ["ssim", 0.25, "0"]]
    found = Page(table(head, rows))
    assert [tag for tag, _ in found.tags].count("tr") == 4
    assert [cell["scope"] for cell in found.all("th")] == ["col"] * 3 + ["row"] * 3
    assert len(found.all("td")) == 6
    words = [word for word in found.texts if word.strip()]
    assert words == [str(cell) for row in (head, *rows) for cell in row]
    assert Page(table(None, rows)).all("thead") == []


def test_every_text_is_escaped_wherever_it_stands(rng) -> None:
    image = torch.rand(1, 3, 4, 4, generator=rng)
    parts = [
        paragraph(HOSTILE),
        table([HOSTILE], [[HOSTILE, HOSTILE]]),
        figure(picture_tag(image, HOSTILE), HOSTILE),
        grid([text(HOSTILE)], "pairs"),
    ]
    found = Page(page(HOSTILE, f"<h1>{text(HOSTILE)}</h1>", [section(HOSTILE, *parts)]))
    assert [word.strip() for word in found.texts].count(HOSTILE) == 9
    (image_tag,) = found.all("img")
    assert image_tag["alt"] == HOSTILE and image_tag.keys() == {"src", "width", "height", "alt"}
    assert {tag for tag, _ in found.tags}.isdisjoint({"script", "iframe", "object", "link"})


def test_a_page_leaves_out_empty_sections_and_keeps_the_order_of_others() -> None:
    found = Page(page("title", "<h1>head</h1>", ["", section("one", paragraph("a")), "", section("two")]))
    assert [tag for tag, _ in found.tags].count("section") == 2
    words = [word.strip() for word in found.texts if word.strip() in {"head", "one", "a", "two"}]
    assert words == ["head", "one", "a", "two"]
    assert Page(paragraph("a")).all("p") == [{"class": "plain"}]
