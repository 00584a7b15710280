"""A painting as a source: any part of it is painted exactly as in the whole, with any settings."""

from __future__ import annotations

from torch import Tensor

from ..image.detail import REACH_PX as DETAIL_REACH_PX
from ..image.multiband import joined, octaves_of, reach_px
from ..nets.generator import STRIDE
from ..style.paint_settings import PaintSettings
from .boxes import Box
from .global_statistics import global_statistics_of
from .native import Amounts, GlobalStatistics, NativePainter, finished, painted_size
from .receptive_field import generator_reach_px
from .resampling import resized
from .sources import TILE_PX, Source


def painting(
    painter: NativePainter, source: Source, settings: PaintSettings, side_px: int = TILE_PX
) -> Source:
    """A source (3 channels) painted in tiles, after several passes over the source for its statistics."""
    small = resized(source, *painted_size(source.height, source.width, settings))
    amounts = painter.amounts(settings)
    painted = Painted(painter, small, amounts, global_statistics_of(painter, small, amounts, side_px))
    return Finished(resized(painted, source.height, source.width), source, settings)


class Painted:
    """A source painted with the statistics of the whole."""

    def __init__(
        self, painter: NativePainter, source: Source, amounts: Amounts, whole: GlobalStatistics
    ) -> None:
        self.painter, self.source, self.amounts, self.whole = painter, source, amounts, whole
        self.height, self.width = source.height, source.width
        self.reach_px = generator_reach_px(painter.generator.config)

    def read(self, box: Box) -> Tensor:
        """The painting of a box, computed with its receptive field at multiples of the stride."""
        window = box.grown(self.reach_px).aligned(STRIDE).clipped(self.height, self.width)
        part, origin = self.source.read(window), (window.top, window.left)
        painted = self.painter.paint(part, self.amounts, self.whole, origin=origin)
        return box.seen_from(window).of(painted)


class Finished:
    """A painting with the picture's color, light and detail kept as set."""

    def __init__(self, painted: Source, picture: Source, settings: PaintSettings) -> None:
        self.painted, self.picture, self.settings = painted, picture, settings
        self.height, self.width = picture.height, picture.width
        self.reach_px = DETAIL_REACH_PX if settings.detail else 0

    def read(self, box: Box) -> Tensor:
        """The pixels of a box."""
        window = box.grown(self.reach_px).clipped(self.height, self.width)
        found = finished(self.painted.read(window), self.picture.read(window), self.settings)
        return box.seen_from(window).of(found)


class Masked:
    """A painting where a mask (1 channel) is 1, the picture where it is 0."""

    def __init__(self, painted: Source, picture: Source, mask: Source) -> None:
        self.painted, self.picture, self.mask = painted, picture, mask
        self.height, self.width = picture.height, picture.width

    def read(self, box: Box) -> Tensor:
        """The pixels of a box."""
        return self.picture.read(box).lerp(self.painted.read(box), self.mask.read(box))


class Joined:
    """One painting where a mask (1 channel) is 1 and another where it is 0, blended without a seam."""

    def __init__(self, inside: Source, outside: Source, mask: Source) -> None:
        self.inside, self.outside, self.mask = inside, outside, mask
        self.height, self.width = inside.height, inside.width
        self.octaves = octaves_of(self.height, self.width)

    def read(self, box: Box) -> Tensor:
        """The pixels of a box."""
        around = box.grown(reach_px(self.octaves)).aligned(2**self.octaves)
        window = around.clipped(self.height, self.width)
        parts = (source.read(window) for source in (self.inside, self.outside, self.mask))
        found = joined(*parts, self.octaves)
        return box.seen_from(window).of(found)
