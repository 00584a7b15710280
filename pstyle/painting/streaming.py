"""Pictures too large for memory, streamed from file to file by pyvips (the extra `print`)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from ..core.files import BadFile, read_file, written_whole
from .sources import TILE_PX, OnTile, Source, copy
from .spool import CHANNELS, Spool

LARGE_PIXELS = 16_000_000  # files of this size and larger are streamed if pyvips is installed
MOST_PIXELS = 1 << 30  # 3 GiB as bytes
MAGIC = {  # of the formats that can be streamed, with pyvips' loader: data only, never a program
    b"\x89PNG": "pngload",
    b"\xff\xd8\xff": "jpegload",
    b"II*\0": "tiffload",
    b"MM\0*": "tiffload",
    b"II+\0": "tiffload",
    b"RIFF": "webpload",
}
CHECKED = {"fail_on": "truncated", "revalidate": True}  # not a cached older file
SAVERS = {
    ".png": ("pngsave", {"compression": 6}),
    ".jpg": ("jpegsave", {"Q": 95, "subsample_mode": "off"}),
    ".jpeg": ("jpegsave", {"Q": 95, "subsample_mode": "off"}),
    ".tif": ("tiffsave", {"compression": "deflate", "predictor": "horizontal", "bigtiff": True}),
    ".tiff": ("tiffsave", {"compression": "deflate", "predictor": "horizontal", "bigtiff": True}),
}

Paint = Callable[[Source], Source]


def pyvips() -> ModuleType | None:
    """The pyvips module, or None if it is not installed."""
    with suppress(ImportError, OSError):  # OSError: the native library is missing
        import pyvips

        return pyvips
    return None


def size_of(path: Path) -> tuple[int, int] | None:
    """Height and width of a file that can be streamed; None for other files or without pyvips."""
    vips, loader = pyvips(), _loader(path)
    if vips is None or loader is None:
        return None
    with suppress(vips.Error, UnicodeError):  # UnicodeError: a file name that is not valid text
        picture = loader(str(path), access="sequential", revalidate=True)
        is_turned = _orientation(picture) >= 5
        return (picture.width, picture.height) if is_turned else (picture.height, picture.width)
    return None


def is_large(path: Path) -> bool:
    """Whether a picture is large enough to stream, and can be."""
    size = size_of(path)
    return size is not None and size[0] * size[1] > LARGE_PIXELS


def paint_file(
    path: Path, target: Path, paint: Paint, *, overwrite: bool = False, on_tile: OnTile | None = None
) -> None:
    """Paint a picture file into a .png, .jpg or .tif file with memory that does not grow with its size.

    `paint` turns a source into its painting. Two temporary files of raw pixels are kept next to the target.
    Raises BadFile for a file that is not a picture or exceeds 2**30 pixels, and for a full disk; the target
    is then unchanged.
    """
    size = size_of(path)
    if size is None:
        raise BadFile(f"{str(path)!r} cannot be streamed: give a PNG, JPEG, TIFF or WebP, and install pyvips")
    if size[0] * size[1] > MOST_PIXELS:
        raise BadFile(f"{str(path)!r} has {size[1]}x{size[0]} px, more than the {MOST_PIXELS} pixels allowed")
    if target.suffix.lower() not in SAVERS:
        raise ValueError(f"cannot save {target.name!r}: the name must end with {', '.join(SAVERS)}")
    raw = [target.with_name(f".{target.name}.{name}.tmp") for name in ("source", "painted")]
    try:
        with Spool(raw[0], *size) as source, Spool(raw[1], *size) as painted:
            _read(path, source)
            copy(paint(source), painted, TILE_PX, on_tile)
            _save(painted, target, overwrite)
    except OSError as error:
        raise BadFile(f"{str(target)!r} cannot be written: {error.strerror or error}") from error


def _loader(path: Path) -> Callable[..., Any] | None:
    start = read_file(path, 1 << 40, most_bytes=4)
    names = [name for magic, name in MAGIC.items() if start.startswith(magic)]
    return getattr(pyvips().Image, names[0]) if names and pyvips() else None


def _orientation(picture: Any) -> int:
    return picture.get("orientation") if picture.get_typeof("orientation") else 1


def _read(path: Path, source: Spool) -> None:
    """The pixels of a file as upright sRGB bytes, without transparency."""
    vips, loader = pyvips(), _loader(path)
    try:
        picture = loader(str(path), access="sequential", **CHECKED)
        if _orientation(picture) > 1:  # which needs its last rows first
            picture = loader(str(path), **CHECKED).autorot()
        if picture.get_typeof("icc-profile-data"):
            picture = picture.icc_transform("srgb", embedded=True, depth=8)
        picture = picture.colourspace("srgb").cast("uchar")
        picture = picture[:CHANNELS] if picture.bands >= CHANNELS else picture[0].bandjoin([picture[0]] * 2)
        picture.rawsave(str(source.path))
    except vips.Error as error:
        raise BadFile(f"{str(path)!r} cannot be opened as a picture: {_first_line(error)}") from error


def _save(painted: Spool, target: Path, overwrite: bool) -> None:
    vips = pyvips()
    name, options = SAVERS[target.suffix.lower()]
    size = (painted.width, painted.height, CHANNELS)
    picture = vips.Image.rawload(str(painted.path), *size, access="sequential", revalidate=True)
    with written_whole(target, overwrite=overwrite) as file:
        try:
            getattr(picture.copy(interpretation="srgb"), name)(file.name, **options)
        except vips.Error as error:
            raise OSError(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
