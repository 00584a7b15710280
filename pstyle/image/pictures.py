"""What a picture is: the checks at the door, size rules, pad and crop back, files in and out.

In the library a picture is sRGB float32 in [0, 1], (B, 3, H, W); here other channels, types and files turn
into one.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError
from torch import Tensor

from ..core.files import BadFile, read_file, write_atomically

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")  # none that starts another program
DTYPES = (torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64)
MAX_FILE_BYTES = 1 << 30
MAX_PIXELS = 89_478_485  # a quarter of a GiB as RGB bytes, and where Pillow begins to warn
NOISE = 0.01  # how far outside [0, 1] a value may lie and be clamped in silence


def check_image(image: Tensor, what: str = "image") -> Tensor:
    """A float32 contiguous clone, (B, C, H, W) with C 1, 3 or 4, clamped to [0, 1], without autograd history.

    uint8 is divided by 255. Raises ValueError for a wrong shape or type, a non-finite pixel, or values beyond
    [0, 1] by more than 0.01.
    """
    _check_shape(image, what)
    if image.is_floating_point():
        _check_range(image, what)
    with torch.inference_mode(False):  # so that also an inference tensor becomes one that can be trained with
        clone = image.detach().to(torch.float32, copy=True, memory_format=torch.contiguous_format)
        return clone.div_(255) if image.dtype == torch.uint8 else clone.clamp_(0, 1)


def split_alpha(image: Tensor) -> tuple[Tensor, Tensor | None]:
    """(B, C, H, W) with C 1, 3 or 4 -> color (B, 3, H, W), gray repeated, and alpha (B, 1, H, W) or None."""
    channels = image.shape[1]
    if channels == 4:
        return image[:, :3].contiguous(), image[:, 3:].contiguous()
    return (image.repeat(1, 3, 1, 1) if channels == 1 else image), None


def _check_shape(image: Tensor, what: str) -> None:
    if not isinstance(image, Tensor) or image.dtype not in DTYPES:
        got = image.dtype if isinstance(image, Tensor) else type(image).__name__
        raise ValueError(f"{what} must be a tensor of floats in [0, 1] or of uint8, got {got}")
    if image.ndim != 4:
        raise ValueError(f"{what} must have 4 dimensions (batch, channels, height, width), got {image.ndim}")
    batch, channels, height, width = image.shape
    if batch == 0:
        raise ValueError(f"{what} is an empty batch: give at least one picture")
    if channels not in (1, 3, 4):
        raise ValueError(f"{what} has {channels} channels: give 1 (gray), 3 (RGB) or 4 (RGB and alpha)")
    if height == 0 or width == 0:
        raise ValueError(f"{what} is {width}x{height} px: give a picture of at least 1x1 px")


def _check_range(image: Tensor, what: str) -> None:
    low, high = (value.item() for value in image.aminmax())  # a NaN anywhere makes both NaN
    if low >= -NOISE and high <= 1 + NOISE:
        return
    bad = ~image.isfinite().all(1)  # (B, H, W)
    if not bad.any():
        raise ValueError(
            f"{what} has values from {low:.4g} to {high:.4g}, allowed is 0 to 1: scale it, 0..255 by 1/255"
        )
    index, y, x = bad.nonzero()[0].tolist()
    count = int(bad[index].sum())
    found = "1 non-finite pixel at" if count == 1 else f"{count} non-finite pixels, the first at"
    raise ValueError(f"{what} {index + 1} of {len(image)} has {found} y={y}, x={x}")


def resize_to(image: Tensor, height: int, width: int) -> Tensor:
    """(B, C, H, W) -> (B, C, height, width), bilinear, antialiased. Raises ValueError above 89 megapixels."""
    if min(height, width) < 1 or height * width > MAX_PIXELS:
        raise ValueError(f"cannot resize to {width}x{height} px: allowed are 1x1 px to {MAX_PIXELS} pixels")
    if image.shape[2:] == (height, width):
        return image
    return F.interpolate(image, (height, width), mode="bilinear", align_corners=False, antialias=True)


def resize_short_side(image: Tensor, size_px: int) -> Tensor:
    """(B, C, H, W) with its shorter side made `size_px`, in the same proportions."""
    height, width = image.shape[2:]
    scale = size_px / min(height, width)
    return resize_to(image, round(height * scale), round(width * scale))


def pad_to_multiple(image: Tensor, multiple: int, minimum: int = 1) -> tuple[Tensor, tuple[int, int]]:
    """Pad (B, C, H, W) at the bottom and right until both sides are multiples and at least `minimum` pixels.

    The border is reflected as far as the picture reaches and its last row or column repeated from there.
    Returns the padded picture and the (H, W) to give to `crop_back`.
    """
    height, width = image.shape[2:]
    bottom, right = (-(-max(side, minimum) // multiple) * multiple - side for side in (height, width))
    if not bottom and not right:
        return image, (height, width)
    down, across = min(bottom, height - 1), min(right, width - 1)  # a reflection is shorter than the side
    padded = F.pad(image, (0, across, 0, down), mode="reflect")
    padded = F.pad(padded, (0, right - across, 0, bottom - down), mode="replicate")
    return padded, (height, width)


def crop_back(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Undo `pad_to_multiple`: the first (H, W) pixels of (B, C, ...)."""
    height, width = size
    if image.shape[2] < height or image.shape[3] < width:
        raise ValueError(f"cannot crop {width}x{height} px from {image.shape[3]}x{image.shape[2]} px")
    return image[:, :, :height, :width]


