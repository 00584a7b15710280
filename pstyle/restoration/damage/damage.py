"""Damage: the effects of time and scanning as a few parameters, and their application to pictures.

The order follows a picture's life: the lens blurs, the press makes dots, the print fades and stains, the scan
adds the film's grain and the marks on its surface, the file is compressed. Ranges follow Wan et al. (old
photographs, arXiv 2004.09484) and Wang et al. (arXiv 2107.10833).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
from torch import Tensor

from ...core.config import check_settings, setting
from ...image.blur import gaussian_blur, reach_px
from ...image.colors import luma
from .halftone import screen
from .jpeg import jpeg
from .marks import Cover, dust, holes, scratches, stains
from .random_fields import BANDS, banded, uniform, white

MEGAPIXEL = 1e6
LOSSLESS = 100.0  # the quality that means no JPEG compression
LEAST_COLOR = 0.1  # smallest remaining saturation from which color can be restored


@dataclass(frozen=True)
class Damage:
    """The parameters of one kind of damage; the defaults mean none."""

    blur_px: float = setting(0.0, 0.0, 8.0, "standard deviation of the blur in pixels")
    screen: float = setting(0.0, 0.0, 0.5, "amplitude of printed dots, as a share of white")
    screen_px: float = setting(5.0, 2.0, 40.0, "spacing of the printed dots in pixels")
    screen_degrees: float = setting(45.0, 0.0, 90.0, "angle of the rows of printed dots")
    saturation: float = setting(1.0, 0.0, 2.0, "remaining saturation; 0 is gray")
    black: tuple[float, ...] = setting(
        (0.0,) * 3, -0.5, 1.0, "color that black has turned into: red, green, blue"
    )
    white: tuple[float, ...] = setting(
        (1.0,) * 3, 0.0, 1.5, "color that white has turned into: red, green, blue"
    )
    gamma: tuple[float, ...] = setting((1.0,) * 3, 0.2, 5.0, "exponent of red, green, blue; above 1 darkens")
    stain_share: float = setting(0.0, 0.0, 0.9, "share of the area under stains")
    stain_px: float = setting(120.0, 4.0, 4000.0, "size of stains in pixels")
    stain_color: tuple[float, ...] = setting((0.75, 0.65, 0.5), 0.0, 1.5, "color of white under a stain")
    grain: float = setting(
        0.0, 0.0, 0.5, "standard deviation of the grain in middle gray, as a share of white"
    )
    grain_color: float = setting(0.0, 0.0, 1.0, "share of the grain's variance that differs between colors")
    grain_slope: float = setting(
        0.0, -1.0, 1.0, "1 is no grain in black and twice as much in white; -1 is the reverse"
    )
    grain_spectrum: tuple[float, ...] = setting(
        (1.0,) * BANDS, 0.0, 100.0, "relative amplitude of the grain by frequency, up to 0.5 cycles per pixel"
    )
    scratches_per_mp: float = setting(0.0, 0.0, 5000.0, "scratches per million pixels")
    scratch_length_px: float = setting(150.0, 4.0, 4000.0, "length of scratches in pixels")
    scratch_width_px: float = setting(1.5, 0.3, 60.0, "width of scratches in pixels")
    dust_per_mp: float = setting(0.0, 0.0, 20000.0, "specks of dust per million pixels")
    dust_px: float = setting(3.0, 1.0, 60.0, "size of specks in pixels")
    light_marks: float = setting(
        0.7, 0.0, 1.0, "share of scratches and specks that are light rather than dark"
    )
    light_color: tuple[float, ...] = setting((0.88,) * 3, 0.0, 1.0, "color of light marks: red, green, blue")
    dark_color: tuple[float, ...] = setting((0.08,) * 3, 0.0, 1.0, "color of dark marks: red, green, blue")
    hole_share: float = setting(0.0, 0.0, 0.5, "share of the area where the picture is missing")
    hole_px: float = setting(60.0, 4.0, 4000.0, "size of holes in pixels")
    scan_blur_px: float = setting(0.0, 0.0, 8.0, "standard deviation in pixels of the scanner's blur")
    jpeg_quality: float = setting(LOSSLESS, 1.0, LOSSLESS, "quality of JPEG compression; 100 is none")

    def __post_init__(self) -> None:
        check_settings(self)


class Damaged(NamedTuple):
    """Damaged pictures (B, 3, H, W) with masks of marks and holes (B, 1, H, W) in [0, 1].

    `clean` is the best possible repair: the original pictures, in gray where all color is lost.
    """

    image: Tensor
    marks: Tensor
    holes: Tensor
    clean: Tensor


Damaging = Callable[[Tensor, torch.Generator], Damaged]  # pictures (B, 3, H, W), and a generator on the CPU


def damaged(image: Tensor, damages: Sequence[Damage], rng: torch.Generator) -> Damaged:
    """Apply to each picture (B, 3, H, W) in [0, 1] its own damage, rounded to steps of 1/255 as in a file.

    Random numbers are drawn on the device of `rng`; on the pictures' device, nothing is transferred.
    """
    if len(damages) != len(image):
        raise ValueError(f"got {len(damages)} damages for {len(image)} pictures: give one each")
    a = _columns(damages, image)
    x = image
    if most := _most(damages, "blur_px"):
        x = gaussian_blur(x, a["blur_px"], reach_px(most))
    if _most(damages, "screen"):
        x = x + a["screen"] * screen(x, a["screen_px"], a["screen_degrees"], rng)
    x = _faded(x, a)
    if _most(damages, "stain_share"):
        x = _stained(x, a, rng)
    if _most(damages, "grain"):
        x = x + _grain(x, a, rng)
    x, marks, gone = _marked(x, damages, a, rng)
    x = x.clamp(0, 1)
    if most := _most(damages, "scan_blur_px"):
        x = gaussian_blur(x, a["scan_blur_px"], reach_px(most))
    if min(damage.jpeg_quality for damage in damages) < LOSSLESS:
        lossless = a["jpeg_quality"] >= LOSSLESS
        x = torch.where(lossless, x, jpeg(x, a["jpeg_quality"].flatten()))
    clean = torch.where(a["saturation"] < LEAST_COLOR, luma(image), image)
    return Damaged((x * 255).round() / 255, marks, gone, clean)


def _columns(damages: Sequence[Damage], like: Tensor) -> dict[str, Tensor]:
    """All settings by name as tensors (B, 1 or more, 1, 1), in one transfer."""
    names = [field.name for field in fields(Damage)]
    rows = [[_numbers(getattr(damage, name)) for name in names] for damage in damages]
    table = torch.tensor([sum(row, []) for row in rows]).to(like)
    parts = table.split([len(numbers) for numbers in rows[0]], dim=1)
    return {name: part[:, :, None, None] for name, part in zip(names, parts, strict=True)}


def _numbers(value: float | tuple[float, ...]) -> list[float]:
    return list(value) if isinstance(value, tuple) else [value]


def _most(damages: Sequence[Damage], name: str) -> float:
    return max(getattr(damage, name) for damage in damages)


def _faded(x: Tensor, a: dict[str, Tensor]) -> Tensor:
    gray = luma(x)
    x = (gray + (x - gray) * a["saturation"]).clamp(1e-4, 1)  # the slope of a root is infinite at 0
    return a["black"] + (a["white"] - a["black"]) * x ** a["gamma"]


def _stained(x: Tensor, a: dict[str, Tensor], rng: torch.Generator) -> Tensor:
    depth = (1 - a["stain_color"]) * (a["stain_share"] > 0)
    return x * (1 - depth * stains(x, a["stain_share"], a["stain_px"], rng))


def _grain(x: Tensor, a: dict[str, Tensor], rng: torch.Generator) -> Tensor:
    B, _, H, W = x.shape
    noise = banded(white((B, 4, H, W), rng, x), a["grain_spectrum"][:, :, 0, 0])
    common, own = noise.split([1, 3], dim=1)
    mixed = common * (1 - a["grain_color"]).sqrt() + own * a["grain_color"].sqrt()
    return mixed * a["grain"] * (1 + a["grain_slope"] * (2 * luma(x) - 1)).clamp_min(0)


def _marked(
    x: Tensor, damages: Sequence[Damage], a: dict[str, Tensor], rng: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Add scratches, dust and holes to pictures; also returns the masks of marks and holes."""
    B, _, H, W = x.shape
    bright, dim = a["light_color"], a["dark_color"]
    marks = gone = x.new_zeros(B, 1, H, W)
    if _most(damages, "scratches_per_mp"):
        cover = _scratched(x, a, rng)
        x = torch.lerp(x, torch.where(cover.light > 0, bright, dim), cover.alpha)
        marks = cover.alpha
    if _most(damages, "dust_per_mp"):
        most_px = _most(damages, "dust_px")
        cover = dust(x, a["dust_per_mp"] / MEGAPIXEL, a["dust_px"], most_px, a["light_marks"], rng)
        x = torch.lerp(x, torch.where(cover.light > 0, bright, dim), cover.alpha)
        marks = torch.maximum(marks, cover.alpha)
    if _most(damages, "hole_share"):
        gone = holes(x, a["hole_share"], a["hole_px"], rng) * (a["hole_share"] > 0)
        paper = torch.where(uniform((B, 1, 1, 1), rng, x) < 0.7, bright, dim)
        x = torch.where(gone > 0, paper + 0.02 * white(x.shape, rng, x), x)
    return x, marks, gone


def _scratched(x: Tensor, a: dict[str, Tensor], rng: torch.Generator) -> Cover:
    """Draw scratches whose middle is on the picture or less than half a length outside it."""
    H, W = x.shape[2:]
    column = {name: value.flatten(1)[:, 0] for name, value in a.items()}  # (B,) each
    length = column["scratch_length_px"]
    expected = column["scratches_per_mp"] * (H + length) * (W + length) / MEGAPIXEL
    count = torch.poisson(expected.to(rng.device), generator=rng).to(x)
    return scratches(x, count, length, column["scratch_width_px"], column["light_marks"], rng)
