"""Reading picture files: PNG, JPEG, WebP, BMP, TIFF and GIF, upright and as sRGB."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from torch import Tensor

from ..core.files import BadFile, read_file
from .checks import check_image, split_alpha
from .resizing import MAX_PIXELS

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")  # none of these runs an external program
MAX_FILE_BYTES = 1 << 30


def open_image(path: str | Path) -> Tensor:
    """Read a picture file, upright, as sRGB (1, 3, H, W); transparency is dropped, as in ComfyUI.

    Raises BadFile if the file is not a picture, is damaged or truncated, or exceeds 89 megapixels.
    """
    return decoded(read_file(path, MAX_FILE_BYTES), path)


def decoded(data: bytes, name: str | Path) -> Tensor:
    """Decode the bytes of a picture file; `name` is for messages. Result and BadFile as in `open_image`."""
    return _converted(data, name, _color)


def open_mask(path: str | Path) -> Tensor:
    """Read a mask (1, 1, H, W): 1 where it is white and opaque. Raises BadFile like `open_image`."""
    return _converted(read_file(path, MAX_FILE_BYTES), path, _mask)


def _converted(data: bytes, name: str | Path, convert: Callable[[Image.Image], Tensor]) -> Tensor:
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
        if picture.width * picture.height <= MAX_PIXELS:
            picture.load()
            return convert(_plain(ImageOps.exif_transpose(picture)))
        reason = f"{picture.width}x{picture.height} px are more than the {MAX_PIXELS} pixels allowed"
    except UnidentifiedImageError:
        reason = f"it is none of {', '.join(FORMATS)}"
    except Exception as error:  # Pillow raises many types for damaged files; the file is at fault
        reason = str(error) or type(error).__name__
    raise BadFile(f"{str(name)!r} cannot be opened as a picture: {reason}")


def _plain(picture: Image.Image) -> Image.Image:
    """Gray above 8 bits becomes float in [0, 1], mode F; a transparent color becomes an alpha channel."""
    if picture.mode.startswith("I"):
        return Image.fromarray(np.asarray(picture, dtype=np.float32) / 65535)
    return picture.convert("RGBA") if "transparency" in picture.info else picture


def _color(picture: Image.Image) -> Tensor:
    return split_alpha(_tensor(picture if picture.mode == "F" else _srgb(picture)))[0]


def _mask(picture: Image.Image) -> Tensor:
    gray = _tensor(picture if picture.mode == "F" else picture.convert("L"))
    return gray * _tensor(picture.getchannel("A")) if "A" in picture.getbands() else gray


def _srgb(picture: Image.Image) -> Image.Image:
    """8-bit RGB, converted from the picture's embedded color profile unless that is sRGB."""
    colors = picture if picture.mode in ("L", "CMYK") else picture.convert("RGB")
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
        if "sRGB" not in ImageCms.getProfileDescription(own):
            return ImageCms.profileToProfile(colors, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (KeyError, OSError, ImageCms.PyCMSError):  # without a valid profile, sRGB is assumed
        pass
    return colors.convert("RGB")


def _tensor(picture: Image.Image) -> Tensor:
    pixels = torch.from_numpy(np.array(picture))  # (H, W) or (H, W, C)
    return check_image(pixels.reshape(*pixels.shape[:2], -1).permute(2, 0, 1)[None])
