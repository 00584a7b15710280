"""Optical flow: the position of each pixel of one frame in another, and its reliability.

Lucas & Kanade 1981, coarse to fine (Bouguet 2001), in dense form. We differ in averaging the flow after each
step over a pixel's surroundings, weighted by how well their texture determines a motion, so that flat areas
follow their surroundings.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..image.blur import gaussian_blur
from ..image.colors import luma
from ..image.padding import pad

MAX_PIXELS = 1 << 19  # of the finest level, a quarter of 1920x1080; larger frames are reduced
COARSEST_PX = 24  # smallest short side of the coarsest level
STEPS = 2  # at each level
WINDOW_PX, SURROUNDINGS_PX = 2.0, 4.0  # deviations of the window of one motion, and of the averaging
GRAIN_PX = 0.7  # deviation of the blur against noise and aliasing
NO_TEXTURE = 1e-4  # squared slope of brightness below which steps are damped
LEAST = 1e-6  # weight of a flat pixel among its surroundings
DISAGREEMENT_PX = 0.5  # error of the flow there and back at which a pixel's reliability is half


def flow_between(first: Tensor, second: Tensor) -> Tensor:
    """The flow from one picture to another, both (B, 3, H, W): offsets (B, 2, H, W) in x and y, in pixels.

    `second` at a pixel's position plus its offset shows the same as `first` at the position.
    """
    levels = list(zip(_levels(first), _levels(second), strict=True))
    flow = first.new_zeros(len(first), 2, 1, 1)
    for near, far in reversed(levels):
        flow = resized(flow, near.shape[2:])
        for _ in range(STEPS):
            flow = _improved(flow, near, far)
    return resized(flow, first.shape[2:])


def moved(image: Tensor, flow: Tensor, mode: str = "bicubic") -> Tensor:
    """Warp a picture (B, C, H, W) by offsets (B, 2, H, W), replicating its border."""
    place = _places(flow) + flow
    height, width = flow.shape[2:]
    scale = flow.new_tensor([2 / width, 2 / height]).view(1, 2, 1, 1)
    grid = (scale * (place + 0.5) - 1).permute(0, 2, 3, 1)  # (B, H, W, 2) from -1 to 1
    return F.grid_sample(image, grid, mode=mode, padding_mode="border", align_corners=False)


def agreement(flow: Tensor, back: Tensor) -> Tensor:
    """The reliability of a flow, (B, 1, H, W) in [0, 1], from the flow in the opposite direction.

    Pixels hidden in the other picture do not return to their place. It is 0 where the flow leaves it.
    """
    far = (flow + moved(back, flow, "bilinear")).square().sum(1, keepdim=True)
    return torch.exp2(-far / DISAGREEMENT_PX**2) * within(flow)


def within(flow: Tensor) -> Tensor:
    """Which pixels (B, 1, H, W) stay inside the picture under a flow."""
    height, width = flow.shape[2:]
    x, y = (_places(flow) + flow).split(1, dim=1)
    return (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)


def resized(flow: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize a flow to another height and width."""
    if flow.shape[2:] == size:
        return flow
    scale = flow.new_tensor([size[1] / flow.shape[3], size[0] / flow.shape[2]]).view(1, 2, 1, 1)
    return F.interpolate(flow, size, mode="bilinear", align_corners=False) * scale


def smooth(x: Tensor, sigma_px: float) -> Tensor:
    """Blur (B, C, H, W) by a Gaussian of this deviation, replicating the border."""
    return gaussian_blur(x, x.new_full((1, 1, 1, 1), sigma_px), round(2.5 * sigma_px))


def _levels(image: Tensor) -> list[Tensor]:
    """Pyramid of a picture's brightness (B, 1, h, w), each level half as large, the finest first."""
    bright = luma(image)
    while bright.shape[2] * bright.shape[3] > MAX_PIXELS:
        bright = _halved(bright)
    levels = [smooth(bright, GRAIN_PX)]
    while min(levels[-1].shape[2:]) >= 2 * COARSEST_PX:
        levels.append(_halved(levels[-1]))
    return levels


def _halved(x: Tensor) -> Tensor:
    return F.interpolate(smooth(x, 1.0), (x.shape[2] // 2, x.shape[3] // 2), mode="bilinear")


def _improved(flow: Tensor, near: Tensor, far: Tensor) -> Tensor:
    """A least-squares step: the motion within a window that best explains the remaining difference."""
    found = moved(far, flow)
    across, down = _slopes((near + found) / 2)
    over = found - near
    products = [across * across, across * down, down * down, across * over, down * over]
    xx, xy, yy, x, y = smooth(torch.cat(products, dim=1), WINDOW_PX).split(1, dim=1)
    # Close to the smaller eigenvalue of [[xx, xy], [xy, yy]]: along a straight edge, motion is invisible.
    known = (xx * yy - xy * xy).clamp_min(0) / (xx + yy + LEAST) + LEAST
    xx, yy = xx + NO_TEXTURE, yy + NO_TEXTURE
    step = torch.cat([xy * y - yy * x, xy * x - xx * y], dim=1) / (xx * yy - xy * xy)
    flow = flow + step.clamp(-1, 1)  # slopes are valid within a pixel
    sums = smooth(torch.cat([flow * known, known], dim=1), SURROUNDINGS_PX)
    return sums[:, :2] / sums[:, 2:]


def _slopes(x: Tensor) -> tuple[Tensor, Tensor]:
    """Differences per pixel in x and y."""
    around = pad(x, 1, "replicate")
    across = (around[..., 1:-1, 2:] - around[..., 1:-1, :-2]) / 2
    return across, (around[..., 2:, 1:-1] - around[..., :-2, 1:-1]) / 2


def _places(flow: Tensor) -> Tensor:
    """Column and row of each pixel, (1, 2, H, W)."""
    rows, columns = (torch.arange(side).to(flow) for side in flow.shape[2:])
    return torch.stack(torch.meshgrid(columns, rows, indexing="xy"))[None]
