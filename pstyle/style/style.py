"""A learned style: latents, offsets and own weights on top of a generator, with where they came from; its
file.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ..core import checkpoint
from ..core.checkpoint import BadFile
from ..core.config import check_settings, describe, from_json, setting, text, to_json
from ..nets.generator import LEVELS, Generator, GeneratorConfig, Modulation, fingerprint, outline
from ..nets.moments import normalized_weights
from ..taste.answers import parse_history
from .paint_settings import Calibration

PREVIEW_PX = 96
MAX_BYTES = 1_000_000
MAX_LICENSE = 4000  # characters
KEYS = ("config", "generator", "provenance", "calibration", "license", "preview")  # metadata of its file
TASTE_KEY = "taste"  # ... and of one that choices led to
FINGERPRINT = re.compile(r"[0-9a-f]{64}")
LICENSE = "Made with pstyle by the owner of the pictures it was learned from; ask them before sharing."


@dataclass(frozen=True)
class Provenance:
    """What a style was learned from and how: numbers and settings, never file names or people."""

    pictures: int = setting(0, 0, 10_000, "number of style pictures")
    sizes_px: str = text("", 2000, "their sizes, such as 640x480")
    seed: int = setting(0, 0, 2**63 - 1, "seed of the learning")
    steps: int = setting(0, 0, 10_000_000, "steps done")
    settings: str = text("{}", 8000, "settings of the learning as JSON")
    date: str = text("", 40, "day of the learning, ISO 8601")
    versions: str = text("", 200, "versions of pstyle and torch")
    note: str = text("", 2000, "how it was made, in words")

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class Style:
    """Everything a painter needs beside the generator named by `generator_id`.

    latent is (L, D); offsets are (2C,) by StyleMod site; weights, if any, replace the generator's
    convolutions; preview is (3, 96, 96) uint8; taste holds the answers that led to it, as lines of a taste
    file.
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


class StyledGenerator(nn.Module):
    """A generator with one style's parameters: what learning moves and painting uses.

    Only the latent, the offsets and the convolutions are the style's own; encoder and StyleMod heads stay the
    base's.
    """

    def __init__(self, generator: Generator, latent: Tensor) -> None:
        super().__init__()
        self.generator = deepcopy(generator).requires_grad_(False)
        self.latent = nn.Parameter(latent.detach().clone())  # (L, D)
        sizes = {name: mod.linear.out_features for name, mod in self.generator.mods.items()}
        self.offsets = nn.ParameterDict(
            {name: nn.Parameter(torch.zeros(size)) for name, size in sizes.items()}
        )
        self.base_id = fingerprint(generator)

    def modulation(self) -> Modulation:
        """Scale and bias of every site, (1, 2C, 1, 1)."""
        heads = self.generator.modulation(self.latent[None])
        return {name: value + self.offsets[name][None, :, None, None] for name, value in heads.items()}

    def style(self, provenance: Provenance, preview: Tensor | None = None) -> Style:
        """The style as it stands now, in half precision."""
        return Style(
            latent=_stored(self.latent),
            offsets={name: _stored(value) for name, value in self.offsets.items()},
            weights={name: _stored(value) for name, value in self.generator.convs.state_dict().items()},
            config=self.generator.config,
            generator_id=self.base_id,
            provenance=provenance,
            preview=preview,
        )

    @classmethod
    def of(
        cls, generator: Generator, style: Style, amounts: Sequence[float] = (1.0,) * LEVELS
    ) -> StyledGenerator:
        """The generator dressed in a style; the convolutions of each level go from the base's (amount 0) to
        the style's own (1), and no further.

        Raises ValueError if the style was learned with another generator.
        """
        styled = cls(generator, style.latent.float())
        if style.generator_id != styled.base_id:
            raise ValueError(
                "the style was learned with another generator "
                f"({style.generator_id[:12]}, loaded is {styled.base_id[:12]}): "
                "load that one, or learn the style again"
            )
        with torch.no_grad():
            for name, value in style.offsets.items():
                styled.offsets[name].copy_(value)
            for name, value in styled.generator.convs.state_dict().items():
                if name in style.weights:
                    amount = min(amounts[generator.level_of(name)], 1.0)
                    value.lerp_(style.weights[name].float().to(value.device), amount)
        return styled


def save_style(path: Path, style: Style, *, overwrite: bool = False) -> None:
    """Write a style file, under 1 MB.

    Raises BadFile if the file exists and may not be replaced, or if it could not be loaded.
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
    """Read a style file, which may come from a stranger.

    Raises BadFile for anything but a whole, sane one.
    """
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


def blend(styles: Sequence[Style], weights: Sequence[float]) -> Style:
    """A style between styles of one generator: every number is mixed by weight.

    Raises ValueError for styles of different generators or unusable weights.
    """
    shares = normalized_weights(weights, len(styles))
    first = styles[0]
    if any(style.generator_id != first.generator_id for style in styles):
        raise ValueError(
            "these styles were learned with different generators: blend styles of one generator only"
        )

    def mixed(values: Sequence[Tensor]) -> Tensor:
        return sum(share * value.float() for share, value in zip(shares, values, strict=True)).half()

    def between(name: str) -> float:
        return sum(
            share * getattr(style.calibration, name) for share, style in zip(shares, styles, strict=True)
        )

    note = "blend of " + " and ".join(f"{share:.3f}" for share in shares)
    weighted = max(range(len(styles)), key=lambda i: shares[i])
    return replace(
        first,
        latent=mixed([style.latent for style in styles]),
        offsets={name: mixed([style.offsets[name] for style in styles]) for name in first.offsets},
        weights={name: mixed([style.weights[name] for style in styles]) for name in first.weights},
        provenance=Provenance(pictures=sum(s.provenance.pictures for s in styles), note=note),
        calibration=Calibration(**{name: between(name) for name in describe(Calibration)}),
        preview=styles[weighted].preview,
        taste="",
    )


def describe_style(style: Style) -> dict[str, object]:
    """What `inspect` prints: provenance, license, generator and sizes."""
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
    """A (1, 3, H, W) picture as the (3, 96, 96) uint8 preview of a style file: its middle square, reduced."""
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
    if not metadata["license"].isprintable():  # it is shown in terminals: no escapes, no turned direction
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
    except Exception as error:  # Pillow has many for a broken PNG; whatever it is, the file is at fault
        raise BadFile(f"the preview in the style file is no {PREVIEW_PX}-px PNG ({error})") from error
    return torch.from_numpy(pixels).permute(2, 0, 1)


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _stored(value: Tensor) -> Tensor:
    return value.detach().cpu().half()
