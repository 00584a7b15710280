"""A canvas for procedural scenes: natural colors, materials, and shapes with occlusion and shadows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .palettes import from_oklch
from .pixel_fields import noise, smoothstep

# Hue in degrees, spread and typical chroma (Oklab) of materials in photographs.
FAMILIES = {
    "earth": (65.0, 18.0, 0.06),
    "foliage": (128.0, 14.0, 0.09),
    "sky": (245.0, 16.0, 0.08),
    "skin": (52.0, 8.0, 0.07),
    "gray": (90.0, 90.0, 0.012),
    "warm": (45.0, 25.0, 0.12),
    "any": (180.0, 150.0, 0.08),
}
DEPTH = 0.7  # the sun's third coordinate, its distance in front of the picture


@dataclass
class Canvas:
    """A square picture in progress: image (1, 3, size, size), random generator, and direction of light."""

    size_px: int
    generator: torch.Generator

    def __post_init__(self) -> None:
        size = self.size_px
        self.image = torch.zeros(1, 3, size, size)
        self.y = torch.linspace(0, 1, size).view(-1, 1).expand(size, size)
        self.x = torch.linspace(0, 1, size).view(1, -1).expand(size, size)
        self.sun = (self.between(-0.7, 0.7), self.between(-0.8, -0.2))
        self.materials = [
            self.noise(e, largest=0.3, stretch=s) for e, s in ((0.9, 1), (1.2, 1), (1.5, 1), (1.0, 5))
        ]

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=self.generator))

    def one_of(self, *options):
        return options[int(torch.randint(len(options), (), generator=self.generator))]

    def noise(self, exponent: float, largest: float = 2.0, stretch: float = 1.0) -> Tensor:
        """Noise (1, 1, size, size); `largest` is a share of the picture."""
        return noise(
            self.size_px,
            self.size_px,
            self.generator,
            exponent=exponent,
            largest_px=max(largest * self.size_px, 2),
            stretch=stretch,
        )

    def color(self, family: str = "any", lightness: tuple[float, float] = (0.3, 0.85)) -> Tensor:
        """A random color (1, 3, 1, 1) of a family of FAMILIES, lightness as in Oklab."""
        hue, spread, chroma = FAMILIES[family]
        chance = torch.randn(2, generator=self.generator)
        vivid = torch.tensor(chroma) * (0.45 * chance[0]).exp()
        degrees = torch.tensor(hue) + spread * chance[1]
        light = torch.tensor(self.between(*lightness))
        return from_oklch(light, vivid.clamp_max(0.24), degrees * math.pi / 180).view(1, 3, 1, 1)

    def surface(self, color: Tensor, rough: float) -> Tensor:
        """A material (1, 3, size, size) around one color: its brightness varies most, its hue a little."""
        tint = 0.25 * torch.cat([self.noise(1.4) for _ in range(3)], 1)
        return color * (1 + rough * (self._material() + tint)).clamp(0.1, 2.5)

    def cover(self, mask: Tensor, layer: Tensor) -> None:
        """Put a layer over the picture where the mask is 1; both broadcast to (1, 3, size, size)."""
        self.image = self.image + mask * (layer - self.image)

    def gradient(self, start: Tensor, end: Tensor, turn: float, bend: float = 1.0) -> Tensor:
        """From one color to another across the picture, `turn` radians from the x axis."""
        place = (self.x - 0.5) * math.cos(turn) + (self.y - 0.5) * math.sin(turn) + 0.5
        place = (place + 0.05 * self.noise(2.2)).clamp(0, 1) ** bend
        return start + place * (end - start)

    def edge(self, distance: Tensor, soft_px: float = 1.0) -> Tensor:
        """A mask that is 1 where a distance, in shares of the picture, is negative."""
        soft = soft_px / self.size_px
        return smoothstep(soft, -soft, distance)

    def put(
        self,
        shape: Shape,
        color: Tensor,
        *,
        round_: float = 0.8,
        rough: float = 0.15,
        shadow: float = 0.4,
        shine: float = 0.0,
    ) -> None:
        """Put a shaded shape over the picture, and its soft shadow under it.

        round_: 0 flat, 1 a ball; rough: contrast of the material; shadow, shine: their strengths.
        """
        rows, cols = (
            self._span(center, 1.6 * max(shape.height, shape.width)) for center in (shape.y, shape.x)
        )
        part = (slice(None), slice(None), rows, cols)
        y, x, image = self.y[rows, cols], self.x[rows, cols], self.image.clone()
        if not y.numel():
            return
        outline, scale = shape.outline(self.generator), min(shape.height, shape.width)
        if shadow:  # the shape again, soft, away from the sun
            behind = outline(*shape.place(y + 0.25 * scale * self.sun[1], x + 0.25 * scale * self.sun[0]))
            image[part] *= 1 - shadow * smoothstep(0.45, -0.45, behind)
        u, v = shape.place(y, x)
        distance = outline(u, v)
        facing = shape.facing(u, v, distance, self.sun)
        light = (1 - round_) * (1 + 0.25 * facing) + round_ * (0.28 + 0.95 * facing.clamp_min(0))
        paint = color * light * (1 + rough * self._material()[part]).clamp(0.2, 2)
        paint = paint + shine * smoothstep(0.97, 1.0, facing / math.hypot(*self.sun, DEPTH))
        image[part] += smoothstep(1.0, -1.0, distance * scale * self.size_px) * (paint - image[part])
        self.image = image

    def _span(self, center: float, reach: float) -> slice:
        low, high = (min(max(round((center + r) * self.size_px), 0), self.size_px) for r in (-reach, reach))
        return slice(low, high)

    def _material(self) -> Tensor:
        shift = torch.randint(self.size_px, (2,), generator=self.generator).tolist()
        return self.one_of(*self.materials).roll(shift, (2, 3))


@dataclass(frozen=True)
class Shape:
    """A disc, leaf, blob, polygon or barrel: center and half axes in shares of the picture."""

    kind: str
    y: float
    x: float
    height: float
    width: float
    turn: float = 0.0

    def place(self, y: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Coordinates (u, v) in which the half axes are 1."""
        c, s = math.cos(self.turn), math.sin(self.turn)
        u, v = (x - self.x) * c + (y - self.y) * s, (y - self.y) * c - (x - self.x) * s
        return u / self.width, v / self.height

    def facing(self, u: Tensor, v: Tensor, distance: Tensor, sun: tuple[float, float]) -> Tensor:
        """How much the surface faces the sun: like a ball over the outline, like a cylinder for a barrel."""
        bulge = (1 - (1 + distance).clamp(0, 1) ** 2).clamp_min(0).sqrt()
        if self.kind == "barrel":
            return sun[0] * u + DEPTH * bulge
        c, s = math.cos(self.turn), math.sin(self.turn)
        return sun[0] * (u * c - v * s) + sun[1] * (v * c + u * s) + DEPTH * bulge

    def outline(self, generator: torch.Generator) -> Callable[[Tensor, Tensor], Tensor]:
        """A function of (u, v): -1 in the middle of the shape, 0 on its outline, positive outside."""
        chance = torch.rand(6, 2, generator=generator).tolist()
        return {
            "disc": lambda u, v: (u * u + v * v).sqrt() - 1,
            "barrel": lambda u, v: torch.maximum(u.abs(), ((u / 2) ** 2 + v**2).sqrt()) - 1,
            "leaf": lambda u, v: torch.maximum(u.abs(), v.abs() + 0.8 * u * u) - 1,
            "polygon": _polygon(chance[: 3 + int(4 * chance[0][1])]),
            "blob": _blob(chance),
        }[self.kind]


def _polygon(chance: list[list[float]]) -> Callable[[Tensor, Tensor], Tensor]:
    turns = [2 * math.pi * (k + 0.6 * c) / len(chance) for k, (c, _) in enumerate(chance)]
    reach = [0.65 + 0.3 * c for _, c in chance]
    sides = [(math.cos(t) / r, math.sin(t) / r) for t, r in zip(turns, reach, strict=True)]
    return lambda u, v: torch.stack([u * c + v * s for c, s in sides]).amax(0) - 1


def _blob(chance: list[list[float]]) -> Callable[[Tensor, Tensor], Tensor]:
    waves = [(k, 0.35 * size / (k - 1), 2 * math.pi * phase) for k, (size, phase) in enumerate(chance, 2)]

    def outline(u: Tensor, v: Tensor) -> Tensor:
        angle = torch.atan2(v, u)
        radius = 0.8 + sum(size * torch.cos(k * angle + phase) for k, size, phase in waves)
        return (u * u + v * v).sqrt() / radius.clamp_min(0.3) - 1

    return outline
