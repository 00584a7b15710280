"""Artists of color: dots, stones, washes, and thick paint from a knife or a brush."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.config import setting
from ..image.colors import luma
from .artist import Artist
from .palettes import recolor, saturate
from .pixel_fields import blur, flatten, noise, orientation, smoothstep, warp
from .strokes import TopMarks, lay_strokes, lay_tiles


@dataclass(frozen=True)
class Pointillism(Artist):
    """Dots of divided color: each takes a pure color near the picture's, so that they mix in the eye."""

    dot_px: float = setting(7.0, 3.0, 24.0, "diameter of a dot in pixels")
    division: float = setting(0.7, 0.0, 1.0, "how far dots deviate from the picture's color")

    def paint(self, image: Tensor, generator: torch.Generator, palette: Tensor | None) -> Tensor:
        pure = self._pure_colors() if palette is None else palette
        angle = torch.zeros_like(image[:, :1])
        canvas = image.new_tensor([0.94, 0.90, 0.80]).view(1, 3, 1, 1)
        painting = 0.45 * canvas + 0.55 * blur(image, self.dot_px)
        detail = smoothstep(0.01, 0.05, (luma(image) - blur(luma(image), self.dot_px)).abs())
        for scale, keep in ((1.25, None), (1.0, None), (0.7, 0.25 + 0.75 * detail)):
            dot_px = self.dot_px * scale
            dots = lay_strokes(
                angle,
                generator,
                length_px=dot_px,
                width_px=dot_px,
                spacing_px=0.85 * dot_px,
                turn=1.0,
                vary=0.15,
                keep=keep,
            )
            colors = self._divide(_colors_at(image, dots, dot_px / 3), pure, generator)
            alpha = dots.covered * smoothstep(1.0, 0.75, dots.edge)
            painting = painting + alpha * (dots.pick(colors) - painting)
        return painting * (1 + 0.02 * noise(*angle.shape[-2:], generator, exponent=0.5, largest_px=4))

    def _divide(self, colors: Tensor, pure: Tensor, generator: torch.Generator) -> Tensor:
        shake = torch.randn(colors.shape, generator=generator)
        shake = shake - 0.7 * shake.mean(1, keepdim=True)  # the hue is divided more than the brightness
        shaken = colors + 0.25 * self.division * shake
        chosen = pure[torch.cdist(shaken, pure).argmin(1)]
        return colors + self.division * (chosen - colors)

    @staticmethod
    def _pure_colors() -> Tensor:
        vivid = torch.tensor(
            [
                [0.85, 0.12, 0.14],
                [0.95, 0.45, 0.10],
                [0.98, 0.80, 0.15],
                [0.45, 0.68, 0.20],
                [0.10, 0.45, 0.30],
                [0.12, 0.50, 0.70],
                [0.12, 0.20, 0.55],
                [0.45, 0.20, 0.55],
                [0.80, 0.30, 0.50],
            ]
        )
        tints = vivid + 0.55 * (1 - vivid)
        return torch.cat([vivid * 0.45, vivid, tints, torch.tensor([[0.97, 0.95, 0.88], [0.08, 0.08, 0.18]])])


@dataclass(frozen=True)
class Mosaic(Artist):
    """Stone tiles of one color each in rows along the form, set in mortar."""

    tile_px: float = setting(12.0, 6.0, 40.0, "side of a tile in pixels")
    mortar: float = setting(0.16, 0.05, 0.35, "width of the joints as a share of the tile")
    variety: float = setting(0.07, 0.0, 0.2, "spread of the stones' brightness")

    def paint(self, image: Tensor, generator: torch.Generator, palette: Tensor | None) -> Tensor:
        angle, _ = orientation(image, 0.75 * self.tile_px)
        tile, gap, count = lay_tiles(angle, generator, size_px=self.tile_px, jitter=1.0, relax=2)
        flat = tile.flatten()
        total = torch.zeros(count, 3).index_add_(0, flat, saturate(image, 1.35)[0].flatten(1).T)
        colors = total / torch.bincount(flat, minlength=count).clamp_min(1).unsqueeze(1)
        if palette is not None:
            colors = recolor(colors.T.view(1, 3, count, 1), palette, 0.02).view(3, count).T
        colors = (colors * 12).round() / 12  # stone comes in few colors
        colors = (colors * (1 + self.variety * torch.randn(count, 1, generator=generator))).clamp(0, 1)
        stones = colors[flat].T.reshape(image.shape)
        sand = noise(*tile.shape, generator, exponent=0.3, largest_px=3)
        joint = (palette[0] if palette is not None else torch.tensor([0.30, 0.27, 0.24])).view(1, 3, 1, 1)
        stone = smoothstep(self.mortar * self.tile_px - 0.8, self.mortar * self.tile_px + 0.8, gap)
        return joint * (1 + 0.12 * sand) * (1 - stone) + stones * stone


