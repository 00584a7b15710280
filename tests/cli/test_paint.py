"""Protects `pstyle paint`: one painting for each picture, and a damaged one stops no other."""

from __future__ import annotations

from pathlib import Path

import torch

from pstyle.image.reading import open_image
from pstyle.image.writing import save_image


def test_paint_writes_one_picture_for_each(call, place: Path) -> None:
    code, out, err = call("paint", "style.safetensors", "photos", "one.png", "-o", "same", "--strength", "0")
    assert code == 0 and err == ""
    assert sorted(out[:-1]) == ["same/one.png", "same/one_2.png", "same/two.png"]
    assert out[-1].startswith("painted 3 pictures in ")
    assert torch.equal(open_image("same/one.png"), open_image("one.png"))
    assert call("paint", "style.safetensors", "photos", "-o", "styled")[0] == 0
    assert (open_image("styled/two.png") - open_image("photos/two.jpg")).abs().mean() > 0.02


def test_paint_goes_around_what_a_mask_and_keep_color_spare(call, place: Path) -> None:
    save_image(place / "mask.png", (torch.arange(70) < 35).float().expand(1, 1, 64, 70))
    assert (
        call("paint", "style.safetensors", "one.png", "-o", "out", "--mask", "mask.png", "--keep-color")[0]
        == 0
    )
    change = (open_image("out/one.png") - open_image("one.png")).abs().mean((0, 1, 2))
    assert change[35:].max() == 0 and change[:35].min() > 0


def test_paint_passes_over_a_damaged_picture(call, place: Path) -> None:
    code, out, err = call("paint", "style.safetensors", "damaged.png", "one.png", "two.png", "-o", "out")
    assert code == 2 and out == ["out/one.png", "out/two.png"]
    assert err.count("\n") == 1 and "'damaged.png'" in err and "1 of 3 pictures" in err
