"""Flicker scores: how much a video changes along its own motion.

The warping error follows Lai et al., arXiv 1808.00449: each frame is compared with the next one warped back
by the optical flow, over pixels visible in both. The flow is computed on the original video.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..image.colors import luma
from .optical_flow import agreement, flow_between, moved

SEEN = 0.5  # agreement of the flows above which a pixel counts as visible in both frames


@dataclass(frozen=True)
class Flicker:
    """Warping errors of a painted video and of the original, and the sharpness of the painted one.

    Sharpness is the mean slope of brightness per pixel; a blurred video would not flicker either.
    """

    painted: float
    before: float
    sharpness: float

    @property
    def ratio(self) -> float:
        """The painted video's error relative to the original's."""
        return self.painted / max(self.before, 1e-12)


@torch.inference_mode()
def flicker(painted: Iterable[Tensor], before: Iterable[Tensor]) -> Flicker:
    """Score a painted video against the original; all frames (1, 3, H, W) have one size.

    Frames are consumed one by one. Raises ValueError for fewer than two frames or unequal counts.
    """
    errors, slopes, last = [], [], None
    for frame, picture in _pairs(painted, before):
        slopes.append(sharpness(frame))
        if last is not None:
            flow = flow_between(last[1], picture)
            seen = agreement(flow, flow_between(picture, last[1])) > SEEN
            pairs = ((last[0], frame), (last[1], picture))
            errors.append([warping_error(first, second, flow, seen) for first, second in pairs])
        last = frame, picture
    if not errors:
        raise ValueError("flicker is measured between frames: give at least two")
    of_painted, of_before = (sum(values) / len(values) for values in zip(*errors, strict=True))
    return Flicker(of_painted, of_before, sum(slopes) / len(slopes))


def warping_error(first: Tensor, second: Tensor, flow: Tensor, seen: Tensor) -> float:
    """Mean squared difference between a frame and the next one warped back, both (1, 3, H, W).

    `flow` (1, 2, H, W) leads from the first to the second; only `seen` pixels (1, 1, H, W) count.
    """
    change = (moved(second, flow, "bilinear") - first).square().mean(1, keepdim=True)
    return ((change * seen).sum() / seen.sum().clamp_min(1)).item()


def sharpness(frame: Tensor) -> float:
    """Mean slope of the brightness of a frame (1, 3, H, W) per pixel, for brightness in [0, 1]."""
    bright = luma(frame)
    across, down = bright.diff(dim=3)[:, :, :-1], bright.diff(dim=2)[..., :-1]
    return (across.square() + down.square()).sqrt().mean().item() if across.numel() else 0.0


def _pairs(painted: Iterable[Tensor], before: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    first, second = iter(painted), iter(before)
    while True:
        frame, picture = next(first, None), next(second, None)
        if frame is None and picture is None:
            return
        if frame is None or picture is None:
            raise ValueError("a painted video is compared with the original frame by frame: give as many")
        if frame.shape != picture.shape:
            sizes = " and ".join(f"{one.shape[3]}x{one.shape[2]}" for one in (frame, picture))
            raise ValueError(f"frames are compared at one size, got {sizes} px")
        yield frame, picture
