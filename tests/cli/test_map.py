"""Protects `pstyle map`: styles and pictures become one map."""

from __future__ import annotations

from pathlib import Path

from pstyle.image.reading import open_image


def test_map_draws_styles_and_pictures(call, place: Path) -> None:
    code, out, _ = call("map", "style.safetensors", "--pictures", "one.png", "two.png", "-o", "map.png")
    assert (code, out) == (0, ["map.png"]) and open_image(place / "map.png").shape == (1, 3, 900, 900)
    code, _, err = call("map", "style.safetensors", "-o", "one_more.png")
    assert code == 2 and "a map needs two pictures or styles" in err