def list_pictures(paths: str | Path | Iterable[str | Path], recursive: bool = False) -> list[Path]:
    """Picture files, sorted, each once; a folder stands for those in it (and below it, with `recursive`).

    Hidden files and files of other kinds in a folder are passed over. Raises ValueError for a path that is
    missing, a file of another kind, or a folder without pictures.
    """
    found: dict[Path, Path] = {}  # by real path, so that no picture counts twice
    for path in map(Path, [paths] if isinstance(paths, str | Path) else paths):
        for picture in _pictures_of(path, recursive):
            found.setdefault(picture.resolve(), picture)
    return sorted(found.values())


def _pictures_of(path: Path, recursive: bool) -> list[Path]:
    if path.is_dir():
        inside = path.rglob("*") if recursive else path.iterdir()
        pictures = sorted(file for file in inside if file.suffix.lower() in SUFFIXES and file.is_file())
        shown = [file for file in pictures if not _is_hidden(file.relative_to(path))]
        if not shown:
            raise ValueError(f"no pictures in the folder {str(path)!r}: allowed are {', '.join(SUFFIXES)}")
        return shown
    if not path.exists():
        raise ValueError(f"there is no file or folder {str(path)!r}")
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{str(path)!r} is not a picture file: allowed are {', '.join(SUFFIXES)}")
    return [path]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def open_image(path: str | Path) -> Tensor:
    """The picture in a file, upright, as sRGB (1, 3, H, W); transparency is dropped, as ComfyUI does.

    Raises BadFile if the file is no picture, is damaged, cut short or above 89 megapixels.
    """
    return decoded(read_file(path, MAX_FILE_BYTES), path)


def decoded(data: bytes, name: str | Path) -> Tensor:
    """The picture in the bytes of a file of this name, as `open_image` gives it. Raises BadFile as that."""
    return _converted(data, name, _color)


def open_mask(path: str | Path) -> Tensor:
    """The mask in a file, (1, 1, H, W): 1 where it is white and opaque. Raises BadFile as `open_image`."""
    return _converted(read_file(path, MAX_FILE_BYTES), path, _mask)


def save_image(
    path: str | Path, image: Tensor, *, text: Mapping[str, str] | None = None, overwrite: bool = False
) -> None:
    """Write one picture (1, C, H, W) as PNG or JPEG, by the suffix; PNG also carries `text` chunks and alpha.

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


def _converted(data: bytes, name: str | Path, convert: Callable[[Image.Image], Tensor]) -> Tensor:
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
        if picture.width * picture.height <= MAX_PIXELS:
            picture.load()
            return convert(_plain(ImageOps.exif_transpose(picture)))
        reason = f"{picture.width}x{picture.height} px are more than the {MAX_PIXELS} pixels allowed"
    except UnidentifiedImageError:
        reason = f"it is none of {', '.join(FORMATS)}"
    except Exception as error:  # Pillow's readers raise many types over a damaged file; the file is at fault
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
    """8-bit RGB, converted from the picture's own color profile if it names another one than sRGB."""
    colors = picture if picture.mode in ("L", "CMYK") else picture.convert("RGB")
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
        if "sRGB" not in ImageCms.getProfileDescription(own):
            return ImageCms.profileToProfile(colors, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (KeyError, OSError, ImageCms.PyCMSError):  # without a valid profile, a picture is taken to be sRGB
        pass
    return colors.convert("RGB")


def _tensor(picture: Image.Image) -> Tensor:
    pixels = torch.from_numpy(np.array(picture))  # (H, W) or (H, W, C)
    return check_image(pixels.reshape(*pixels.shape[:2], -1).permute(2, 0, 1)[None])


def _chunks(text: Mapping[str, str]) -> PngImagePlugin.PngInfo:
    chunks = PngImagePlugin.PngInfo()
    for name, value in text.items():
        if not 0 < len(name) < 80:
            raise ValueError(f"a PNG text needs a name of 1 to 79 characters, got {name!r}")
        chunks.add_text(name, value)
    return chunks