@dataclass(frozen=True)
class Watercolor(Artist):
    """Transparent washes one over another: dark rims where they dried, pigment in the grain of the paper."""

    wash_px: float = setting(4.0, 2.0, 16.0, "size of the smallest wash in pixels")
    washes: int = setting(4, 2, 8, "number of washes")
    rim: float = setting(0.8, 0.0, 2.0, "darkening at the rim of a wash")
    grain: float = setting(0.5, 0.0, 1.5, "pigment settling in the paper")

    def paint(self, image: Tensor, generator: torch.Generator, palette: Tensor | None) -> Tensor:
        size = image.shape[-2:]
        shake = [noise(*size, generator, exponent=1.6, largest_px=6 * self.wash_px) for _ in range(2)]
        image = image if palette is None else recolor(image, palette)
        warped = warp(image, *(s * self.wash_px / 5 for s in shake))
        smooth = flatten(0.6 * flatten(warped, self.wash_px) + 0.4 * warped, 0.75 * self.wash_px)
        density = -torch.log(saturate(smooth, 1.35).clamp(0.08, 1))  # no watercolor is black
        dark = 1 - luma(smooth)
        flow = noise(*size, generator, exponent=1.4, largest_px=150)
        painted, step = torch.zeros_like(dark), 1 / self.washes
        for wash in range(self.washes):
            wet = smoothstep(-0.02, 0.02, dark - 0.08 - 0.9 * wash * step + 0.012 * flow)
            rim = (wet - blur(wet, self.wash_px / 2)).clamp_min(0)
            painted = painted + step * wet * (0.8 + 3.5 * self.rim * rim)
        tooth = noise(*size, generator, exponent=0.4, largest_px=5)
        share = painted / dark.clamp_min(0.12) * (1 + 0.16 * flow) * (1 + 0.16 * self.grain * tooth)
        paper = torch.tensor([0.985, 0.975, 0.945]).view(1, 3, 1, 1) * (1 + 0.012 * tooth)
        return paper * torch.exp(-density * share.clamp(0, 2.2))


@dataclass(frozen=True)
class PaletteKnife(Artist):
    """Flat slabs of thick paint with ridges at their sides, dragged along the form."""

    knife_px: float = setting(22.0, 6.0, 48.0, "width of the knife in pixels")
    relief: float = setting(0.5, 0.0, 1.0, "strength of the light on the paint")

    def paint(self, image: Tensor, generator: torch.Generator, palette: Tensor | None) -> Tensor:
        image = saturate(image, 1.3) if palette is None else recolor(image, palette)
        return _impasto(image, generator, self.knife_px, 2.2, self.relief, square=True)


@dataclass(frozen=True)
class Oil(Artist):
    """Curved bristle strokes along the form, broad first and fine last."""

    brush_px: float = setting(9.0, 4.0, 32.0, "width of the medium brush in pixels")
    elongation: float = setting(3.5, 2.0, 6.0, "ratio of a stroke's length to its width")
    relief: float = setting(0.35, 0.0, 1.0, "strength of the light on the paint")

    def paint(self, image: Tensor, generator: torch.Generator, palette: Tensor | None) -> Tensor:
        image = saturate(image, 1.2) if palette is None else recolor(image, palette)
        return _impasto(image, generator, self.brush_px, self.elongation, self.relief, square=False)


def _colors_at(image: Tensor, marks: TopMarks, sigma_px: float) -> Tensor:
    return blur(image, sigma_px)[0][:, marks.y, marks.x].T  # (N, 3)


def _impasto(
    image: Tensor, generator: torch.Generator, width_px: float, elongation: float, relief: float, square: bool
) -> Tensor:
    """Layers of strokes from broad to fine, then light from the upper left on the thickness of the paint."""
    size = image.shape[-2:]
    angle, _ = orientation(image, width_px / 2, 0.7)
    fray = 0.12 * noise(*size, generator, exponent=0.7, largest_px=width_px)
    painting, thick = blur(image, width_px), torch.zeros_like(image[:, :1])
    for scale in (1.7, 1.0, 0.55):
        width = width_px * scale
        error = luma((painting - blur(image, width / 4)).abs())
        keep = None if scale > 1 else smoothstep(0.02 / scale, 0.09, blur(error, width / 3))
        marks = lay_strokes(
            angle,
            generator,
            length_px=width * elongation,
            width_px=width,
            square=square,
            keep=keep,
            spacing_px=width * elongation / 3.2,
            bend=0.1 if square else 0.5,
            fray=fray,
        )
        paint, height = _load(image, marks, width, generator, square)
        cover = marks.covered * smoothstep(1.05, 0.9, marks.edge)
        painting = painting + cover * (paint - painting)
        thick = thick + cover * (height * min(width, 12) - 0.7 * thick)
    lit = F.pad(blur(thick, 0.7), (1, 1, 1, 1), mode="replicate")
    slope = lit[..., 2:, 2:] - lit[..., :-2, :-2]
    shine = (0.12 * relief * slope).clamp(-0.35, 0.45)
    return painting * (1 + 0.8 * shine) + 0.25 * shine.clamp_min(0)


def _load(
    image: Tensor, marks: TopMarks, width_px: float, generator: torch.Generator, square: bool
) -> tuple[Tensor, Tensor]:
    """Color and thickness of strokes: two half-mixed paints drawn out in streaks."""
    colors = _colors_at(image, marks, width_px / 4)
    other = colors[torch.randperm(len(colors), generator=generator)]
    chance = torch.rand(4, len(colors), 1, generator=generator)
    other = 0.93 * colors + 0.07 * other + 0.12 * (chance[0] - 0.5)
    phase, thickness = marks.pick(6.3 * torch.cat([chance[1], chance[2]], 1)), marks.pick(chance[3])
    across, along = marks.across[None, None], marks.along[None, None]
    pitch = (3.0, 7.0) if square else (5.0, 11.0)
    streak = torch.sin(pitch[0] * across + phase[:, :1]) + 0.7 * torch.sin(pitch[1] * across + phase[:, 1:])
    streak = smoothstep(-0.6, 1.4, streak + 0.5 * along)
    paint = marks.pick(colors) * (1 - streak) + marks.pick(other) * streak
    ridge = across.abs() ** 6 if square else 1 - 0.6 * across**2
    height = 0.5 * thickness + 0.35 * ridge + (0.12 if square else 0.35) * streak + 0.15 * along
    return paint, height
