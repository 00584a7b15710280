"""Protects the stand-ins for ComfyUI's own nodes: pixels, masks, sizes and names as the host makes them."""

from __future__ import annotations

import json
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pstyle.core.folders import Folders, use_folders
from pstyle.workflow.core_nodes import CORE_NODES


@pytest.fixture(autouse=True)
def folders(tmp_path: Path):
    (tmp_path / "in").mkdir()
    with use_folders(
        Folders(tmp_path / "in", tmp_path / "out", tmp_path / "temp", tmp_path / "models")
    ) as folders:
        yield folders


def load(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    return CORE_NODES["LoadImage"]().load_image(name)


def test_ids_inputs_and_outputs_are_comfyuis() -> None:
    shapes = {
        name: (list(node.INPUT_TYPES()["required"]), node.RETURN_TYPES, node.FUNCTION)
        for name, node in CORE_NODES.items()
    }
    assert shapes == {
        "LoadImage": (["image"], ("IMAGE", "MASK"), "load_image"),
        "LoadImageMask": (["image", "channel"], ("MASK",), "load_image"),
        "SaveImage": (["images", "filename_prefix"], (), "save_images"),
        "PreviewImage": (["images"], (), "save_images"),
        "ImageScale": (["image", "upscale_method", "width", "height", "crop"], ("IMAGE",), "upscale"),
        "ImageBatch": (["image1", "image2"], ("IMAGE",), "batch"),
    }
    assert [name for name, node in CORE_NODES.items() if getattr(node, "OUTPUT_NODE", False)] == [
        "SaveImage",
        "PreviewImage",
    ]


def test_the_list_of_input_pictures(folders: Folders) -> None:
    assert CORE_NODES["LoadImage"].INPUT_TYPES()["required"]["image"][0] == []
    for name in ("b.PNG", "a.jpg", "notes.txt", "c.webp"):
        (folders.input / name).write_bytes(b"")
    (folders.input / "album.png").mkdir()
    assert CORE_NODES["LoadImage"].INPUT_TYPES()["required"]["image"][0] == ["a.jpg", "b.PNG", "c.webp"]


# --- loading


def test_all_levels_of_all_channels_survive_loading_and_saving(folders: Folders) -> None:
    pixels = np.arange(256 * 3, dtype=np.uint8).reshape(16, 16, 3)
    Image.fromarray(pixels).save(folders.input / "a.png")
    image, mask = load("a.png")
    assert image.shape == (1, 16, 16, 3) and image.dtype == torch.float32
    assert torch.equal(image[0], torch.from_numpy(pixels.astype(np.float32) / 255.0))
    assert mask.shape == (1, 64, 64) and not mask.any()
    CORE_NODES["SaveImage"]().save_images(image, "x")
    with Image.open(folders.output / "x_00001_.png") as saved:
        assert np.array_equal(np.array(saved), pixels)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_masks_are_one_minus_alpha(folders: Folders, mode: str) -> None:
    alpha = np.array([[0, 51, 255]], dtype=np.uint8)
    rgba = Image.fromarray(np.dstack([np.full((1, 3, 3), 255, np.uint8), alpha]))
    if mode == "P":
        picture = Image.new("P", (3, 1))
        picture.putdata([0, 1, 2])
        picture.putpalette([255] * 9)
        picture.save(folders.input / "a.png", transparency=bytes([0, 51, 255]))
    else:
        rgba.convert(mode).save(folders.input / "a.png")
    image, mask = load("a.png")
    assert mask.shape == (1, 1, 3) and torch.allclose(mask[0, 0], torch.tensor([1.0, 0.8, 0.0]))
    assert torch.equal(image, torch.ones(1, 1, 3, 3))


def test_channels_as_masks(folders: Folders) -> None:
    Image.new("RGBA", (2, 1), (51, 102, 153, 204)).save(folders.input / "a.png")
    values = {
        c: CORE_NODES["LoadImageMask"]().load_image("a.png", c)[0] for c in ("red", "green", "blue", "alpha")
    }
    assert all(mask.shape == (1, 1, 2) for mask in values.values())
    assert {c: round(mask[0, 0, 0].item(), 6) for c, mask in values.items()} == {
        "red": 0.2, "green": 0.4, "blue": 0.6, "alpha": 0.2}  # fmt: skip


def test_a_turned_photo_is_upright(folders: Folders) -> None:
    picture = Image.new("RGB", (4, 2), (0, 0, 255))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    picture.save(folders.input / "a.jpg", exif=exif)
    assert load("a.jpg")[0].shape == (1, 4, 2, 3)
    assert CORE_NODES["LoadImageMask"]().load_image("a.jpg", "blue")[0].shape == (1, 4, 2)


def test_frames_make_a_batch_and_their_masks_one_size(folders: Folders) -> None:
    frames = [Image.new("RGB", (3, 2), (shade, 0, 0)) for shade in (10, 20, 30)]
    frames[0].save(folders.input / "a.png", save_all=True, append_images=frames[1:])
    image, mask = load("a.png")
    assert image.shape == (3, 2, 3, 3) and mask.shape == (3, 64, 64)
    assert [round(255 * level) for level in image[:, 0, 0, 0].tolist()] == [10, 20, 30]
    frames = [Image.new("P", (3, 2), 0), Image.new("RGBA", (3, 2), (9, 9, 9, 0)), Image.new("RGB", (3, 2))]
    frames[0].save(folders.input / "b.gif", save_all=True, append_images=frames[1:], disposal=2)
    image, mask = load("b.gif")
    assert len(image) == len(mask) >= 2


def test_sixteen_bits_become_eight(folders: Folders) -> None:
    Image.fromarray(np.array([[0, 255 * 128, 255 * 255]], dtype=np.int32)).save(folders.input / "a.tiff")
    assert [round(255 * level) for level in load("a.tiff")[0][0, 0, :, 0].tolist()] == [0, 128, 255]


def claim_size(png: bytes, width: int, height: int) -> bytes:
    """The same PNG with another size in its header."""
    header = b"IHDR" + struct.pack(">II", width, height) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_damaged_huge_and_wrong_files(folders: Folders) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folders.input / "good.png")
    data = (folders.input / "good.png").read_bytes()
    for name, damaged in (("cut.png", data[: len(data) // 2]), ("text.png", b"hello"), ("empty.png", b"")):
        (folders.input / name).write_bytes(damaged)
    (folders.input / "huge.png").write_bytes(claim_size(data, 16_000, 6_000))
    (folders.input / "bomb.png").write_bytes(claim_size(data, 100_000, 100_000))
    (folders.input / "drawing.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    reasons = {"huge.png": "it has 1 x 16000 x 6000 pixels, at most", "bomb.png": "exceeds limit"}
    for name in ("cut.png", "text.png", "empty.png", "huge.png", "bomb.png", "drawing.png"):
        with pytest.raises(
            ValueError, match=f"'{name}' cannot be read as a picture: .*{reasons.get(name, '')}"
        ):
            load(name)


# --- saving


def test_saving_numbers_on_from_the_highest(folders: Folders) -> None:
    (folders.output / "sub").mkdir(parents=True)
    for name in ("x_00007_.png", "x_00041_.jpg", "xy_00099_.png", "x_abc_.png", "x_50x60_00001_.png"):
        (folders.output / "sub" / name).write_bytes(b"")
    before = {path: path.read_bytes() for path in folders.output.rglob("*") if path.is_file()}
    shown = CORE_NODES["SaveImage"]().save_images(torch.rand(2, 3, 4, 3), "sub/x")["ui"]["images"]
    assert [entry["filename"] for entry in shown] == ["x_00042_.png", "x_00043_.png"]
    assert {entry["subfolder"] for entry in shown} == {"sub"} and {entry["type"] for entry in shown} == {
        "output"
    }
    assert all(path.read_bytes() == data for path, data in before.items())


def test_words_in_a_prefix(folders: Folders) -> None:
    save = CORE_NODES["SaveImage"]().save_images
    for first in (1, 3):
        save(torch.rand(2, 3, 4, 3), "%width%x%height%/%year%-%batch_num%-%nothing%")
        year = time.localtime().tm_year
        for index in range(2):
            assert (folders.output / "4x3" / f"{year}-{index}-%nothing%_{first + index:05}_.png").is_file()


def test_texts_and_transparency(folders: Folders) -> None:
    prompt = {"1": {"class_type": "ä", "inputs": {}}}
    CORE_NODES["SaveImage"]().save_images(
        torch.rand(1, 3, 4, 4), "x", prompt, {"workflow": {"nodes": []}, "more": 1}
    )
    with Image.open(folders.output / "x_00001_.png") as picture:
        assert picture.mode == "RGBA"
        assert {key: json.loads(text) for key, text in picture.text.items()} == {
            "prompt": prompt, "workflow": {"nodes": []}, "more": 1}  # fmt: skip


def test_previews_go_to_the_temporary_folder(folders: Folders) -> None:
    shown = CORE_NODES["PreviewImage"]().save_images(torch.rand(1, 3, 4, 3))["ui"]["images"]
    assert shown[0]["type"] == "temp" and (folders.temp / shown[0]["filename"]).is_file()
    assert not folders.output.exists()


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.full((1, 3, 4, 3), float("nan")), "non-finite"),
        (torch.rand(0, 3, 4, 3), "B at least 1"),
        (torch.rand(3, 4, 3), "B at least 1"),
        (torch.rand(1, 3, 4, 2), "2 channels"),
    ],
)
def test_what_is_no_picture_is_not_saved(image: torch.Tensor, message: str, folders: Folders) -> None:
    with pytest.raises(ValueError, match=message):
        CORE_NODES["SaveImage"]().save_images(image, "x")
    assert not list(folders.output.glob("*"))


def test_values_beyond_the_range_are_clipped(folders: Folders) -> None:
    CORE_NODES["SaveImage"]().save_images(torch.tensor([-3.0, 0.5, 7.0]).view(1, 1, 1, 3), "x")
    with Image.open(folders.output / "x_00001_.png") as picture:
        assert picture.getpixel((0, 0)) == (0, 127, 255)


# --- sizes


@pytest.mark.parametrize("method", ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"])
@pytest.mark.parametrize("crop", ["disabled", "center"])
def test_scaling_has_the_asked_size_and_keeps_flat_colors(method: str, crop: str) -> None:
    scale = CORE_NODES["ImageScale"]().upscale
    flat = torch.tensor([0.2, 0.4, 0.6]).expand(2, 7, 9, 3)
    for width, height in ((4, 4), (30, 5), (9, 7), (1, 1)):
        (scaled,) = scale(flat, method, width, height, crop)
        assert scaled.shape == (2, height, width, 3) and torch.allclose(scaled, flat[:, :1, :1], atol=1e-6)


def test_zero_keeps_the_proportions() -> None:
    scale = CORE_NODES["ImageScale"]().upscale
    image = torch.rand(1, 10, 20, 3)
    assert scale(image, "area", 0, 0, "disabled")[0] is image
    assert scale(image, "area", 10, 0, "disabled")[0].shape == (1, 5, 10, 3)
    assert scale(image, "area", 0, 30, "disabled")[0].shape == (1, 30, 60, 3)
    assert scale(torch.rand(1, 1, 90, 3), "area", 2, 0, "disabled")[0].shape == (1, 1, 2, 3)


def test_an_endless_picture_is_refused_before_it_is_made() -> None:
    line, scale = torch.zeros(1, 1000, 1, 3), CORE_NODES["ImageScale"]().upscale
    with pytest.raises(ValueError, match="1 pictures of 16384x16384000 px are above the 89478485 pixels"):
        scale(line, "area", 16384, 0, "disabled")
    with pytest.raises(ValueError, match="2 pictures of 9000x5000 px"):
        scale(torch.zeros(2, 1, 1, 3), "area", 9000, 5000, "disabled")


def test_center_crop_cuts_the_longer_side_alike_on_both_ends() -> None:
    image = torch.arange(8.0).view(1, 1, 8, 1).expand(1, 4, 8, 3)
    (cut,) = CORE_NODES["ImageScale"]().upscale(image, "nearest-exact", 4, 4, "center")
    assert cut[0, 0, :, 0].tolist() == [2, 3, 4, 5]
    (cut,) = CORE_NODES["ImageScale"]().upscale(image.transpose(1, 2), "nearest-exact", 4, 4, "center")
    assert cut[0, :, 0, 0].tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize(("width", "height"), [(4, 8), (8, 4)])
def test_center_crop_keeps_the_shorter_side_whole(width: int, height: int) -> None:
    image = torch.rand(1, 8, 8, 3)
    (cut,) = CORE_NODES["ImageScale"]().upscale(image, "nearest-exact", width, height, "center")
    assert torch.equal(cut, image[:, :, 2:6] if width < height else image[:, 2:6])


def test_batches_take_the_size_of_the_first() -> None:
    first, second = torch.rand(2, 6, 8, 3), torch.rand(1, 12, 12, 3)
    (both,) = CORE_NODES["ImageBatch"]().batch(first, second)
    assert both.shape == (3, 6, 8, 3) and torch.equal(both[:2], first)
    (scaled,) = CORE_NODES["ImageScale"]().upscale(second, "bilinear", 8, 6, "center")
    assert torch.equal(both[2:], scaled)
    assert torch.equal(CORE_NODES["ImageBatch"]().batch(first, first)[0], torch.cat([first, first]))
