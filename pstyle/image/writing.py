"""Writing picture files: PNG, with text and transparency, and JPEG."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import torch
from PIL import Image, PngImagePlugin
from torch import Tensor

from ..core.files import write_atomically
from .checks import check_image


def save_image(
    path: str | Path, image: Tensor, *, text: Mapping[str, str] | None = None, overwrite: bool = False
) -> None:
    """Write one picture (1, C, H, W) as PNG or JPEG, by suffix; PNG also carries `text` chunks and alpha.

    Raises ValueError for a bad picture or suffix, BadFile if the file exists and `overwrite` is False.
    """
    path = Path(path)
    write_atomically(path, encoded(image, path.name, text), overwrite=overwrite)


def encoded(image: Tensor, name: str, text: Mapping[str, str] | None = None) -> bytes:
    """One picture (1, C, H, W) as the bytes of a file of this name: PNG, or JPEG without text and alpha.

    Raises ValueError for a bad picture or suffix.
    """
    suffix = Path(name).suffix.lower()
    if suffix not in (".png", ".jpg", ".jpeg"):
        raise ValueError(f"cannot save {name!r}: the name must end with .png, .jpg or .jpeg")
    image = check_image(image)
    if len(image) != 1:
        raise ValueError(f"one file holds one picture, got a batch of {len(image)}")
    if suffix != ".png" and (text or image.shape[1] == 4):
        raise ValueError(f"{name!r} cannot hold text or transparency: save it as .png")
    pixels = image[0].mul(255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()  # (H, W, C)
    data = io.BytesIO()
    picture = Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels)
    if suffix == ".png":
        picture.save(data, "PNG", pnginfo=_chunks(text or {}))
    else:
        picture.save(data, "JPEG", quality=95, subsampling=0)
    return data.getvalue()


def _chunks(text: Mapping[str, str]) -> PngImagePlugin.PngInfo:
    chunks = PngImagePlugin.PngInfo()
    for name, value in text.items():
        if not 0 < len(name) < 80:
            raise ValueError(f"a PNG text needs a name of 1 to 79 characters, got {name!r}")
        chunks.add_text(name, value)
    return chunks
