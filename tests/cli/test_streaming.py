"""Protects `pstyle paint` for large pictures: file to file gives what memory gives."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pstyle.image.reading import open_image
from pstyle.image.writing import save_image


def test_a_large_picture_is_painted_from_file_to_file_as_in_memory(call, place: Path, monkeypatch) -> None:
    pytest.importorskip("pyvips")
    save_image(place / "mask.png", torch.ones(1, 1, 4, 5))
    flags = ("--strength", "0.7", "--tile", "always", "--look-size-px", "16", "--mask", "mask.png")
    assert call("paint", "style.safetensors", "one.png", "-o", "memory", *flags)[0] == 0
    monkeypatch.setattr("pstyle.painting.streaming.LARGE_PIXELS", 1)
    assert call("paint", "style.safetensors", "one.png", "-o", "streamed", *flags)[0] == 0
    found, expected = open_image("streamed/one.png"), open_image("memory/one.png")
    assert (found - expected).abs().max() < 2 / 255
    assert [path.name for path in Path("streamed").iterdir()] == ["one.png"]
