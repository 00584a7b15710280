"""Damaged scans to measure by: four kinds of damage, made without any code of pstyle/restoration.

    from damage import KINDS, damage
    damaged, mask = damage("old_photo", picture, seed=3)

A kind is one look with a little variety, as scans of one album have: its tones, grain and marks are drawn
around fixed values by the seed. Everything is numpy, Pillow and scipy's filters; lines and specks are
polygons drawn by Pillow at three times the size.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter
from torch import Tensor

Pixels = np.ndarray  # (H, W, 3) or, for one channel, (H, W); float64 in [0, 1]
FINER = 3  # marks are drawn at so many times the size
SEEN = 0.1  # cover from which a pixel belongs to the mask


def damage(kind: str, picture: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """A picture (1, 3, H, W) in [0, 1] damaged, and where marks hide it, (1, 1, H, W) in {0, 1}.

    Raises ValueError for a kind that is not in KINDS.
    """
    if kind not in KINDS:
        raise ValueError(f"there is no damage {kind!r}: choose one of {', '.join(KINDS)}")
    pixels = picture[0].permute(1, 2, 0).double().numpy()
    made, cover = KINDS[kind](pixels, np.random.default_rng(seed))
    stored = torch.from_numpy(np.round(made.clip(0, 1) * 255) / 255).permute(2, 0, 1)[None].float()
    return stored, torch.from_numpy(cover > SEEN)[None, None].float()


def old_photo(pixels: Pixels, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    """A sepia print: soft, faded, coarse grain, light scratches and dust, darker toward the corners."""
    pixels = _blurred(pixels, 0.8)
    paper, ink = np.array([0.90, 0.82, 0.66]), np.array([0.20, 0.15, 0.11])
    gray = _gray(pixels)[..., None] ** rng.normal(0.9, 0.04)
    pixels = ink + (paper - ink) * gray + rng.normal(0, 0.012, 3)
    pixels = pixels * (1 - 0.12 * _from_middle(pixels)[..., None] ** 2)
    pixels = pixels + 0.045 * _noise(pixels.shape[:2], 0.7, rng)[..., None]
    scratched = _drawn(pixels, 45, rng, lambda: _line(rng.uniform(40, 220), 0.15, rng), (0.5, 2.0))
    specks = _drawn(pixels, 350, rng, lambda: _blob(rng.uniform(1.0, 4.0), rng))
    cover = np.maximum(scratched * rng.uniform(0.7, 1), specks)
    return _covered(pixels, cover, np.array([0.95, 0.9, 0.8])), cover


def newspaper(pixels: Pixels, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    """Newsprint from a flatbed: gray on yellowish paper, a dot screen at 45 degrees, JPEG of low quality."""
    gray = _gray(pixels)
    rows, columns = np.indices(gray.shape)
    period_px, phase = 4.2, rng.uniform(0, 2 * np.pi, 2)
    along = np.cos(2 * np.pi * (rows + columns) / period_px / np.sqrt(2) + phase[0])
    across = np.cos(2 * np.pi * (rows - columns) / period_px / np.sqrt(2) + phase[1])
    gray = gray + 0.11 * along * across + 0.03 * _noise(gray.shape, 0.4, rng)
    paper, ink = np.array([0.86, 0.84, 0.77]), np.array([0.17, 0.16, 0.16])
    pixels = ink + (paper - ink) * gray.clip(0, 1)[..., None] + rng.normal(0, 0.01, 3)
    specks = _drawn(pixels, 120, rng, lambda: _blob(rng.uniform(1.0, 2.5), rng))
    pixels = _covered(pixels, 0.8 * specks, np.array([0.12, 0.12, 0.12]))
    return jpeg(pixels, int(rng.integers(32, 43))), specks


def film(pixels: Pixels, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    """A color slide gone magenta: grain that differs by color, dark hairs, light tracks along the film."""
    low, high = np.array([0.14, 0.04, 0.12]), np.array([1.0, 0.80, 0.90])
    pixels = low + (high - low) * pixels ** np.array([0.8, 1.15, 0.95]) + rng.normal(0, 0.012, 3)
    grain = np.stack([_noise(pixels.shape[:2], 0.9, rng) for _ in range(3)], axis=2)
    pixels = pixels + 0.05 * grain * (1.2 - 0.8 * _gray(pixels))[..., None]
    hairs = _drawn(pixels, 18, rng, lambda: _line(rng.uniform(60, 160), 0.9, rng), (0.8, 1.8))
    down = np.pi / 2 + rng.normal(0, 0.02)
    tracks = _drawn(pixels, 8, rng, lambda: _line(rng.uniform(200, 600), 0.003, rng, down), (0.6, 1.4))
    pixels = _covered(pixels, 0.85 * hairs, np.array([0.08, 0.05, 0.06]))
    return _covered(pixels, 0.7 * tracks, np.array([0.98, 0.98, 0.9])), np.maximum(hairs, tracks)


def water(pixels: Pixels, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    """A print that got wet: yellowed and soft, brown stains with darker rims, light specks of bare paper."""
    pixels = _blurred(pixels, 0.6)
    pixels = 0.08 + (np.array([0.93, 0.88, 0.76]) - 0.08) * pixels + rng.normal(0, 0.01, 3)
    field = _noise(pixels.shape[:2], 35.0, rng) + 0.15 * _noise(pixels.shape[:2], 6.0, rng)
    level = np.quantile(field, 1 - rng.uniform(0.18, 0.26))
    inside = 1 / (1 + np.exp(-(field - level) / 0.06))
    rim = np.exp(-(((field - level) / 0.08) ** 2))
    tint = 1 - np.array([0.78, 0.66, 0.48])
    pixels = pixels * (1 - tint * (0.7 * inside + 0.45 * rim)[..., None])
    pixels = pixels + 0.02 * _noise(pixels.shape[:2], 0.5, rng)[..., None]
    specks = _drawn(pixels, 90, rng, lambda: _blob(rng.uniform(2.0, 6.0), rng))
    return _covered(pixels, specks, np.array([0.93, 0.91, 0.86])), specks


KINDS: dict[str, Callable[[Pixels, np.random.Generator], tuple[Pixels, Pixels]]] = {
    "old_photo": old_photo,
    "newspaper": newspaper,
    "film": film,
    "water": water,
}


def _gray(pixels: Pixels) -> Pixels:
    return pixels @ np.array([0.299, 0.587, 0.114])


def _blurred(pixels: Pixels, deviation_px: float) -> Pixels:
    return gaussian_filter(pixels, (deviation_px, deviation_px, 0), mode="nearest")


def _noise(shape: tuple[int, ...], deviation_px: float, rng: np.random.Generator) -> Pixels:
    """White noise blurred by a Gaussian, of deviation 1."""
    noise = gaussian_filter(rng.standard_normal(shape), deviation_px, mode="wrap")
    return (noise - noise.mean()) / noise.std()


def _from_middle(pixels: Pixels) -> Pixels:
    """0 in the middle of a picture, 1 in its corners."""
    rows, columns = (np.linspace(-1, 1, side) for side in pixels.shape[:2])
    return np.hypot(rows[:, None], columns) / np.sqrt(2)


def _drawn(
    pixels: Pixels,
    per_mp: float,
    rng: np.random.Generator,
    outline: Callable[[], Pixels],
    widths_px: tuple[float, float] | None = None,
) -> Pixels:
    """How much of each pixel (H, W) shapes cover, about `per_mp` of them in a million pixels: lines of the
    given widths, or polygons.
    """
    height, width = pixels.shape[:2]
    canvas = Image.new("L", (width * FINER, height * FINER))
    pen = ImageDraw.Draw(canvas)
    for _ in range(rng.poisson(per_mp * height * width / 1e6)):
        points = (outline() + rng.uniform((0, 0), (width, height))) * FINER
        corners = [tuple(point) for point in points]
        if widths_px is None:
            pen.polygon(corners, fill=255)
        else:
            pen.line(corners, fill=255, width=max(1, round(rng.uniform(*widths_px) * FINER)), joint="curve")
    return np.asarray(canvas.resize((width, height), Image.Resampling.BOX), dtype=float) / 255


def _line(length_px: float, wander: float, rng: np.random.Generator, angle: float | None = None) -> Pixels:
    """Points (N, 2) of a line through 0; it turns by half of `wander` radians, about, at each of 40 steps."""
    start = rng.uniform(0, np.pi) if angle is None else angle
    turns = start + np.cumsum(rng.normal(0, wander / 2, 40))
    steps = np.stack([np.cos(turns), np.sin(turns)], axis=1) * length_px / 40
    points = np.cumsum(steps, axis=0)
    return points - points.mean(0)


def _blob(radius_px: float, rng: np.random.Generator) -> Pixels:
    """Corners (N, 2) of a ragged speck around 0."""
    angles = np.arange(12) * np.pi / 6
    radii = radius_px * rng.uniform(0.5, 1.1, 12)
    return np.stack([np.cos(angles) * radii, np.sin(angles) * radii], axis=1)


def _covered(pixels: Pixels, cover: Pixels, color: Pixels) -> Pixels:
    return pixels + (color - pixels) * cover[..., None]


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    """What is left of a picture after a JPEG file."""
    data = io.BytesIO()
    Image.fromarray((pixels.clip(0, 1) * 255).round().astype(np.uint8)).save(data, "JPEG", quality=quality)
    return np.asarray(Image.open(data), dtype=float) / 255
