"""Painting video frames in order without flicker, so that paint sticks to the objects.

Frames painted independently flicker for three reasons. Normalization statistics jump when objects come into
view, so they are smoothed over time. The stride grid and the noise stay fixed on the screen like a shower
door, so both move with the camera. Fine strokes are decided anew in every frame, so the previous painting,
warped by the optical flow, is mixed in where the flow is reliable (after Ruder et al., arXiv 1604.08610, and
Lai et al., arXiv 1808.00449). We differ in that nothing is trained, and in restoring the contrast that
averaging takes from the finest strokes.

All this happens at the size that a frame is painted at. A frame larger than the reference size is reduced to
it, and its painting enlarged with the frame's fine detail, which moves with the frame. The first frame of a
shot then equals the painting of a picture bit for bit; for smaller frames, to 1e-4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.config import check_settings, setting
from ..core.memory import check_room
from ..image.checks import check_image
from ..image.resizing import resize_to
from ..nets.generator import STRIDE
from ..nets.layers import Statistics
from ..painting.enlarging import Enlarged
from ..painting.native import GlobalStatistics, NativePainter, finished, painted_size
from ..painting.paint import SizeConfig, at_reference, masked, paint_each, reference_size
from ..painting.sources import InMemory, loaded
from ..style.paint_settings import PaintSettings
from .optical_flow import agreement, flow_between, moved, smooth

UNLIKE = 50.0  # weight of a squared color difference: at 0.12 half of the warped painting is left
FINEST_PX = 0.8  # deviation of the blur that separates the finest strokes
AROUND_PX = 2.0  # deviation of the window in which strokes are compared
MOST_GAIN = 2.0
SILENT = 1e-5  # energy of strokes below which they are not compared


@dataclass(frozen=True)
class VideoConfig:
    """Settings of painting a video."""

    smoothing: float = setting(0.9, 0.0, 0.99, "share of earlier frames in each frame's statistics")
    blend: float = setting(
        0.9,
        0.0,
        0.98,
        "share of the previous painted frame, moved along with the motion, in the next one; 0 is none",
    )
    cut: float = setting(
        0.2,
        0.0,
        1.0,
        "a new shot begins where less than this share of a frame is visible in the one before; 0 is never",
    )

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class Shot:
    """The state after a frame, for the next one.

    Picture and painting (1, 3, H, W), the smoothed statistics, and the camera's motion since the start of the
    shot, (2,) in pixels.
    """

    picture: Tensor
    painted: Tensor
    whole: GlobalStatistics
    place: Tensor


@dataclass(frozen=True)
class Motion:
    """The motion from the previous frame: offsets back to it (1, 2, H, W), and each pixel's reliability
    (1, 1, H, W) in [0, 1].
    """

    flow: Tensor
    trust: Tensor


class VideoPainter:
    """Paints the frames of a video, in order, with a painter.

    `shot` is the complete state between frames: save and restore it to resume a video.
    """

    def __init__(
        self,
        painter: NativePainter,
        settings: PaintSettings | None = None,
        config: VideoConfig | None = None,
        size: SizeConfig | None = None,
    ) -> None:
        """Of `size`, only the reference size is used; frames are never painted in tiles."""
        self.painter = painter
        self.settings = settings or PaintSettings()
        self.config = config or VideoConfig()
        self.size = size or SizeConfig()
        self.amounts = painter.amounts(self.settings)
        self.shot: Shot | None = None

    def __call__(self, frame: Tensor, mask: Tensor | None = None) -> Tensor:
        """Paint the next frame (1, C, H, W); the result has 3 channels, or 4 with the frame's alpha.

        Where `mask` (1, 1, H, W) is 0 the frame stays unpainted. A frame painted at another size starts a new
        shot. Raises ValueError for a picture or a mask out of range, or if memory does not suffice.
        """
        checked = check_image(frame, "frame")
        where = None if mask is None else check_image(mask, "mask")
        return self.paint_checked(checked, where).to(frame.device)

    @torch.inference_mode()
    def paint_checked(self, frame: Tensor, mask: Tensor | None = None) -> Tensor:
        """Like `paint`, for a frame and a mask that have passed `check_image`; the result is on the CPU."""
        return paint_each(frame, mask, lambda rgb, where: masked(self._sized(rgb), rgb, where))

    def _sized(self, frame: Tensor) -> Tensor:
        """Paint a frame (1, 3, H, W) at the reference size, or at its own if that is not larger."""
        small = reference_size(*frame.shape[2:], self.size.look_size_px)
        if small is None:
            return self._finished(frame)
        photo = at_reference(InMemory(frame), small)
        return loaded(Enlarged(self._finished(photo, is_reduced=True), photo, InMemory(frame)))

    def _finished(self, frame: Tensor, is_reduced: bool = False) -> Tensor:
        """Paint a frame (1, 3, H, W) at its own size with all settings."""
        height, width = frame.shape[2:]
        size = painted_size(height, width, self.settings)
        check_room(max(height, size[0]), max(width, size[1]), self.painter.device)
        self.shot = self._next(resize_to(frame, *size).to(self.painter.device), is_reduced)
        painted = self.shot.painted.to(frame.device)
        return finished(resize_to(painted, height, width), frame, self.settings)

    def _next(self, picture: Tensor, is_reduced: bool) -> Shot:
        last, motion = self.shot, None
        if last is not None and last.picture.shape == picture.shape:
            motion = motion_between(last.picture, picture)
        whole = self.painter.measure(picture, self.amounts)
        if last is None or motion is None or motion.trust.mean() < self.config.cut:
            # Measured statistics equal the picture's own up to rounding. Small videos use them, so that their
            # bytes stay those of earlier releases.
            given = None if is_reduced else whole
            painted = self.painter.paint(picture, self.amounts, given)
            return Shot(picture, painted, whole, picture.new_zeros(2))
        whole = mixed(last.whole, whole, self.config.smoothing)
        place = last.place + motion.flow.flatten(2).median(2).values[0]  # the camera's motion
        painted = self._painted(picture, whole, place)
        carried = moved(last.painted, motion.flow)
        painted = blended(painted, carried, self.config.blend * motion.trust)
        return Shot(picture, painted, whole, place)

    def _painted(self, picture: Tensor, whole: GlobalStatistics, place: Tensor) -> Tensor:
        """Paint the picture on a canvas that moves with the camera.

        A pixel of the scene keeps its position in the stride grid, and its noise.
        """
        left, top = (int(side) for side in place.round())
        across, down = left % STRIDE, top % STRIDE
        mode = "reflect" if min(picture.shape[2:]) > STRIDE else "replicate"
        wider = F.pad(picture, (across, 0, down, 0), mode=mode)
        painted = self.painter.paint(wider, self.amounts, whole, origin=(top - down, left - across))
        return painted[..., down:, across:]


def paint_video(
    painter: NativePainter,
    frames: Iterable[Tensor],
    settings: PaintSettings | None = None,
    config: VideoConfig | None = None,
    size: SizeConfig | None = None,
) -> Iterator[Tensor]:
    """Paint frames (1, C, H, W) in order with a `VideoPainter`, holding two at a time."""
    video = VideoPainter(painter, settings, config, size)
    for frame in frames:
        yield video(frame)


def motion_between(before: Tensor, picture: Tensor) -> Motion:
    """The motion of a picture from the previous one, both (1, 3, H, W)."""
    flow = flow_between(picture, before)
    unlike = (moved(before, flow) - picture).square().mean(1, keepdim=True)
    same = torch.exp(-UNLIKE * smooth(unlike, 1.0))
    return Motion(flow, same * agreement(flow, flow_between(before, picture)))


def blended(fresh: Tensor, carried: Tensor, share: Tensor) -> Tensor:
    """Mix a painting with the warped previous one, both (1, 3, H, W), by shares (1, 1, H, W).

    Two paintings of one object never quite agree in their finest strokes, so their mean is duller than both;
    its finest detail is rescaled to the energy of the new painting.
    """
    mean = fresh.lerp(carried, share)
    fine, wanted = mean - smooth(mean, FINEST_PX), fresh - smooth(fresh, FINEST_PX)
    there, due = (smooth(x.square().mean(1, keepdim=True), AROUND_PX) + SILENT for x in (fine, wanted))
    gain = (due / there).sqrt().clamp(1 / MOST_GAIN, MOST_GAIN)
    return (mean + (gain - 1) * fine).clamp(0, 1)


def mixed(before: GlobalStatistics, now: GlobalStatistics, share: float) -> GlobalStatistics:
    """Smoothed statistics with a share of the previous ones.

    Mean and second moment are mixed, as if this share of the earlier pictures were seen together with this
    one.
    """
    own = None
    if before.own is not None and now.own is not None:
        own = {site: value.lerp(before.own[site], share) for site, value in now.own.items()}
    return replace(
        now,
        own=own,
        painted=_mixed_sites(before.painted, now.painted, share),
        rebuilt=_mixed_sites(before.rebuilt, now.rebuilt, share),
    )


def _mixed_sites(
    before: Mapping[str, Statistics], now: Mapping[str, Statistics], share: float
) -> dict[str, Statistics]:
    found = {}
    for site, (mean, variance) in now.items():
        between = share * (1 - share) * (before[site].mean - mean).square()
        within = variance.lerp(before[site].variance, share)
        found[site] = Statistics(mean.lerp(before[site].mean, share), within + between)
    return found
