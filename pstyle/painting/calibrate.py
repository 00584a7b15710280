"""Measures a style's strength calibration: the amounts that bring a painting a given part of the way.

Mixed in linearly, a strong style is nearly reached at a third of its amount, a mild one at three quarters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor

from ..image.resizing import resize_short_side
from ..losses.perceptual import Perceptual
from ..losses.style_content import style_distance
from ..nets.generator import LEVELS, Generator
from ..nets.moments import Moments, moments_by_layer
from ..nets.vgg import VGG
from ..style.strength_calibration import Calibration
from ..style.style import Style
from .native import NativePainter

AMOUNTS = (0.0, 0.15, 0.3, 0.45, 0.6, 0.8, 1.0)
LAYERS = ("relu1_1", "relu2_1", "relu3_1")  # as in the benchmark's style distance
CONTENTS = 4
SIZE_PX = 192


@torch.inference_mode()
def calibrated(
    style: Style,
    generator: Generator,
    vgg: VGG,
    perceptual: Perceptual,
    target: Mapping[str, Moments],
    contents: Sequence[Tensor],
) -> Style:
    """The style with its calibration, measured on the first few contents (1, 3, H, W).

    Strength 0.5 halves the picture's style distance if the full style brings it below about a third; for a
    weaker style it goes half of that style's way.
    """
    device = next(generator.parameters()).device
    painter = NativePainter(style, generator, vgg, device)
    pictures = [
        resize_short_side(picture, min(SIZE_PX, *picture.shape[2:])).clamp(0, 1)
        for picture in contents[:CONTENTS]
    ]
    wanted = {name: target[name] for name in LAYERS if name in target}

    def distance(picture: Tensor, amount: float) -> float:
        painted = painter.paint(picture, (amount,) * LEVELS).to(device)
        return style_distance(moments_by_layer(perceptual.features(painted)), wanted, gram_weight=1.0).item()

    # Amounts in the outer loop, since each takes a new styled generator.
    found = torch.tensor([[distance(picture, amount) for picture in pictures] for amount in AMOUNTS])
    # Relative to each content's own distance; otherwise the one farthest from the style would decide alone.
    shares = (found / found[:1].clamp_min(1e-8)).mean(1)
    return replace(style, calibration=calibration_for(shares.tolist()))


def calibration_for(distances: Sequence[float]) -> Calibration:
    """The calibration for style distances measured at AMOUNTS.

    A style that does not come closer as the amount grows stays uncalibrated.
    """
    start, end = distances[0], distances[-1]
    if not end < start:
        return Calibration()
    rest = end / start
    half = max(0.5, 0.3 + 0.7 * rest)
    knots = (1.0, half, rest)
    wanted = ((knots[0] + knots[1]) / 2, half, (knots[1] + knots[2]) / 2)
    lowest = 1.0
    falling = []
    for distance in distances:  # made monotonic, so that each distance has one amount
        lowest = min(lowest, distance / start)
        falling.append(lowest)
    return Calibration(*(amount_at(share, falling) for share in wanted))


def amount_at(share: float, falling: Sequence[float]) -> float:
    """The amount at which the distance, relative to the first and measured at AMOUNTS, falls to `share`."""
    for (low, high), (before, after) in zip(pairwise(AMOUNTS), pairwise(falling), strict=True):
        if after <= share:
            return low + (high - low) * (before - share) / (before - after) if before > after else low
    return AMOUNTS[-1]
