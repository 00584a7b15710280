"""Protects the door for pictures: any picture handed over is taken as what it is, or refused clearly."""

from __future__ import annotations

import io
import math
import os
import random
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from torch import Tensor

from pstyle.core.files import BadFile
from pstyle.image.pictures import (  # fmt: skip
    check_image,
    crop_back,
    list_pictures,
    open_image,
    open_mask,
    pad_to_multiple,
    resize_short_side,
    resize_to,
    save_image,
    split_alpha,
)


def steps(*shape: int) -> Tensor:
    """A picture of multiples of 1/128, which every float type holds exactly."""
    return torch.randint(0, 129, shape, generator=torch.Generator().manual_seed(0)) / 128


# --- at the door


VARIANTS: dict[str, Callable[[Tensor], Tensor]] = {
    "float32": lambda x: x,
    "float16": Tensor.half,
    "bfloat16": Tensor.bfloat16,
    "float64": Tensor.double,
    "channels last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "transposed": lambda x: x.mT.contiguous().mT,
    "strided": lambda x: x.repeat_interleave(2, 3)[..., ::2],
    "requires grad": lambda x: x.clone().requires_grad_() * 1,
    "inference": lambda x: torch.inference_mode()(x.clone)(),
}


@pytest.mark.parametrize("make", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("mode", [torch.enable_grad, torch.inference_mode])
def test_9_variants_become_the_same_bytes_ready_for_training(make: Callable, mode: Callable) -> None:
    assert len(VARIANTS) == 9
    picture = steps(2, 3, 5, 7)
    with mode():
        checked = check_image(make(picture))
    assert checked.dtype == torch.float32 and checked.is_contiguous() and torch.equal(checked, picture)
    assert checked.numpy().tobytes() == picture.numpy().tobytes()
    assert checked.data_ptr() != picture.data_ptr() and not checked.is_inference() and checked.is_leaf
    checked.requires_grad_().square().sum().backward()
    assert torch.equal(checked.grad, 2 * picture)


def test_the_picture_handed_over_is_never_changed() -> None:
    picture = steps(1, 3, 4, 4) * 1.01 - 0.005
    before = picture.clone()
    check_image(picture).zero_()
    assert torch.equal(picture, before)


def test_bytes_are_divided_by_255() -> None:
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    assert torch.equal(check_image(levels).flatten(), torch.tensor([level / 255 for level in range(256)]))


@pytest.mark.parametrize("channels", [0, 2, 5])
def test_other_numbers_of_channels_are_refused(channels: int) -> None:
    with pytest.raises(ValueError, match=f"has {channels} channels: give 1 .gray., 3 .RGB. or 4"):
        check_image(torch.zeros(1, channels, 4, 4))


def test_gray_is_repeated_and_alpha_kept_aside() -> None:
    gray, color, both = steps(2, 1, 4, 5), steps(2, 3, 4, 5), steps(2, 4, 4, 5)
    rgb, alpha = split_alpha(check_image(gray))
    assert (
        rgb.shape == (2, 3, 4, 5)
        and alpha is None
        and all(torch.equal(rgb[:, c : c + 1], gray) for c in range(3))
    )
    rgb, alpha = split_alpha(check_image(color))
    assert torch.equal(rgb, color) and alpha is None
    rgb, alpha = split_alpha(check_image(both))
    assert (
        torch.equal(torch.cat([rgb, alpha], 1), both) and rgb.is_contiguous() and alpha.shape == (2, 1, 4, 5)
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [(2, 0, 0), (2, 32, 32), (0, 63, 47), (4, 0, 47)])
def test_a_non_finite_pixel_is_refused_with_its_position(value: float, place: tuple[int, int, int]) -> None:
    batch, y, x = place
    picture = torch.rand(5, 3, 64, 48, generator=torch.Generator().manual_seed(0))
    picture[batch, 1, y, x] = value
    with pytest.raises(ValueError) as refusal:
        check_image(picture)
    assert str(refusal.value) == f"image {batch + 1} of 5 has 1 non-finite pixel at y={y}, x={x}"


def test_many_non_finite_pixels_are_counted_per_pixel() -> None:
    picture = torch.zeros(2, 3, 8, 8, dtype=torch.float16)
    picture[1, :, 2:4, 5] = math.nan
    with pytest.raises(ValueError, match="^content 2 of 2 has 2 non-finite pixels, the first at y=2, x=5$"):
        check_image(picture, "content")


@pytest.mark.parametrize(
    ("low", "high", "allowed"),
    [
        (0, 1, True),
        (-0.009, 1.009, True),
        (0, 255, False),
        (-1, 1, False),
        (0, 1.02, False),
        (-0.02, 1, False),
    ],
)
def test_6_ranges_are_clamped_or_refused(low: float, high: float, allowed: bool) -> None:
    picture = torch.linspace(low, high, 48).reshape(1, 3, 4, 4)
    if allowed:
        assert torch.equal(check_image(picture), picture.clamp(0, 1))
        return
    with pytest.raises(ValueError, match=rf"values from {low:g} to {high:g}, allowed is 0 to 1"):
        check_image(picture)


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (torch.zeros(0, 3, 4, 4), "empty batch"),
        (torch.zeros(1, 3, 0, 4), "4x0 px"),
        (torch.zeros(1, 3, 4, 0), "0x4 px"),
        (torch.zeros(3, 4, 4), "must have 4 dimensions .batch, channels, height, width., got 3"),
        (torch.zeros(1, 3, 4, 4, dtype=torch.int64), "got torch.int64"),
        (torch.zeros(1, 3, 4, 4, dtype=torch.complex64), "got torch.complex64"),
        (torch.full((1, 3, 4, 4), 1e300, dtype=torch.float64), "values from 1e.300"),
        (np.zeros((1, 3, 4, 4)), "got ndarray"),
        (None, "got NoneType"),
    ],
)
def test_what_is_no_picture_is_refused(picture: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_image(picture)


# --- sizes


SIDES = (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 63, 65)


def test_144_sizes_are_padded_and_cropped_back() -> None:
    pairs = [(height, width) for height in SIDES for width in SIDES]
    for height, width in pairs:
        picture = torch.rand(2, 3, height, width)
        padded, size = pad_to_multiple(picture, 8, 16)
        assert all(side % 8 == 0 and side >= 16 for side in padded.shape[2:])
        assert all(
            grown - side < max(8, 17 - side) for grown, side in zip(padded.shape[2:], size, strict=True)
        )
        assert torch.equal(crop_back(padded, size), picture) and padded.isfinite().all()
    print(f"sizes={len(pairs)} equal={len(pairs)}")  # noqa: T201
    assert len(pairs) == 144


@settings(max_examples=100, deadline=None, database=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 16), st.integers(1, 64))
def test_padding_agrees_with_numpy(height: int, width: int, multiple: int, minimum: int) -> None:
    picture = torch.rand(1, 1, height, width)
    padded, _ = pad_to_multiple(picture, multiple, minimum)
    grown = [math.ceil(max(side, minimum) / multiple) * multiple for side in (height, width)]
    rows, columns = (
        # where each row comes from: itself, then mirrored once, then the last of the mirrored ones for ever
        [i if i < side else max(2 * side - 2 - i, 0) for i in range(size)]
        for side, size in zip((height, width), grown, strict=True)
    )
    assert np.array_equal(padded[0, 0].numpy(), picture[0, 0].numpy()[np.ix_(rows, columns)])


