"""A repaired picture as a source: any part of it is repaired exactly as in the whole."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ...image.padding import crop_back, pad_to_multiple
from ...painting.boxes import Box, tiles
from ...painting.sources import TILE_PX, Source
from .restorer import STRIDE, UNSHUFFLE, VISIBLE_PX, Repair, Restorer, RestorerConfig, detail
from .tone_correction import POWERS, TONES_PX, worn_share

SQUARE_PX = 256  # side of the squares in which wear is measured, at most four of them


def restorer_reach_px(config: RestorerConfig) -> int:
    """The largest distance, in pixels, at which a pixel affects the repair with fixed tones.

    Every 3x3 convolution adds one position at its resolution: two per block, and the first and the last. The
    size of the deepest position and the window of the visibility check are added.
    """
    down_and_up = 4 * config.blocks * (UNSHUFFLE + 2 * UNSHUFFLE + 4 * UNSHUFFLE)
    return 2 * UNSHUFFLE + down_and_up + 2 * config.blocks * STRIDE + STRIDE - 1 + VISIBLE_PX // 2


class Repaired:
    """A source (3 channels) repaired by a restorer at a strength from 0 to 1, after one pass over it."""

    def __init__(
        self,
        restorer: Restorer,
        source: Source,
        strength: float = 1.0,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.restorer, self.source, self.strength, self.dtype = restorer, source, strength, dtype
        self.height, self.width = source.height, source.width
        self.reach_px = restorer_reach_px(restorer.config)
        device = next(restorer.parameters()).device
        self.tones = torch.zeros(1, 3, 1 + 3 * POWERS, device=device)  # none yet: wear excludes fading
        self.tones = tones_of(restorer, source, worn_share(self._wear()))

    def read(self, box: Box) -> Tensor:
        """The repair of a box, (1, 3, h, w)."""
        window = box.grown(self.reach_px).aligned(STRIDE).clipped(self.height, self.width)
        part = self.source.read(window)
        found = self.repair(part).image.clamp(0, 1).to(part)
        return box.seen_from(window).of(part.lerp(found, self.strength))

    def _wear(self) -> float:
        """The root mean square by which repair changes the detail of some squares of the picture."""
        powers = []
        for top, bottom in _spans(self.height):
            for left, right in _spans(self.width):
                part = self.source.read(Box(top, left, bottom, right))
                change = self.repair(part).image.to(part) - part
                powers.append(detail(change).square().mean())
        return torch.stack(powers).mean().sqrt().item()

    @torch.inference_mode()
    def repair(self, part: Tensor) -> Repair:
        """The restorer's output for a part (1, 3, h, w) of the picture."""
        padded, size = pad_to_multiple(part, STRIDE)
        device = self.tones.device
        x, mask = padded.to(device), padded.new_zeros(1, 1, *padded.shape[2:]).to(device)
        with torch.autocast(device.type, self.dtype, enabled=self.dtype != torch.float32):
            found = self.restorer(x, mask, self.tones)
        return Repair(*(crop_back(value, size) for value in found))


class MarkMap(Repaired):
    """A source (1 channel) in [0, 1]: the probability of marks and holes in another source."""

    def read(self, box: Box) -> Tensor:
        """The probabilities in a box, (1, 1, h, w)."""
        window = box.grown(self.reach_px).aligned(STRIDE).clipped(self.height, self.width)
        part = self.source.read(window)
        return box.seen_from(window).of(self.repair(part).marks.sigmoid().to(part))


def _spans(side: int) -> list[tuple[int, int]]:
    """Start and end of one span within a side, or of two in its halves."""
    if side < 2 * SQUARE_PX:
        size = min(side, SQUARE_PX)
        return [((side - size) // 2, (side + size) // 2)]
    return [((side - SQUARE_PX) * part // 4, (side - SQUARE_PX) * part // 4 + SQUARE_PX) for part in (1, 3)]


@torch.inference_mode()
def tones_of(restorer: Restorer, source: Source, wear: float = 0.0) -> Tensor:
    """The color map (1, 3, N) that undoes the fading of a whole source, read tile by tile.

    `wear` from 0 to 1 is how far the picture counts as worn.
    """
    shrink = max(1, round(min(source.height, source.width) / TONES_PX))
    height, width = source.height // shrink, source.width // shrink
    small = torch.zeros(1, 4, height, width)  # the fourth channel is the mask: nothing is lost
    for box in tiles(height, width, max(1, TILE_PX // shrink)):
        box.of(small)[:, :3] = F.avg_pool2d(source.read(Box(*(shrink * side for side in box))), shrink)
    device = next(restorer.parameters()).device
    return restorer.tone_reader(small.to(device), wear)
