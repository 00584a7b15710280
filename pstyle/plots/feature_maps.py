"""Features as pictures: heat maps of their strength, and Gram matrices."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from .axis import Axis
from .canvas import Canvas, to_image
from .chart import INK, LABEL_PX, QUIET, TICK_PX, TITLE_PX, draw_axes
from .fonts import shortened

# The color map "magma" (Smith & van der Walt, CC0) at 17 even places from dark to bright.
MAGMA = (
    "000004 0a0822 1d1147 36106b 51127c 6a1c81 832681 9c2e7f b73779 "
    "cf4070 e55064 f4695c fb8761 fea571 fec287 fde0a1 fcfdbf"
)


def heat_map(features: Tensor, height: int | None = None, width: int | None = None) -> Tensor:
    """Heat maps (B, 3, H, W) of features (B, C, H, W): root mean square over channels, dark to bright.

    Each picture is scaled to its own maximum, and enlarged to height x width if both are given.
    Raises ValueError for a tensor of another shape.
    """
    if features.ndim != 4 or 0 in features.shape:
        raise ValueError(f"a heat map needs features (B, C, H, W); got {tuple(features.shape)}")
    strength = features.float().square().mean(1, keepdim=True).sqrt()
    if height and width:
        strength = F.interpolate(strength, size=(height, width), mode="bilinear")
    shares = strength / strength.amax((2, 3), keepdim=True).clamp_min(1e-12)
    return colored(shares[:, 0])


def gram_picture(gram: Tensor, size_px: int = 640, title: str = "Gram matrix") -> Tensor:
    """A Gram matrix (C, C) or (1, C, C) with axes and a color bar: which feature maps are strong together.

    Entries are cosines, G_ij / sqrt(G_ii G_jj), since raw ones span many orders of magnitude; the strongest
    map comes first. Raises ValueError for a tensor of another shape or a picture under 200 px.
    """
    matrix = gram.detach().float().cpu()
    matrix = matrix[0] if matrix.ndim == 3 and matrix.shape[0] == 1 else matrix
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.numel() == 0:
        raise ValueError(f"a Gram matrix is (C, C) or (1, C, C); got {tuple(gram.shape)}")
    order = matrix.diagonal().argsort(descending=True)
    lengths = matrix.diagonal().clamp_min(1e-12).sqrt()
    cosines = (matrix / lengths[:, None] / lengths[None])[order][:, order]
    low = min(0.0, cosines.min().item())
    canvas = Canvas(size_px, size_px)
    left, top = 70, TITLE_PX + 28
    side = min(size_px - left - 90, size_px - top - 58)
    top += (size_px - top - 58 - side) // 2
    maps = Axis(0, len(matrix), whole=True)
    shown = to_image(colored((cosines[None] - low) / (1 - low)))
    canvas.text(left, top - TITLE_PX - 12, shortened(title, TITLE_PX, size_px - left), TITLE_PX, INK)
    box = (left, top, left + side, top + side)
    draw_axes(canvas, box, maps, Axis(len(matrix), 0, whole=True), *2 * ["Feature map, strongest first"], 12)
    canvas.paste(shown.resize((side, side), Image.Resampling.NEAREST), left, top)
    bar = torch.linspace(1, 0, side)[None, :, None].expand(1, side, 16)
    canvas.paste(to_image(colored(bar)), left + side + 18, top)
    for value, label in (scale := Axis(low, 1.0)).ticks():
        y = top + side * (1 - scale.place(value))
        canvas.line([(left + side + 34, y), (left + side + 38, y)], QUIET)
        canvas.text(left + side + 42, y, label, TICK_PX, QUIET, "lm")
    canvas.text(left + side + 34, top - 10, "Cosine", LABEL_PX, INK, "ms")
    return canvas.picture()


def colored(values: Tensor) -> Tensor:
    """Values (B, H, W) in [0, 1] as colors from dark to bright, (B, 3, H, W)."""
    table = torch.tensor([list(bytes.fromhex(color)) for color in MAGMA.split()]) / 255  # (17, 3)
    places = values.detach().float().cpu().clamp(0, 1) * (len(table) - 1)
    below = places.long().clamp_max(len(table) - 2)
    share = (places - below)[..., None]
    return torch.lerp(table[below], table[below + 1], share).movedim(-1, 1).contiguous()
