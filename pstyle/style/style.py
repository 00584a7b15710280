"""A learned style and its file: latents, offsets and weights on top of a generator, with provenance."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ..core import checkpoint
from ..core.checkpoint import BadFile
from ..core.config import from_json, to_json
from ..nets.generator import LEVELS, GeneratorConfig, outline
from .answers import parse_history
from .provenance import Provenance
from .strength_calibration import Calibration

PREVIEW_PX = 96
MAX_BYTES = 1_000_000
MAX_LICENSE = 4000  # characters
KEYS = ("config", "generator", "provenance", "calibration", "license", "preview")  # metadata of every file
TASTE_KEY = "taste"  # in files of styles chosen by taste
FINGERPRINT = re.compile(r"[0-9a-f]{64}")
LICENSE = "Made with pstyle by the owner of the pictures it was learned from; ask them before sharing."


@dataclass(frozen=True)
class Style:
    """Everything a painter needs besides the generator named by `generator_id`.

    latent is (L, D); offsets are (2C,) by StyleMod site; weights, if any, replace the generator's
    convolutions; preview is (3, 96, 96) uint8; taste holds the answers that led to the style, as lines of a
    taste file.
    """

    latent: Tensor
    offsets: dict[str, Tensor]
    weights: dict[str, Tensor]
    config: GeneratorConfig
    generator_id: str
    provenance: Provenance = field(default_factory=Provenance)
    calibration: Calibration = field(default_factory=Calibration)
    license: str = LICENSE
    preview: Tensor | None = None
    taste: str = ""


def save_style(path: Path, style: Style, *, overwrite: bool = False) -> None:
    """Write a style file, under 1 MB.

    Raises BadFile if the file exists and may not be replaced, or if `load_style` would refuse it.
    """
    metadata = _metadata(style)
    _check_texts(metadata)
    tensors = {"latent": style.latent.half()}
    tensors |= {f"offset.{name}": value.half() for name, value in style.offsets.items()}
    tensors |= {f"weight.{name}": value.half() for name, value in style.weights.items()}
    data = checkpoint.encode(tensors, metadata)
    if len(data) > MAX_BYTES:
        raise BadFile(
            f"the style takes {len(data)} bytes, above the {MAX_BYTES} of a style file: "
            "use a smaller generator"
        )
    checkpoint.write_atomically(path, data, overwrite=overwrite)


def load_style(path: Path) -> Style:
    """Read a style file, which is untrusted. Raises BadFile unless it is complete and valid."""
    tensors, metadata = checkpoint.load(
        path, _expected, kind="pstyle.style", keys=KEYS, optional=[TASTE_KEY], limit_bytes=MAX_BYTES
    )
    return Style(
        latent=tensors["latent"],
        offsets=_under(tensors, "offset."),
        weights=_under(tensors, "weight."),
        config=from_json(GeneratorConfig, metadata["config"]),
        generator_id=metadata["generator"],
        provenance=from_json(Provenance, metadata["provenance"]),
        calibration=from_json(Calibration, metadata["calibration"]),
        license=metadata["license"],
        preview=_decode_preview(metadata["preview"]) if metadata["preview"] else None,
        taste=metadata.get(TASTE_KEY, ""),
    )


def describe_style(style: Style) -> dict[str, object]:
    """Provenance, license, generator and sizes by name, as `pstyle inspect` prints them."""
    numbers = style.latent.numel() + sum(
        v.numel() for v in [*style.offsets.values(), *style.weights.values()]
    )
    parts = {name: getattr(style.provenance, name) for name in Provenance.__dataclass_fields__}
    preview = "none" if style.preview is None else f"{PREVIEW_PX}x{PREVIEW_PX} px"
    return parts | {
        "license": style.license,
        "preview": preview,
        "answers": len(parse_history(style.taste).answers) if style.taste else 0,
        "generator": style.generator_id,
        "numbers": numbers,
    }


def preview_of(image: Tensor) -> Tensor:
    """The (3, 96, 96) uint8 preview of a picture (1, 3, H, W): its central square, reduced."""
    height, width = image.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[:1, :, top : top + side, left : left + side].detach().cpu().float()
    small = nn.functional.interpolate(square, (PREVIEW_PX, PREVIEW_PX), mode="bilinear", antialias=True)
    return (small[0].clamp(0, 1) * 255).round().to(torch.uint8)


def _metadata(style: Style) -> dict[str, str]:
    found = {
        "format": "pstyle.style",
        "config": to_json(style.config),
        "generator": style.generator_id,
        "provenance": to_json(style.provenance),
        "calibration": to_json(style.calibration),
        "license": style.license,
        "preview": _encode_preview(style.preview) if style.preview is not None else "",
    }
    return found | ({TASTE_KEY: style.taste} if style.taste else {})


def _expected(metadata: dict[str, str]) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    config = from_json(GeneratorConfig, metadata["config"])
    _check_texts(metadata)
    generator = outline(config)
    shapes = {"latent": (LEVELS, config.latent)}
    shapes |= {f"offset.{name}": (mod.linear.out_features,) for name, mod in generator.mods.items()}
    shapes |= {f"weight.{name}": tuple(value.shape) for name, value in generator.convs.state_dict().items()}
    return {name: (shape, torch.float16) for name, shape in shapes.items()}


def _check_texts(metadata: dict[str, str]) -> None:
    from_json(Provenance, metadata["provenance"])
    from_json(Calibration, metadata["calibration"])
    if not FINGERPRINT.fullmatch(metadata["generator"]):
        raise BadFile(f"its generator is named {metadata['generator'][:80]!r}, not by a SHA-256")
    if len(metadata["license"]) > MAX_LICENSE:
        raise BadFile(
            f"its license has {len(metadata['license'])} characters, above the {MAX_LICENSE} allowed"
        )
    if not metadata["license"].isprintable():  # terminals show it: no escapes, no reversed direction
        raise BadFile("its license must be one line of printable characters")
    if metadata["preview"]:
        _decode_preview(metadata["preview"])
    if TASTE_KEY in metadata:
        parse_history(metadata[TASTE_KEY])


def _encode_preview(preview: Tensor) -> str:
    buffer = io.BytesIO()
    Image.fromarray(preview.permute(1, 2, 0).numpy()).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def _decode_preview(text: str) -> Tensor:
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=["PNG"]) as image:
            if image.size != (PREVIEW_PX, PREVIEW_PX):
                raise ValueError(f"it is {image.size[0]}x{image.size[1]} px")
            pixels = np.array(image.convert("RGB"))
    except Exception as error:  # Pillow raises many kinds for a broken PNG; each means a bad file
        raise BadFile(f"the preview in the style file is no {PREVIEW_PX}-px PNG ({error})") from error
    return torch.from_numpy(pixels).permute(2, 0, 1)


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
