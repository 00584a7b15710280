"""Picture files and sizes as ComfyUI's own nodes treat them, on IMAGE (B, H, W, C) and MASK (B, H, W)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps, ImageSequence
from torch import Tensor

from ..core.files import read_file
from ..image.reading import FORMATS, MAX_FILE_BYTES
from ..image.resizing import MAX_PIXELS
from .problems import show

NO_MASK_PX = 64  # ComfyUI's mask of a picture without alpha: 64 x 64 zeros


def load_frames(path: Path) -> tuple[Tensor, Tensor]:
    """A picture file as IMAGE (B, H, W, 3) and MASK: several frames of one size make a batch.

    MASK is 1 - alpha, (B, H, W); without alpha it is (B, 64, 64) zeros. Color profiles are not applied.

    Raises:
        ValueError: it is not a picture, is damaged, or is too large.
    """
    images: list[Tensor] = []
    masks: list[Tensor] = []
    with _opened(path) as picture:
        for frame in ImageSequence.Iterator(picture):
            frame = _upright(frame)
            image = _to_tensor(frame.convert("RGB"))  # (H, W, 3)
            if images and image.shape != images[0].shape:
                continue  # a batch has one size
            images.append(image)
            masks.append(_mask(frame))
            if picture.format == "MPO":  # its further frames are depth maps or previews
                break
    if any(
        mask.shape != masks[0].shape for mask in masks
    ):  # some frames have alpha: give the others a full mask
        masks = [mask if mask.any() else torch.zeros(images[0].shape[:2]) for mask in masks]
    return torch.stack(images), torch.stack(masks)


def load_channel(path: Path, channel: str) -> Tensor:
    """One channel ("red", "green", "blue", "alpha") of a picture file as MASK (1, H, W); alpha inverted."""
    with _opened(path) as picture:
        plane = _to_tensor(_upright(picture).convert("RGBA").getchannel(channel[0].upper()))
    return (1.0 - plane if channel == "alpha" else plane)[None]


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    data = io.BytesIO(read_file(path, MAX_FILE_BYTES))
    try:
        with Image.open(data, formats=FORMATS) as picture:
            frames = getattr(picture, "n_frames", 1)
            if picture.width * picture.height * frames > MAX_PIXELS:
                raise ValueError(
                    f"it has {frames} x {picture.width} x {picture.height} pixels, at most "
                    f"{MAX_PIXELS} in all are allowed: make it smaller"
                )
            yield picture
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise ValueError(f"{show(path.name)} cannot be read as a picture: {error}") from error


def _upright(frame: Image.Image) -> Image.Image:
    frame = ImageOps.exif_transpose(frame)
    if frame.mode == "P" and "transparency" in frame.info:
        return frame.convert("RGBA")
    return frame.point(lambda value: value * (1 / 255)) if frame.mode == "I" else frame  # 16 bits to 8


def _to_tensor(frame: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(frame).astype(np.float32) / 255.0)


def _mask(frame: Image.Image) -> Tensor:
    if "A" not in frame.getbands():
        return torch.zeros(NO_MASK_PX, NO_MASK_PX)
    return 1.0 - _to_tensor(frame.getchannel("A"))


def resize(image: Tensor, width: int, height: int, method: str, crop: str) -> Tensor:
    """IMAGE (B, H, W, C) at another size; crop "center" keeps the proportions by cutting the longer side.

    `method` is a mode of torch's interpolate (without antialiasing, as ComfyUI does it), or "lanczos".
    """
    pixels = image.movedim(-1, 1)  # (B, C, H, W)
    if crop == "center":
        pixels = _cut_to_shape(pixels, width, height)
    if method == "lanczos":
        return torch.stack([_lanczos(picture, width, height) for picture in pixels.movedim(1, -1)])
    return F.interpolate(pixels, size=(height, width), mode=method).movedim(1, -1)


def _cut_to_shape(pixels: Tensor, width: int, height: int) -> Tensor:
    rows, columns = pixels.shape[-2:]
    old, new = columns / rows, width / height
    left = round((columns - columns * (new / old)) / 2) if old > new else 0
    top = round((rows - rows * (old / new)) / 2) if old < new else 0
    return pixels[..., top : rows - top, left : columns - left]


def _lanczos(picture: Tensor, width: int, height: int) -> Tensor:
    levels = (picture.cpu() * 255).clamp(0, 255).to(torch.uint8).numpy()
    resized = Image.fromarray(levels).resize((width, height), Image.Resampling.LANCZOS)
    return _to_tensor(resized).to(picture)
