"""Video: frames painted one after the other, so that the paint stays on what it was put on.

What flickers in frames painted one by one, and what is done here: the statistics that normalize the features
jump with what comes into view, so they are smoothed over time; the grid of the strides and the noise stand on
the screen like a shower door, so both go with the motion of the camera; fine strokes are decided anew for
every frame, so the last painting, carried along by the optical flow, is mixed with the new one where the flow
can be relied on (after Ruder et al., arXiv 1604.08610, and Lai et al., arXiv 1808.00449). We differ from
these: nothing is trained, and what averaging takes off the finest strokes is given back.

All this happens at the size that a frame is painted at. A frame larger than the reference size is reduced to
it, and its painting enlarged with the frame's fine structure, which moves as the frame does. The first frame
of a shot is then, to the bit, the painting of a picture; of a smaller one it is that to 1e-4.
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

UNLIKE = 50.0  # weight of a squared difference in color: at 0.12 half of the carried painting is left
FINEST_PX = 0.8  # deviation of the blur beyond which lies what averaging takes off
AROUND_PX = 2.0  # deviation of the surroundings in which strokes are compared
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
    """What a frame needs of the one before: picture and painting (1, 3, H, W), the statistics so far, and how
    far the camera has moved since the shot began, (2,) in pixels.
    """

    picture: Tensor
    painted: Tensor
    whole: GlobalStatistics
    place: Tensor


@dataclass(frozen=True)
class Motion:
    """How a frame follows from the one before: offsets back to it (1, 2, H, W), and how far each pixel can
    be relied on to be the same thing, (1, 1, H, W) in [0, 1].
    """

    flow: Tensor
    trust: Tensor


class VideoPainter:
    """Paints the frames of a video, in their order, with a painter.

    `shot` is all that a frame takes from those before it: kept, and set again, it lets a video go on.
    """

    def __init__(
        self,
        painter: NativePainter,
        settings: PaintSettings | None = None,
        config: VideoConfig | None = None,
        size: SizeConfig | None = None,
    ) -> None:
        """Of `size` the reference size counts; frames are never painted in tiles."""
        self.painter = painter
        self.settings = settings or PaintSettings()
        self.config = config or VideoConfig()
        self.size = size or SizeConfig()
        self.amounts = painter.amounts(self.settings)
        self.shot: Shot | None = None

    def __call__(self, frame: Tensor, mask: Tensor | None = None) -> Tensor:
        """The next frame (1, C, H, W) painted, with 3 channels, or 4 with the frame's alpha.

        Where `mask` (1, 1, H, W) is 0 the frame stays. A frame painted at another size begins a new shot.
        Raises ValueError for a picture or a mask out of range, or too large for the memory.
        """
        checked = check_image(frame, "frame")
        where = None if mask is None else check_image(mask, "mask")
        return self.paint_checked(checked, where).to(frame.device)

    @torch.inference_mode()
    def paint_checked(self, frame: Tensor, mask: Tensor | None = None) -> Tensor:
        """The same of a frame and a mask that have passed `check_image`; the result is on the CPU."""
        return paint_each(frame, mask, lambda rgb, where: masked(self._sized(rgb), rgb, where))

    def _sized(self, frame: Tensor) -> Tensor:
        """A frame (1, 3, H, W) painted at the reference size, or its own if that is not larger."""
        small = reference_size(*frame.shape[2:], self.size.look_size_px)
        if small is None:
            return self._finished(frame)
        photo = at_reference(InMemory(frame), small)
        return loaded(Enlarged(self._finished(photo, is_reduced=True), photo, InMemory(frame)))

    def _finished(self, frame: Tensor, is_reduced: bool = False) -> Tensor:
        """A frame (1, 3, H, W) painted at its own size, with everything that the settings ask for."""
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
            # Measured, the statistics are the picture's own, up to rounding. Small videos take them, so that
            # their bytes are those of earlier releases.
            given = None if is_reduced else whole
            painted = self.painter.paint(picture, self.amounts, given)
            return Shot(picture, painted, whole, picture.new_zeros(2))
        whole = mixed(last.whole, whole, self.config.smoothing)
        place = last.place + motion.flow.flatten(2).median(2).values[0]  # what most of the picture does
        painted = self._painted(picture, whole, place)
        carried = moved(last.painted, motion.flow)
        painted = blended(painted, carried, self.config.blend * motion.trust)
        return Shot(picture, painted, whole, place)

    def _painted(self, picture: Tensor, whole: GlobalStatistics, place: Tensor) -> Tensor:
        """The picture painted on a canvas that goes with the camera: a pixel of the scene keeps its place
        in the grid of the strides and its noise.
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
    """Frames (1, C, H, W), one after the other, painted as a `VideoPainter` does; two are held at a time."""
    video = VideoPainter(painter, settings, config, size)
    for frame in frames:
        yield video(frame)


def motion_between(before: Tensor, picture: Tensor) -> Motion:
    """How a picture follows from the one before it, both (1, 3, H, W)."""
    flow = flow_between(picture, before)
    unlike = (moved(before, flow) - picture).square().mean(1, keepdim=True)
    same = torch.exp(-UNLIKE * smooth(unlike, 1.0))
    return Motion(flow, same * agreement(flow, flow_between(before, picture)))


def blended(fresh: Tensor, carried: Tensor, share: Tensor) -> Tensor:
    """A painting mixed with the one before as it is carried here, (1, 3, H, W), by shares (1, 1, H, W).

    Two paintings of one thing never quite agree in their finest strokes, and their mean is duller than both;
    what is finest in it gets the energy back that it has in the fresh one.
    """
    mean = fresh.lerp(carried, share)
    fine, wanted = mean - smooth(mean, FINEST_PX), fresh - smooth(fresh, FINEST_PX)
    there, due = (smooth(x.square().mean(1, keepdim=True), AROUND_PX) + SILENT for x in (fine, wanted))
    gain = (due / there).sqrt().clamp(1 / MOST_GAIN, MOST_GAIN)
    return (mean + (gain - 1) * fine).clamp(0, 1)


def mixed(before: GlobalStatistics, now: GlobalStatistics, share: float) -> GlobalStatistics:
    """Statistics of which those before make up a share.

    Mean and second moment mix, as if so much of the pictures before were seen together with this one.
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
