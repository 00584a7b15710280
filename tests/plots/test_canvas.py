"""Protects the page that plots are drawn on: shapes have their places, sizes and colors."""

from __future__ import annotations

import math

import pytest
import torch
from PIL import Image

from pstyle.plots.canvas import Canvas, to_image, to_picture


def ink(canvas: Canvas) -> torch.Tensor:
    """How much of each pixel black covers, (H, W)."""
    return 1 - canvas.picture()[0].mean(0)


def middle(covered: torch.Tensor) -> tuple[float, float]:
    """The center of mass in pixels from the upper left corner, (x, y)."""
    rows, columns = (torch.arange(side) + 0.5 for side in covered.shape)
    total = covered.sum()
    return ((covered.sum(0) @ columns) / total).item(), ((covered.sum(1) @ rows) / total).item()


@pytest.mark.parametrize("place", [(100.0, 120.0), (57.3, 81.6)])
@pytest.mark.parametrize("radius", [3.0, 20.0])
def test_a_dot_is_a_disc_at_its_place(place: tuple[float, float], radius: float) -> None:
    canvas = Canvas(200, 210)
    canvas.dot(*place, radius, "black")
    assert ink(canvas).shape == (210, 200)
    assert ink(canvas).sum().item() == pytest.approx(math.pi * (radius + 1 / 6) ** 2, rel=0.05)
    assert middle(ink(canvas)) == pytest.approx(place, abs=0.35)


@pytest.mark.parametrize("width", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("end", [(180.0, 60.0), (20.0, 180.0), (140.0, 150.0)])
def test_a_line_has_its_length_width_and_middle(width: float, end: tuple[float, float]) -> None:
    canvas = Canvas(200, 200)
    canvas.line([(20.0, 60.0), end], "black", width)
    length = math.dist((20, 60), end)
    covered = ink(canvas).sum().item() / length
    assert covered == pytest.approx(width, abs=0.2)  # drawn in whole pixels, enlarged three times
    assert middle(ink(canvas)) == pytest.approx(((20 + end[0]) / 2, (60 + end[1]) / 2), abs=0.5)


def test_a_line_through_thousands_of_points_is_one_through_few() -> None:
    found = []
    for count in (40, 2500):
        canvas = Canvas(300, 200)
        steps = [number / (count - 1) for number in range(count)]
        canvas.line([(20 + 260 * at, 100 + 60 * math.sin(6 * at)) for at in steps], "black", 2)
        found.append(ink(canvas))
    assert (found[0] - found[1]).abs().mean() < 0.003 < found[0].mean()


def test_a_rectangle_covers_its_box_with_the_edge_within() -> None:
    canvas = Canvas(200, 200)
    canvas.rectangle((30, 40, 90, 120), "#ff0000", "#0000ff", 2)
    image = canvas.picture()[0]
    red, blue = (torch.tensor(color).view(3, 1, 1) for color in ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0)))
    assert (image[:, 42:118, 32:88] == red).all()
    assert (image[:, 40:42, 30:90] == blue).all() and (image[:, 40:120, 88:90] == blue).all()
    image[:, 40:120, 30:90] = 1
    assert (image == 1).all()


def test_a_dashed_line_is_half_a_line() -> None:
    canvas = Canvas(300, 200)
    canvas.dashed(20, 280, 100, "black", 3)
    covered = ink(canvas)
    assert covered.sum().item() == pytest.approx(260 * 3 / 2, rel=0.15)
    assert middle(covered)[1] == pytest.approx(100, abs=0.5)
    gaps = (covered.amax(0)[20:280] < 0.1).long().diff().abs().sum()
    assert gaps == pytest.approx(52, abs=2)  # 26 dashes of 5 px


def test_a_pasted_picture_keeps_its_pixels(rng) -> None:
    picture = torch.randint(256, (1, 3, 31, 17), generator=rng) / 255
    canvas = Canvas(200, 200)
    canvas.paste(to_image(picture), 50.4, 69.6)
    assert torch.allclose(canvas.picture()[..., 70:101, 50:67], picture, atol=0.6 / 255)


def test_pictures_and_images_are_each_other_s(rng) -> None:
    picture = torch.randint(256, (1, 3, 9, 13), generator=rng) / 255
    assert torch.equal(to_picture(to_image(picture)), picture)
    assert to_image(torch.tensor([-0.5, 0.5, 1.5]).view(1, 3, 1, 1)).getpixel((0, 0)) == (0, 128, 255)
    assert to_picture(Image.new("RGB", (4, 2), (255, 0, 51)))[0, :, 1, 3].tolist() == pytest.approx(
        [1, 0, 0.2]
    )


@pytest.mark.parametrize("size", [(199, 400), (400, 199)])
def test_a_page_too_small_to_read_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"at least 200 px a side; got {size[0]}x{size[1]}"):
        Canvas(*size)


def test_text_lies_on_top_where_its_anchor_is_and_upward_text_is_turned() -> None:
    canvas = Canvas(200, 200)
    canvas.text(100, 100, "words", 20, "#ff0000", "mm")
    canvas.rectangle((50, 50, 150, 150), "#00ff00")
    red = (canvas.picture()[0] - torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1)).abs().amax(0) < 0.2
    rows, columns = red.nonzero(as_tuple=True)
    assert red.sum() > 50 and columns.max() - columns.min() > 1.5 * (rows.max() - rows.min())
    assert columns.float().mean().item() == pytest.approx(100, abs=4)
    canvas = Canvas(200, 200)
    canvas.text(60, 100, "words", 20, "black", upward=True)
    rows, columns = (ink(canvas) > 0.5).nonzero(as_tuple=True)
    assert rows.max() - rows.min() > 1.5 * (columns.max() - columns.min())
    assert rows.float().mean().item() == pytest.approx(100, abs=4)
    assert columns.float().mean().item() == pytest.approx(60, abs=5)
