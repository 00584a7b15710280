"""Face-like pictures: a height map of a face under the light of a canvas, with eyes, brows, lips and hair.

Coordinates (u, v) are 1 on the outline of the head, u to the right and v down.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .pixel_fields import blur, smoothstep
from .scene_canvas import DEPTH, Canvas

EYES = ((-0.4, -0.12), (0.4, -0.12))
CHEEKS = ((-0.5, 0.22), (0.5, 0.22))


def face(canvas: Canvas, u: Tensor, v: Tensor, skin: Tensor, lock: Tensor) -> Tensor:
    """A face (1, 3, size, size) of a skin color; `lock` is the color of the hair, for the brows."""
    cheeks = sum(_spot(u - x, v - y, 0.28, 0.23) for x, y in CHEEKS)
    lips = _spot(u, v - 0.5, 0.3, 0.07)
    blush = torch.tensor([0.06, -0.05, -0.04]).view(1, 3, 1, 1)
    picture = (skin + blush * (cheeks + 3 * lips)) * (1 - 0.25 * lips) * (1 + 0.02 * canvas.noise(0.7))
    picture = picture * (0.4 + 0.85 * _light(canvas, u, v, cheeks))
    picture = picture * (1 - 0.7 * _spot(u, v - 0.5, 0.3, 0.015))  # between the lips
    iris = canvas.color("any", (0.3, 0.6))
    for x, y in EYES:
        brow = smoothstep(0.35, 0.6, _spot(u - x, v - y + 0.18, 0.24, 0.05))
        picture = picture + 0.8 * brow * (0.7 * lock - picture)
        picture = _eye(picture, u - x, v - y, iris)
    return picture


def hair(canvas: Canvas, u: Tensor, v: Tensor, radius: float, lock: Tensor) -> tuple[Tensor, Tensor]:
    """Mask and layer of the hair over the forehead; `radius` is the head's, in shares of the picture."""
    strands = canvas.noise(1.0, largest=0.1, stretch=0.12)
    parting, height = canvas.between(-0.3, 0.3), canvas.between(0.45, 0.7)
    fringe = v + height - 0.35 * u * u - parting * u + 0.05 * strands
    skull = (u * u + (1.05 * v) ** 2).sqrt() - 1.08
    layer = lock * (0.9 + 0.3 * strands - 0.35 * v).clamp(0.2, 2)
    return canvas.edge(torch.maximum(fringe, skull) * radius, 2.0), layer


def _light(canvas: Canvas, u: Tensor, v: Tensor, cheeks: Tensor) -> Tensor:
    height = (1.15 - u * u - 0.8 * v * v).clamp_min(0.02).sqrt() + 0.05 * cheeks
    height = (
        height + 0.15 * _spot(u, v - 0.14, 0.15, 0.28) + 0.07 * _spot(u, v - 0.52, 0.3, 0.08)
    )  # nose, lips
    height = height - 0.1 * sum(_spot(u - x, v - y, 0.2, 0.1) for x, y in EYES)
    down, right = torch.gradient(blur(height[None, None], 1.0)[0, 0], spacing=float(u[0, 1] - u[0, 0]))
    facing = DEPTH + 0.1 - canvas.sun[0] * right - canvas.sun[1] * down
    return (facing / (1 + right**2 + down**2).sqrt()).clamp(0, 1.3)


def _eye(picture: Tensor, u: Tensor, v: Tensor, iris: Tensor) -> Tensor:
    opening = (u / 0.17) ** 2 + (v / 0.065) ** 2
    away = (u**2 + (1.3 * v) ** 2).sqrt()
    eye = 0.85 + smoothstep(0.085, 0.07, away) * (iris - 0.85) - 0.5 * smoothstep(0.045, 0.03, away)
    picture = picture + smoothstep(1.3, 0.9, opening) * (0.9 * eye.clamp(0.03, 1) - picture)
    lid = torch.exp(-((3 * (opening - 1.2)) ** 2)) * (v < 0.02)
    return picture * (1 - 0.6 * lid)


def _spot(u: Tensor, v: Tensor, wide: float, high: float) -> Tensor:
    return torch.exp(-((u / wide) ** 2 + (v / high) ** 2))
