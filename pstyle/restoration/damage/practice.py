"""Practice pictures: clean pictures to damage, in order to measure the effect on their statistics."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...image.crops import single_pictures
from ...image.resizing import resize_short_side
from ...samples import content_pictures
from .auxiliary_statistics import measure_tones

LEAST_PX = 128
# Tones of 32 varied photographs at the quantiles SHARES of `auxiliary_statistics`, equal in all colors. Drawn
# scenes have less black and blue, which would be taken for damage.
PHOTOGRAPHED = (0.02, 0.14, 0.25, 0.42, 0.60, 0.75, 0.98)


def practice_pictures(clean: Sequence[Tensor] | None, count: int, size_px: int, seed: int) -> list[Tensor]:
    """Pictures (1, 3, H, W): center crops of the given clean ones, or scenes with the tones of photographs.

    Raises ValueError for a given picture with a side below 128 px.
    """
    if not clean:
        return with_tones(content_pictures(count, size_px, seed), torch.tensor([PHOTOGRAPHED] * 3))
    return [
        middle(resize_short_side(picture, size_px), 2 * size_px)
        for picture in single_pictures(clean, "clean picture", LEAST_PX)
    ]


def middle(picture: Tensor, most_px: int) -> Tensor:
    """Center-crop a picture (1, 3, H, W) to sides of at most `most_px`."""
    top, left = ((side - min(side, most_px)) // 2 for side in picture.shape[2:])
    return picture[:, :, top : top + most_px, left : left + most_px]


def with_tones(pictures: Sequence[Tensor], tones: Tensor) -> list[Tensor]:
    """Apply one curve per color to pictures (1, 3, H, W), so that their joint tones become (3, K)."""
    ends = torch.tensor([[0.0, 1.0]] * 3)
    own, wanted = (
        torch.cat([ends[:, :1], values, ends[:, 1:]], dim=1) for values in (measure_tones(pictures), tones)
    )
    steps = own.diff().clamp_min(1e-6)
    return [_bent(picture, own, wanted.diff() / steps, wanted) for picture in pictures]


def _bent(picture: Tensor, own: Tensor, slope: Tensor, wanted: Tensor) -> Tensor:
    """Map the colors of a picture (1, 3, H, W) piecewise linearly from `own` to `wanted` tones (3, K)."""
    values = picture[0].flatten(1).contiguous()  # (3, H W)
    piece = (torch.searchsorted(own, values) - 1).clamp(0, slope.shape[1] - 1)
    start, rise, at = (table.gather(1, piece) for table in (own, slope, wanted))
    return (at + rise * (values - start)).clamp(0, 1).view_as(picture)