def test_cropping_more_than_there_is_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot crop 5x4 px from 4x4 px"):
        crop_back(torch.zeros(1, 3, 4, 4), (4, 5))


def test_the_short_side_is_met_and_proportions_kept() -> None:
    assert resize_short_side(torch.zeros(1, 3, 100, 150), 50).shape == (1, 3, 50, 75)
    assert resize_short_side(torch.zeros(2, 3, 97, 31), 64).shape == (2, 3, 200, 64)
    assert resize_short_side(torch.zeros(1, 1, 1, 9), 2).shape == (1, 1, 2, 18)


def test_resizing_is_antialiased_and_keeps_flat_pictures_flat() -> None:
    stripes = torch.zeros(1, 1, 63, 63)
    stripes[..., ::2] = 1
    smaller = resize_to(stripes, 21, 21)
    # triangle weights 1, 2, 3, 2, 1 in ninths leave 4/9 and 5/9; without antialiasing it would be 0 and 1
    assert float((smaller[..., 1:-1] - 0.5).abs().max()) < 0.06
    assert torch.allclose(resize_to(torch.full((1, 3, 5, 9), 0.3), 7, 4), torch.tensor(0.3))
    picture = torch.rand(1, 3, 6, 6)
    assert torch.equal(resize_to(picture, 6, 6), picture)


