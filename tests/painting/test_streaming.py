"""Protects painting from file to file: as in memory, and on a full disk nothing is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pstyle.core.files import BadFile
from pstyle.image.reading import open_image
from pstyle.painting import streaming
from pstyle.painting.paint import SizeConfig, painted
from pstyle.painting.spool import Spool
from pstyle.painting.streaming import paint_file, pyvips, size_of
from pstyle.style.paint_settings import PaintSettings
from tests.conftest import random_picture

needs_pyvips = pytest.mark.skipif(pyvips() is None, reason="pyvips is not installed")


@pytest.fixture
def pixels(rng) -> np.ndarray:
    return (random_picture(rng, 121, 203)[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)


def nothing(source):
    return source


@needs_pyvips
@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_from_file_to_file_a_picture_is_painted_as_in_memory(painter, pixels, tmp_path: Path, suffix):
    source, target = tmp_path / "in.png", tmp_path / f"out{suffix}"
    Image.fromarray(pixels).save(source)
    told: list[tuple[int, int]] = []
    size = SizeConfig("always", 0)
    paint_file(
        source,
        target,
        lambda opened: painted(opened, painter, PaintSettings(strength=0.9), size=size),
        on_tile=lambda done, total: told.append((done, total)),
    )
    found, expected = open_image(target), painter(open_image(source), strength=0.9)
    assert (found - expected).abs().mean() < (0.03 if suffix == ".jpg" else 0.003)
    assert told == [(1, 1)] and sorted(path.name for path in tmp_path.iterdir()) == ["in.png", target.name]


@needs_pyvips
def test_what_is_read_is_what_pillow_reads(pixels, tmp_path: Path):
    turned = Image.Exif()
    turned[0x0112] = 6
    pictures = {
        "gray.png": (Image.fromarray(pixels[..., 0]), {}),
        "alpha.png": (Image.fromarray(pixels).convert("RGBA"), {}),
        "palette.png": (Image.fromarray(pixels).quantize(32), {}),
        "tiled.tif": (Image.fromarray(pixels), {"compression": "tiff_lzw"}),
        "turned.jpg": (Image.fromarray(pixels), {"exif": turned, "quality": 95}),
        "one.webp": (Image.fromarray(pixels), {"lossless": True}),
    }
    for name, (picture, options) in pictures.items():
        picture.save(tmp_path / name, **options)
        expected = open_image(tmp_path / name)
        assert size_of(tmp_path / name) == tuple(expected.shape[2:])
        paint_file(tmp_path / name, tmp_path / "out.png", nothing, overwrite=True)
        assert (open_image(tmp_path / "out.png") - expected).abs().max() < 2.1 / 255, name


@needs_pyvips
@pytest.mark.parametrize("where", ["write", "save"])
def test_a_full_disk_loses_nothing(pixels, tmp_path: Path, monkeypatch, where):
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    Image.fromarray(pixels).save(source)
    target.write_bytes(b"what was there")

    def full(*_) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((Spool, "write") if where == "write" else (streaming, "_save")), full)
    with pytest.raises(BadFile, match=r"out.png' cannot be written: No space left on device"):
        paint_file(source, target, nothing, overwrite=True)
    assert target.read_bytes() == b"what was there"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.png", "out.png"]


@needs_pyvips
def test_bad_files_are_refused_in_a_sentence(pixels, tmp_path: Path, monkeypatch):
    source = tmp_path / "in.png"
    Image.fromarray(pixels).save(source)
    (tmp_path / "cut.png").write_bytes(source.read_bytes()[:9000])
    (tmp_path / "text.png").write_bytes(b"<svg>no picture</svg>")
    for name, said in (("cut.png", "cannot be opened"), ("text.png", "cannot be streamed")):
        with pytest.raises(BadFile, match=said):
            paint_file(tmp_path / name, tmp_path / "out.png", nothing)
    with pytest.raises(ValueError, match="must end with"):
        paint_file(source, tmp_path / "out.bmp", nothing)
    with pytest.raises(BadFile, match="exists already"):
        paint_file(source, source, nothing)
    monkeypatch.setattr(streaming, "MOST_PIXELS", 1000)
    with pytest.raises(BadFile, match="203x121 px, more than the 1000 pixels"):
        paint_file(source, tmp_path / "out.png", nothing)
    assert len(list(tmp_path.iterdir())) == 3


def test_without_pyvips_nothing_is_streamed(pixels, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(streaming, "pyvips", lambda: None)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    assert size_of(tmp_path / "in.png") is None
    with pytest.raises(BadFile, match="install pyvips"):
        paint_file(tmp_path / "in.png", tmp_path / "out.png", nothing)
