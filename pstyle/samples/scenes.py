"""Procedural contents: photograph-like scenes, for learning a style when no photographs are at hand.

They have the properties of photographs that matter for learning a style: a 1/f spectrum, occlusion, shading
and soft shadows, flat areas next to fine texture, faces, horizons, a blurred distance.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..image.colors import luma
from .faces import face, hair
from .pixel_fields import blur, smoothstep, warp
from .scene_canvas import Canvas, Shape


def content_pictures(count: int, size_px: int, seed: int = 0) -> list[Tensor]:
    """Scenes (1, 3, size_px, size_px), sRGB float32 in [0, 1]; picture i depends on seed, i and size_px only.

    Seven kinds alternate: landscape, portrait, leaves, room, street, flower, poster.
    Raises ValueError for a count below 1 or a size below 16 px.
    """
    if count < 1 or size_px < 16:
        raise ValueError(f"scenes need a count of at least 1 and 16 px or more, got {count} and {size_px} px")
    return [_scene(index, size_px, seed) for index in range(count)]


def _scene(index: int, size_px: int, seed: int) -> Tensor:
    canvas = Canvas(size_px, torch.Generator().manual_seed(seed * 1_000_003 + index))
    SCENES[index % len(SCENES)](canvas)
    return _camera(canvas)


def landscape(canvas: Canvas) -> None:
    """Sky, ridges that fade into the air, perhaps a lake, trees."""
    sky(canvas)
    between, horizon = canvas.between, canvas.between(0.35, 0.65)
    haze = canvas.image[:, :, int(horizon * canvas.size_px)].mean(2).view(1, 3, 1, 1)
    ground = canvas.color(canvas.one_of("foliage", "earth", "foliage"), (0.3, 0.6))
    ridges = int(between(2, 6))
    for near in ((ridge + 1) / ridges for ridge in range(ridges)):
        profile = canvas.noise(between(1.4, 2.3))[0, 0, 0]  # one row of a field is a skyline
        level = horizon + 0.35 * near**1.5 - 0.06 * (1.3 - near) - 0.06 * profile
        bumps = canvas.noise(between(0.9, 1.5), largest=0.15 * near + 0.03)
        relief = bumps - bumps.roll((1, 1), (2, 3))
        layer = ground * (1 + 0.4 * near * (0.6 * bumps + relief)).clamp(0.15, 2)
        canvas.cover(canvas.edge(level - canvas.y), haze + (0.4 + 0.6 * near) * (layer - haze))
    if between(0, 1) < 0.35:
        _lake(canvas, between(0.65, 0.85))
    for _ in range(int(between(0, 5))):
        _tree(canvas, between(0, 1), between(0.7, 0.95), between(0.08, 0.3))


def sky(canvas: Canvas) -> None:
    """A sky from zenith to horizon, clear or clouded, blue, gray or red."""
    between, kind = canvas.between, canvas.one_of("sky", "sky", "sky", "gray", "warm")
    top, low = canvas.color(kind, (0.4, 0.75)), canvas.color(canvas.one_of(kind, "warm", "gray"), (0.8, 0.95))
    canvas.image = canvas.gradient(top, low, math.pi / 2, between(0.7, 1.6))
    clouds = canvas.noise(between(1.3, 1.8), largest=between(0.3, 1), stretch=between(1.5, 4))
    cover = smoothstep(0, between(0.6, 2), clouds - between(-0.5, 1.2))
    shade = 0.95 - 0.22 * smoothstep(0, 2.5, clouds) * between(0, 1)
    canvas.cover(cover * between(0.4, 1), shade * (0.25 * low + 0.75))


def _lake(canvas: Canvas, shore: float) -> None:
    size = canvas.size_px
    ripples = canvas.noise(0.8, largest=0.05, stretch=8) * (canvas.y - shore).clamp_min(0) * 0.06 * size
    mirror = warp(canvas.image, 0.5 * ripples, 2 * (shore - canvas.y[None, None]) * size + ripples)
    canvas.cover(canvas.edge(shore - canvas.y), 0.8 * mirror + 0.05)


def _tree(canvas: Canvas, x: float, foot: float, height: float) -> None:
    bark, crown = canvas.color("earth", (0.2, 0.4)), canvas.color("foliage", (0.25, 0.55))
    canvas.put(Shape("barrel", foot - height / 3, x, height / 2.5, height / 16), bark, rough=0.4)
    for _ in range(12):
        y, side = foot - height * canvas.between(0.4, 1.1), x + height * canvas.between(-0.3, 0.3)
        color = crown * canvas.between(0.7, 1.25)
        canvas.put(Shape("blob", y, side, height / 5, height / 4), color, rough=0.5, shadow=0.3)


def leaves(canvas: Canvas) -> None:
    """Overlapping shapes of all sizes, mostly small: the dead-leaves model (Lee 2001)."""
    canvas.image = canvas.surface(canvas.color("earth"), 0.3)
    between, one_of = canvas.between, canvas.one_of
    family, smallest = one_of("any", "earth", "foliage", "warm"), between(0.02, 0.06)
    for _ in range(int(between(60, 150))):
        radius = smallest / math.sqrt(1 - 0.99 * between(0, 1))  # as many of each radius as 1 / r^3
        kind = one_of("disc", "leaf", "blob", "polygon", "polygon", "barrel")
        shape = Shape(
            kind,
            between(-0.05, 1.05),
            between(-0.05, 1.05),
            radius,
            radius * between(0.4, 1.2),
            between(0, 6.3),
        )
        color = canvas.color(one_of(family, "gray", "any"), (0.2, 0.9))
        canvas.put(
            shape,
            color,
            round_=one_of(0, 0.3, 0.9),
            rough=one_of(0, 0.1, 0.4),
            shadow=between(0.2, 0.6),
            shine=one_of(0, 0, 0.5),
        )


def portrait(canvas: Canvas) -> None:
    """A rounded face with hair and shoulders before a blurred background."""
    canvas.one_of(landscape, leaves, street, room)(canvas)
    between = canvas.between
    canvas.image = blur(canvas.image, canvas.size_px * between(0.02, 0.06))
    y, x, radius = between(0.36, 0.5), between(0.4, 0.6), between(0.15, 0.24)
    skin, cloth, lock = (
        canvas.color(*c) for c in (("skin", (0.45, 0.85)), ("any", (0.2, 0.9)), ("earth", (0.12, 0.7)))
    )
    back = Shape("disc", y + between(-0.1, 0.4) * radius, x, between(1.3, 1.7) * radius, 1.2 * radius)
    canvas.put(back, lock, rough=0.2)
    canvas.put(Shape("barrel", y + 1.2 * radius, x, radius, 0.5 * radius), skin * 0.85, rough=0.03)
    canvas.put(Shape("disc", y + 3.4 * radius, x, 2 * radius, 2.3 * radius), cloth, rough=between(0.05, 0.3))
    u, v = Shape("disc", y, x, 1.3 * radius, radius).place(canvas.y, canvas.x)
    canvas.cover(canvas.edge(((u * u + v * v).sqrt() - 1) * radius), face(canvas, u, v, skin, lock))
    canvas.cover(*hair(canvas, u, v, radius, lock))


def room(canvas: Canvas) -> None:
    """A still life: fruit, cups and boxes on a table before a wall, with cast shadows."""
    between, one_of = canvas.between, canvas.one_of
    wall, wood = canvas.color("any", (0.4, 0.9)), canvas.color(one_of("earth", "gray", "warm"), (0.3, 0.8))
    daylight = canvas.gradient(torch.tensor(1.15), torch.tensor(0.55), between(0, 6.3))
    canvas.image = canvas.surface(wall, one_of(0.0, 0.03, 0.1)) * daylight
    if between(0, 1) < 0.5:  # something hangs on the wall
        canvas.put(
            Shape("barrel", 0.2, between(0.1, 0.9), 0.2, 0.15), canvas.color("any"), round_=0, rough=0.3
        )
    table = between(0.5, 0.7)
    grain = canvas.noise(1.0, largest=0.2, stretch=one_of(10.0, 10.0, 1.0))
    canvas.cover(canvas.edge(table - canvas.y, 2.0), wood * (1 + 0.18 * grain) * (0.7 + 0.5 * canvas.y))
    for step in range(int(between(3, 9))):
        _thing(canvas, table + 0.03 + 0.04 * step, between(0.05, 0.95), between(0.05, 0.16))


def _thing(canvas: Canvas, foot: float, x: float, radius: float) -> None:
    kind = canvas.one_of("disc", "disc", "barrel", "polygon")
    tall = radius * (canvas.between(1.2, 2.4) if kind == "barrel" else 1.0)
    color = canvas.color(canvas.one_of("warm", "any", "gray", "foliage"), (0.3, 0.9))
    away = x - canvas.sun[0] * radius
    cast = ((canvas.x - away) / (1.5 * radius)) ** 2 + ((canvas.y - foot) / (0.35 * radius)) ** 2
    canvas.image = canvas.image * (1 - 0.6 * smoothstep(1.6, 0.1, cast))
    canvas.put(
        Shape(kind, foot - tall, x, tall, radius),
        color,
        round_=0.2 if kind == "polygon" else 0.9,
        rough=canvas.one_of(0.02, 0.08, 0.3),
        shadow=0.0,
        shine=canvas.one_of(0, 0.4, 0.7),
    )
    if kind == "barrel":  # its opening
        opening = Shape("disc", foot - 1.85 * tall, x, 0.22 * radius, 0.9 * radius)
        canvas.put(opening, color * 0.6, round_=0.1, shadow=0.0)


def street(canvas: Canvas) -> None:
    """House fronts with windows under a sky, before a road with people and poles."""
    sky(canvas)
    between, left, ground = canvas.between, -0.05, canvas.between(0.7, 0.85)
    sunlit = between(0.2, 0.9)
    while left < 1:
        width, roof = between(0.12, 0.35), between(0.05, 0.5)
        wall = torch.maximum((canvas.x - left - width / 2).abs() - width / 2, roof - canvas.y)
        canvas.cover(
            canvas.edge(wall),
            _front(canvas, left, roof) * canvas.one_of(sunlit, 1.0) * (1.1 - 0.3 * canvas.y),
        )
        left += width * between(0.8, 1.1)
    road = canvas.surface(canvas.color("gray", (0.3, 0.65)), 0.12)
    canvas.cover(canvas.edge(ground - canvas.y), road * (0.6 + 0.6 * (canvas.y - ground)))
    for _ in range(int(between(2, 8))):
        tall = between(0.03, 0.15)
        shape = Shape("barrel", ground + 0.04 - tall, between(0, 1), tall, tall * between(0.1, 0.5))
        canvas.put(shape, canvas.color("any", (0.15, 0.8)), rough=0.2)


def _front(canvas: Canvas, left: float, roof: float) -> Tensor:
    rows, cols = canvas.between(0.05, 0.11), canvas.between(0.04, 0.09)
    across, down = ((canvas.x - left) / cols) % 1 - 0.5, ((canvas.y - roof) / rows) % 1 - 0.5
    pane = torch.maximum(across.abs() / 0.3, down.abs() / canvas.between(0.25, 0.4)) - 1
    window, frame = (canvas.edge((pane - wide) * cols * 0.3) for wide in (0.0, 0.25))
    stone = canvas.color(canvas.one_of("earth", "gray", "warm", "any"), (0.35, 0.9))
    front = canvas.surface(stone, 0.1) * (1 - 0.35 * frame)
    return front + window * (canvas.surface(canvas.color("sky", (0.15, 0.7)), 0.5) - front)


def flower(canvas: Canvas) -> None:
    """Petals close by, sharp, before blurred leaves."""
    leaves(canvas)
    between = canvas.between
    green = canvas.surface(canvas.color("foliage", (0.25, 0.6)), 0.4)
    canvas.image = blur(0.4 * canvas.image + 0.6 * green, canvas.size_px * between(0.02, 0.05))
    for _ in range(int(between(1, 4))):
        y, x, radius, count = between(0.2, 0.8), between(0.2, 0.8), between(0.1, 0.25), int(between(5, 15))
        color = canvas.color(canvas.one_of("warm", "any"), (0.5, 0.9))
        for petal in range(2 * count):  # an outer ring, then an inner one
            turn = petal * 2 * math.pi / count + 0.2 * between(-1, 1)
            out = radius * (0.75 if petal < count else 0.5)
            shape = Shape(
                "leaf",
                y + out * math.sin(turn),
                x + out * math.cos(turn),
                1.6 * radius / math.sqrt(count),
                0.6 * radius,
                turn,
            )
            canvas.put(shape, color * between(0.8, 1.15), round_=0.5, rough=0.1)
        heart = Shape("disc", y, x, 0.3 * radius, 0.3 * radius)
        canvas.put(heart, canvas.color("earth", (0.3, 0.8)), rough=0.6)


def poster(canvas: Canvas) -> None:
    """Flat shapes with hard edges and rows of small marks, as on signs and prints, before flat color.

    Nothing else here is as flat, so halos and holes in color show here first.
    """
    between, one_of = canvas.between, canvas.one_of
    ground, ink = canvas.color("any", one_of((0.2, 0.4), (0.7, 0.95))), canvas.color("gray", (0.1, 0.9))
    canvas.image = canvas.gradient(ground, ground * between(0.7, 1.2), between(0, 6.3))
    for _ in range(int(between(1, 5))):
        kind = one_of("disc", "disc", "polygon", "barrel", "blob")
        height = between(0.08, 0.35)
        shape = Shape(kind, between(0, 1), between(0, 1), height, height * between(0.5, 1.5), between(0, 6.3))
        canvas.cover(_flat(canvas, shape), canvas.color(one_of("any", "gray", "warm"), (0.1, 0.95)))
    size, top, left = between(0.01, 0.03), between(0.1, 0.9), between(0, 0.5)
    for _ in range(int(between(0, 20))):  # marks as large as letters
        left += between(2.2, 3.5) * size
        canvas.cover(_flat(canvas, Shape("barrel", top, left, size, size / 3, between(-0.6, 0.6))), ink)


def _flat(canvas: Canvas, shape: Shape) -> Tensor:
    outline = shape.outline(canvas.generator)(*shape.place(canvas.y, canvas.x))
    return canvas.edge(outline * min(shape.height, shape.width))


def _camera(canvas: Canvas) -> Tensor:
    """Effects of lens and film: uneven light, a color cast, contrast, a little blur and grain."""
    between = canvas.between
    cast = 1 + 0.06 * torch.randn(1, 3, 1, 1, generator=canvas.generator)
    center = (canvas.y - 0.5) ** 2 + (canvas.x - 0.5) ** 2
    image = (canvas.image * cast * (1 + 0.08 * canvas.noise(2.5) - between(0, 0.5) * center)).clamp(0, 1.5)
    gray = luma(image)
    gain = (between(0.17, 0.29) / gray.std().clamp_min(0.03)).clamp(0.6, 1.8)
    colors = between(0.4, 1.0) * (image - gray) * gain.clamp_max(1.2)
    image = between(0.32, 0.56) + gain * (gray - gray.mean()) + colors
    image = 1 - F.softplus(1 - F.softplus(image, beta=20), beta=20)  # shadows and lights run out, as on film
    grain = canvas.noise(0.2, largest=4 / canvas.size_px)
    return (blur(image, between(0.2, 0.6)) + 0.02 * between(0, 1) ** 3 * grain).clamp(0, 1)


SCENES = (landscape, portrait, leaves, room, street, flower, poster)