def test_resizing_takes_pixels_as_squares_not_as_corners() -> None:
    row = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)
    assert torch.allclose(resize_to(row, 1, 4).flatten(), torch.tensor([0.0, 0.25, 0.75, 1.0]))


@pytest.mark.parametrize(("height", "width"), [(0, 5), (5, -1), (100_000, 100_000)])
def test_impossible_sizes_are_refused_before_anything_is_allocated(height: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"cannot resize to {width}x{height} px"):
        resize_to(torch.zeros(1, 3, 4, 4), height, width)


def test_the_largest_picture_is_allowed_and_no_larger_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pstyle.image.pictures.MAX_PIXELS", 24)
    assert resize_to(torch.zeros(1, 3, 2, 2), 4, 6).shape == (1, 3, 4, 6)
    with pytest.raises(ValueError, match="cannot resize to 5x5 px"):
        resize_to(torch.zeros(1, 3, 2, 2), 5, 5)


def test_what_fits_already_is_handed_back() -> None:
    picture, pixel = torch.rand(1, 3, 8, 16), torch.rand(1, 3, 1, 1)
    assert resize_to(picture, 8, 16) is picture and pad_to_multiple(picture, 8)[0] is picture
    assert pad_to_multiple(pixel, 1)[0] is pixel


# --- files


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
    monkeypatch.setattr("pstyle.image.pictures.MAX_PIXELS", 53)
    Image.fromarray(pixels(6, 9)).save(tmp_path / "x.png")
    with pytest.raises(BadFile, match="9x6 px are more than the 53 pixels allowed"):
        open_image(tmp_path / "x.png")
    monkeypatch.setattr("pstyle.image.pictures.MAX_PIXELS", 54)
    assert open_image(tmp_path / "x.png").shape == (1, 3, 6, 9)


def test_1000_damaged_pictures_open_or_are_bad_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pstyle.image.pictures.MAX_PIXELS", 1_000_000)  # damaged sizes are huge, and slow
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
        ("absent/x.png", torch.zeros(1, 3, 4, 4), {}, "is no folder"),
    ],
)
def test_what_cannot_be_saved_leaves_no_file(
    name: str, picture: Tensor, text: dict[str, str], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=reason):
        save_image(tmp_path / name, picture, text=text)
    assert os.listdir(tmp_path) == []


# --- lists


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    (tmp_path / "deeper").mkdir()
    (tmp_path / ".thumbnails").mkdir()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "empty").mkdir()
    for name in ("b.PNG", "a.jpg", "c.webp", ".hidden.png", "notes.txt", "deeper/d.png", ".thumbnails/e.png"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "dangling.png").symlink_to(tmp_path / "absent.png")
    return tmp_path


def test_a_folder_stands_for_its_pictures_sorted_and_once(gallery: Path) -> None:
    inside = [gallery / name for name in ("a.jpg", "b.PNG", "c.webp")]
    assert list_pictures([gallery]) == list_pictures(gallery) == list_pictures(str(gallery)) == inside
    assert (
        list_pictures(
            [gallery / "c.webp", gallery, str(gallery / "a.jpg"), gallery / "deeper" / ".." / "a.jpg"]
        )
        == inside
    )
    assert list_pictures([gallery], recursive=True) == sorted([*inside, gallery / "deeper" / "d.png"])
    assert list_pictures([gallery / "deeper", gallery / "a.jpg"]) == [
        gallery / "a.jpg",
        gallery / "deeper" / "d.png",
    ]
    assert list_pictures([]) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("empty", "no pictures in the folder"),
        ("absent.png", "there is no file"),
        ("notes.txt", "not a picture file"),
    ],
)
def test_paths_without_pictures_are_refused_by_name(gallery: Path, name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refusal:
        list_pictures([gallery / "a.jpg", gallery / name])
    assert repr(str(gallery / name)) in str(refusal.value)
