"""Artists of ink on paper: pen, woodcut, charcoal and screen print."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.config import setting
from ..image.colors import luma
from .artist import Artist
from .palettes import saturate
from .pixel_fields import blur, flatten, noise, orientation, smear, smoothstep, stripes, warp


@dataclass(frozen=True)
class Hatching(Artist):
    """Pen and ink: parallel strokes, crossed where it is darker, turned with the form in four directions."""

    wavelength_px: float = setting(6.0, 3.0, 24.0, "distance between strokes in pixels")
    angle_degrees: float = setting(35.0, 0.0, 180.0, "direction of the strokes in degrees from the x axis")
    length_px: float = setting(60.0, 20.0, 200.0, "length of a stroke in pixels")

    def paint(self, image: Tensor, generator: torch.Generator, palette: Tensor | None) -> Tensor:
        size, base = image.shape[-2:], math.radians(self.angle_degrees)
        dark = 1 - luma(image)
        local = 0.6 * (dark - blur(dark, 24.0))
        shade = (0.5 * (dark + blur(dark, self.wavelength_px / 2)) + local - 0.08).clamp(0, 1)
        angle, coherence = orientation(image, 14.0, base)
        # Where the form says nothing the base direction wins; elsewhere the nearest of four.
        lean = torch.where(coherence > 0.3, angle - base, torch.zeros(()))
        turns = torch.arange(4) * math.pi / 4
        fit = blur(torch.cos(lean - turns.view(1, 4, 1, 1)) ** 2, 4.0)
        fit = fit - fit.amax(1, keepdim=True)
        clean = torch.ones(1, 1, *size)
        for crossing, start in ((0.0, 0.10), (1.0, 0.38), (-0.8, 0.60)):
            for turn in range(4):
                angle = base + float(turns[turn]) + crossing
                clean = clean * (
                    1 - 0.9 * self._strokes(shade, fit[:, turn : turn + 1], angle, start, generator)
                )
        outline = smoothstep(0.02, 0.09, blur(dark, 0.7) - blur(dark, 2.2))
        ink = 1 - clean * (1 - outline)
        grain = 1 + 0.12 * noise(*size, generator, exponent=0.3, largest_px=3)
        return _ink_on_paper(
            (ink * grain).clamp(0, 1), palette, generator, (0.13, 0.11, 0.16), (0.97, 0.94, 0.86)
        )

    def _strokes(
        self, shade: Tensor, fit: Tensor, angle: float, start: float, generator: torch.Generator
    ) -> Tensor:
        height, width = shade.shape[-2:]
        y, x = torch.arange(height).view(-1, 1), torch.arange(width).view(1, -1)
        wobble = noise(height, width, generator, exponent=2, largest_px=80)[0, 0] * self.wavelength_px * 0.15
        line = (y * math.cos(angle) - x * math.sin(angle) + wobble) / self.wavelength_px
        chance = torch.rand(2, 256, 64, generator=generator)
        row = line.floor().long() % 256
        place = (x * math.cos(angle) + y * math.sin(angle)) / self.length_px + chance[0][row, 0]
        part, column = place - place.floor(), place.floor().long() % 64
        # A stroke starts with pressure and is lifted towards its end; some are left out in lighter places.
        pressure = smoothstep(0, 0.08, part) * (1 - 0.7 * part**3) * smoothstep(1, 0.97, part)
        wanted = smoothstep(0, 0.22, shade - start - 0.12 * chance[1][row, column])
        wanted = wanted * (fit > -0.2 * chance[0][row, 1 + column // 2])  # each stroke deviates a little
        thick = (0.15 + 0.14 * shade) * self.wavelength_px * wanted * pressure
        away = ((line - line.floor()) - 0.5).abs() * self.wavelength_px
        return (thick - away + 0.5).clamp(0, 1) * (thick > 0.15)


@dataclass(frozen=True)
class Woodcut(Artist):
    """Two tones: ink, and gouge marks that follow the form and widen with the light."""

    wavelength_px: float = setting(7.0, 4.0, 24.0, "distance between gouge marks in pixels")
    contrast: float = setting(1.6, 0.8, 3.0, "contrast before cutting")

    def paint(self, image: Tensor, generator: torch.Generator, palette: Tensor | None) -> Tensor:
        tone = luma(flatten(image, 2.0))
        light = 0.5 + self.contrast * (tone - 0.5) + 0.6 * (tone - blur(tone, 20.0))
        angle, _ = orientation(image, 5.0, 0.6)
        cut = stripes(angle, self.wavelength_px, generator)
        cut = cut + 0.25 * smear(noise(*cut.shape[-2:], generator, exponent=0), angle, 5 * self.wavelength_px)
        edge = smoothstep(
            0.02, 0.07, blur(tone, 3.0) - blur(tone, 1.0)
        )  # the dark side of a contour stays ink
        level = 2.6 * (light - 0.5) + 0.55 * blur(cut, 0.5) - 1.5 * edge
        ink = smoothstep(0.12, -0.12, level)
        wear = noise(*cut.shape[-2:], generator, exponent=0.6, largest_px=12)
        ink = ink * smoothstep(-3.2, -2.4, wear)  # specks where the block did not print
        return _mix(ink, *_ink_and_paper(palette, (0.09, 0.08, 0.08), (0.95, 0.92, 0.84)))


@dataclass(frozen=True)
class Charcoal(Artist):
    """A soft stick over rough paper: grain that fills with pressure, drags along the form, and smudges."""

    tooth_px: float = setting(3.0, 1.5, 8.0, "size of the paper's grain in pixels")
    drag_px: float = setting(24.0, 6.0, 80.0, "length of the drags in pixels")
    angle_degrees: float = setting(120.0, 0.0, 180.0, "direction of the drags in flat areas, in degrees")

    def paint(self, image: Tensor, generator: torch.Generator, palette: Tensor | None) -> Tensor:
        size = image.shape[-2:]
        dark = 1 - luma(flatten(image, 2.0))
        pressure = 0.5 + 1.1 * (dark - 0.55) + 1.8 * (blur(dark, 0.8) - blur(dark, 3.0))
        angle, _ = orientation(image, 8.0, math.radians(self.angle_degrees))
        drag = smear(noise(*size, generator, exponent=0.4, largest_px=4), angle, self.drag_px)
        tooth = blur(noise(*size, generator, exponent=0), self.tooth_px / 5)
        rough = 0.19 * tooth / tooth.std().clamp_min(1e-6) + 0.10 * drag / drag.std().clamp_min(1e-6)
        stick = smoothstep(0.25, 1.05, pressure + rough)
        smudge = 0.55 * blur(pressure, 3.0).clamp(0, 1) ** 1.3
        ink = 1 - (1 - 0.93 * stick) * (1 - smudge)
        return _ink_on_paper(ink, palette, generator, (0.10, 0.09, 0.09), (0.91, 0.89, 0.84))


@dataclass(frozen=True)
class Screenprint(Artist):
    """Few flat inks with halftone dots between them, each a little out of register."""

    inks: int = setting(4, 2, 6, "number of inks")
    dot_px: float = setting(8.0, 4.0, 24.0, "distance between halftone dots in pixels")
    shift_px: float = setting(1.5, 0.0, 6.0, "misregistration of the inks in pixels")

    def paint(self, image: Tensor, generator: torch.Generator, palette: Tensor | None) -> Tensor:
        height, width = image.shape[-2:]
        smooth = flatten(image, 3.0)
        levels = luma(smooth) * (self.inks + 1) - 0.5
        colors = (
            self._inks(smooth, levels)
            if palette is None
            else palette[torch.linspace(0, 5, self.inks + 1).long()]
        )
        print_ = colors[-1].view(1, 3, 1, 1).expand(1, 3, height, width)
        y, x = torch.arange(height).view(-1, 1), torch.arange(width).view(1, -1)
        turns = torch.rand(self.inks, generator=generator) * math.pi / 2
        shifts = self.shift_px * torch.randn(self.inks, 2, generator=generator)
        for ink in range(self.inks - 1, -1, -1):
            # The crests of a product of two sines stand 1 / sqrt(2) of a wave from each other.
            wave = math.sqrt(2) * math.pi / self.dot_px
            c, s = wave * math.cos(turns[ink]), wave * math.sin(turns[ink])
            screen = torch.sin(c * x + s * y) * torch.sin(c * y - s * x)
            level = warp(levels, *(torch.full((1, 1, 1, 1), v) for v in shifts[ink].tolist()))
            mask = smoothstep(-0.06, 0.06, ink + 0.5 - level + 0.35 * screen)
            print_ = print_ + mask * (colors[ink].view(1, 3, 1, 1) - print_)
        return print_ * (1 + 0.015 * noise(height, width, generator, exponent=0.5, largest_px=6))

    def _inks(self, image: Tensor, levels: Tensor) -> Tensor:
        band = levels.round().clamp(0, self.inks).long().flatten()
        total = torch.zeros(self.inks + 1, 3).index_add_(0, band, image[0].flatten(1).T)
        count = torch.bincount(band, minlength=self.inks + 1).unsqueeze(1)
        gray = torch.linspace(0.08, 0.96, self.inks + 1).unsqueeze(1).expand(-1, 3)
        colors = torch.where(count > 0, total / count.clamp_min(1), gray)
        return saturate(colors.T[None, :, None], 2.0)[0, :, 0].T


def _ink_and_paper(palette: Tensor | None, ink: tuple, paper: tuple) -> tuple[Tensor, Tensor]:
    pair = torch.tensor([ink, paper]) if palette is None else palette[[0, -1]]
    return pair[0].view(1, 3, 1, 1), pair[1].view(1, 3, 1, 1)


def _mix(ink: Tensor, color: Tensor, paper: Tensor) -> Tensor:
    return paper + ink * (color - paper)


def _ink_on_paper(
    ink: Tensor, palette: Tensor | None, generator: torch.Generator, own_ink: tuple, own_paper: tuple
) -> Tensor:
    color, paper = _ink_and_paper(palette, own_ink, own_paper)
    fiber = noise(*ink.shape[-2:], generator, exponent=0.6, largest_px=8)
    return _mix(ink, color, paper * (1 + 0.015 * fiber))
