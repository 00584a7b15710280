"""Protects writing: every byte of a PNG, a close JPEG, and no file where one cannot be written."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from pstyle.core.files import BadFile
from pstyle.image.reading import open_image
from pstyle.image.resizing import resize_to
from pstyle.image.writing import save_image


def steps(*shape: int) -> Tensor:
    """A picture of multiples of 1/128, which every float type holds exactly."""
    return torch.randint(0, 129, shape, generator=torch.Generator().manual_seed(0)) / 128


def pixels(height: int = 6, width: int = 9, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_keeps_every_byte_and_its_text(channels: int, tmp_path: Path) -> None:
    array = pixels(16, 48, channels)
    picture = torch.from_numpy(array).permute(2, 0, 1)[None]
    text = {"workflow": '{"caf\u00e9": "\u4f60\u597d"}', "prompt": "x" * 100_000}
    save_image(tmp_path / "x.png", picture.float() / 255, text=text)
    with Image.open(tmp_path / "x.png") as found:
        assert np.array_equal(np.array(found).reshape(array.shape), array)
        assert {name: found.text[name] for name in text} == text
    assert os.listdir(tmp_path) == ["x.png"]


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG"])
def test_jpeg_is_close(suffix: str, tmp_path: Path) -> None:
    smooth = resize_to(steps(1, 3, 4, 4), 64, 48)
    save_image(tmp_path / f"x{suffix}", smooth)
    with Image.open(tmp_path / f"x{suffix}") as found:
        assert found.format == "JPEG"
    assert float((open_image(tmp_path / f"x{suffix}") - smooth).abs().mean()) < 1 / 255


def test_names_of_texts_have_1_to_79_characters(tmp_path: Path) -> None:
    save_image(tmp_path / "a.png", steps(1, 3, 2, 2), text={"n": "y", "n" * 79: "x"})
    assert Image.open(tmp_path / "a.png").text == {"n": "y", "n" * 79: "x"}
    for name in ("", "n" * 80):
        with pytest.raises(ValueError, match="1 to 79 characters"):
            save_image(tmp_path / "b.png", steps(1, 3, 2, 2), text={name: "x"})


def test_saving_never_overwrites_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    save_image(path, torch.zeros(1, 3, 4, 4))
    before = path.read_bytes()
    with pytest.raises(BadFile, match="exists already"):
        save_image(path, torch.ones(1, 3, 4, 4))
    assert path.read_bytes() == before
    save_image(path, torch.ones(1, 3, 4, 4), overwrite=True)
    assert float(open_image(path).min()) == 1


@pytest.mark.parametrize(
    ("name", "picture", "text", "reason"),
    [
        ("x.gif", torch.zeros(1, 3, 4, 4), {}, "must end with .png, .jpg or .jpeg"),
        ("x", torch.zeros(1, 3, 4, 4), {}, "must end with"),
        ("x.png", torch.zeros(2, 3, 4, 4), {}, "a batch of 2"),
        ("x.png", torch.full((1, 3, 4, 4), math.nan), {}, "48 non-finite|16 non-finite"),
        ("x.jpg", torch.zeros(1, 4, 4, 4), {}, "cannot hold text or transparency"),
        ("x.jpg", torch.zeros(1, 3, 4, 4), {"a": "b"}, "cannot hold text or transparency"),
        ("x.png", torch.zeros(1, 3, 4, 4), {"k" * 80: "b"}, "1 to 79 characters"),
        ("absent/x.png", torch.zeros(1, 3, 4, 4), {}, "is not a folder"),
    ],
)
def test_what_cannot_be_saved_leaves_no_file(
    name: str, picture: Tensor, text: dict[str, str], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=reason):
        save_image(tmp_path / name, picture, text=text)
    assert os.listdir(tmp_path) == []
