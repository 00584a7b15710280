"""Protects reading: what a file shows is what is read, and what is no whole picture is refused."""

from __future__ import annotations

import io
import random
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from torch import Tensor

from pstyle.core.files import BadFile
from pstyle.image.reading import open_image, open_mask


def pixels(height: int = 6, width: int = 9, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


def as_tensor(array: np.ndarray) -> Tensor:
    """(H, W) or (H, W, C) bytes -> (1, 3, H, W) in [0, 1]."""
    array = array if array.ndim == 3 else np.repeat(array[:, :, None], 3, 2)
    return torch.from_numpy(array.astype(np.float32) / 255).permute(2, 0, 1)[None]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp"])
def test_lossless_files_open_to_the_byte(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    Image.fromarray(pixels()).save(path, **({"lossless": True} if suffix == ".webp" else {}))
    assert torch.equal(open_image(path), as_tensor(pixels()))


def test_gray_palette_alpha_and_one_bit_files_become_rgb(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    color = Image.fromarray(pixels())
    for picture in (
        color.convert("L"), color.convert("1"), color.convert("P"), color.convert("LA"),
        Image.fromarray(pixels(channels=4)),
    ):  # fmt: skip
        picture.save(path)
        assert torch.equal(open_image(path), as_tensor(np.array(picture.convert("RGB")))), picture.mode


def test_16_bit_gray_keeps_its_depth(tmp_path: Path) -> None:
    levels = np.array([[0, 1, 255], [256, 40_000, 65_535]], dtype=np.uint16)
    for suffix in (".png", ".tif"):
        Image.fromarray(levels).save(tmp_path / f"x{suffix}")
        found = open_image(tmp_path / f"x{suffix}")
        assert found.shape == (1, 3, 2, 3) and np.allclose(found[0, 1].numpy(), levels / 65535, atol=1e-7)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_camera_held_any_way_gives_an_upright_picture(orientation: int, tmp_path: Path) -> None:
    upright = pixels()
    undo = {  # what a camera stores for each EXIF orientation, so that the viewer's turn gives `upright`
        1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1), 6: lambda a: np.rot90(a, 1), 8: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(undo[orientation](upright))).save(tmp_path / "x.png", exif=exif)
    assert torch.equal(open_image(tmp_path / "x.png"), as_tensor(upright))


def test_a_color_profile_is_converted_to_srgb(tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path, plain = tmp_path / "x.png", as_tensor(pixels())
    Image.fromarray(pixels()).save(path, icc_profile=lab)
    assert torch.equal(open_image(path), plain)  # its own sRGB profile changes nothing
    Image.fromarray(pixels()).save(path, icc_profile=linear_profile())
    linear = plain.double()
    encoded = torch.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear.clamp_min(1e-9) ** (1 / 2.4) - 0.055
    )
    assert float((open_image(path) - encoded).abs().max()) < 2.5 / 255  # IEC 61966-2-1
    Image.fromarray(pixels()).save(path, icc_profile=b"not a profile")
    assert torch.equal(open_image(path), plain)


def linear_profile() -> bytes:
    """The sRGB profile with its tone curves replaced by the identity: light itself, not its encoding."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack_from(">I", data, 128)
    for index in range(count):
        name, offset, size = struct.unpack_from(">4sII", data, 132 + 12 * index)
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            curve = b"curv" + bytes(4) + struct.pack(">I", 0)  # a curve of no points is the identity
            data[offset : offset + size] = curve.ljust(size, b"\0")
        if name == b"desc":
            data[offset : offset + size] = bytes(data[offset : offset + size]).replace(
                "sRGB".encode("utf-16-be"), b"\0L" * 4
            )
    return bytes(data)


def test_a_mask_is_white_and_opaque(tmp_path: Path) -> None:
    path, gray = tmp_path / "m.png", pixels(channels=1)[:, :, 0]
    Image.fromarray(gray).save(path)
    assert torch.equal(open_mask(path), as_tensor(gray)[:, :1])
    both = np.stack([np.full_like(gray, 255), gray], 2)
    Image.fromarray(both, "LA").save(path)
    assert torch.equal(open_mask(path), as_tensor(gray)[:, :1])


def test_a_transparent_color_is_no_part_of_a_mask(tmp_path: Path) -> None:
    path, gray = tmp_path / "m.png", np.full((4, 6), 255, dtype=np.uint8)
    gray[:, :2] = 40
    palette = Image.fromarray(gray).convert("P")
    palette.save(path, transparency=palette.getpixel((5, 0)))
    mask = open_mask(path)
    assert not mask[..., 2:].any() and torch.allclose(mask[..., :2], torch.tensor(40 / 255))


def test_a_palette_with_a_color_profile_is_converted_as_its_colors_are(tmp_path: Path) -> None:
    path, other, colors = tmp_path / "p.png", tmp_path / "c.png", Image.fromarray(pixels()).quantize(16)
    colors.save(path, icc_profile=linear_profile())
    colors.convert("RGB").save(other, icc_profile=linear_profile())
    assert torch.equal(open_image(path), open_image(other))
    assert not torch.equal(open_image(path), as_tensor(np.asarray(colors.convert("RGB"))))


def bomb() -> bytes:
    """A PNG of 30,000 x 30,000 px in a few hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


def encoded(suffix: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels(40, 60)).save(file, suffix.removeprefix(".").replace("jpg", "jpeg"))
    return file.getvalue()


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_is_no_whole_picture_is_a_bad_file(tmp_path: Path) -> None:
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
    files = {
        "a\nb.png": b"", "text.png": b"hello", "bomb.png": bomb(), "eps.png": eps,
        "cut.png": encoded(".png")[:-900], "cut.jpg": encoded(".jpg")[:-200],
        "cut.webp": encoded(".webp")[:-100], "cut.bmp": encoded(".bmp")[:-10],
        "cut.tiff": encoded(".tiff")[:-400], "cut.gif": encoded(".gif")[:40],
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "folder.png").mkdir()
    for name in [*files, "folder.png", "absent.png"]:
        for read in (open_image, open_mask):
            with pytest.raises(BadFile) as refusal:
                read(tmp_path / name)
            message = str(refusal.value)
            assert repr(str(tmp_path / name)) in message and message.isprintable() and "0x" not in message
    print(f"bad_pictures={len(files) + 2} refused={len(files) + 2}")  # noqa: T201


def test_formats_that_are_not_asked_for_are_not_tried(tmp_path: Path) -> None:
    Image.fromarray(pixels()).save(tmp_path / "x.png", "PPM")  # Pillow alone would open it, whatever its name
    with pytest.raises(BadFile, match="it is none of PNG, JPEG"):
        open_image(tmp_path / "x.png")


def test_pictures_above_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pstyle.image.reading.MAX_PIXELS", 53)
    Image.fromarray(pixels(6, 9)).save(tmp_path / "x.png")
    with pytest.raises(BadFile, match="9x6 px are more than the 53 pixels allowed"):
        open_image(tmp_path / "x.png")
    monkeypatch.setattr("pstyle.image.reading.MAX_PIXELS", 54)
    assert open_image(tmp_path / "x.png").shape == (1, 3, 6, 9)


def test_1000_damaged_pictures_open_or_are_bad_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pstyle.image.reading.MAX_PIXELS", 1_000_000)  # damaged sizes are huge, and slow
    path, rng, opened = tmp_path / "x", random.Random(0), 0
    whole = [encoded(suffix) for suffix in (".png", ".jpg", ".webp", ".bmp", ".tiff", ".gif")]
    for number in range(1000):
        data = bytearray(whole[number % len(whole)])
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data)) if rng.random() < 0.5 else rng.randrange(60)] = rng.randrange(256)
        path.write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                picture = open_image(path)
        except BadFile as refusal:
            assert str(refusal).isprintable()
        else:
            opened += 1
            assert picture.shape[:2] == (1, 3) and picture.isfinite().all()
    print(f"damaged=1000 opened={opened} refused={1000 - opened} other=0")  # noqa: T201
    assert 0 < opened < 1000
