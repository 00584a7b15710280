"""Pictures held in memory at several sizes, and random crops of them: the data side of base training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from .images import open_image, resize_short_side

SHORT_SIDES_PX = (640, 448, 320, 224)


class Crops:
    """Random square crops from a set of pictures, each kept as uint8 at several sizes.

    Choosing among stored sizes replaces resizing every crop: the strokes' scale still varies, for no time.
    """

    def __init__(self, pictures: Iterable[Tensor], short_sides_px: Sequence[int] = SHORT_SIDES_PX) -> None:
        self.pyramids = [_pyramid(picture, short_sides_px) for picture in pictures]
        if not self.pyramids:
            raise ValueError("got no pictures to crop from: give at least one")

    @classmethod
    def from_files(cls, paths: Sequence[Path], short_sides_px: Sequence[int] = SHORT_SIDES_PX) -> Crops:
        """Open every file once. Raises ValueError for a file that is not a picture."""
        return cls((open_image(path) for path in paths), short_sides_px)

    def __len__(self) -> int:
        return len(self.pyramids)

    def draw(self, count: int, size_px: int, rng: torch.Generator, flip: bool = True) -> Tensor:
        """(count, 3, size_px, size_px) float32 crops of pictures drawn with replacement."""
        return torch.stack([self._crop(size_px, rng, flip) for _ in range(count)])

    def _crop(self, size_px: int, rng: torch.Generator, flip: bool) -> Tensor:
        pyramid = self.pyramids[_randint(len(self.pyramids), rng)]
        fitting = [level for level in pyramid if min(level.shape[1:]) >= size_px] or pyramid[:1]
        level = fitting[_randint(len(fitting), rng)]
        height, width = level.shape[1:]
        if min(height, width) < size_px:
            raise ValueError(f"a picture of {width}x{height} px is too small for crops of {size_px} px")
        top, left = _randint(height - size_px + 1, rng), _randint(width - size_px + 1, rng)
        crop = level[:, top : top + size_px, left : left + size_px].float() / 255
        return crop.flip(2) if flip and _randint(2, rng) else crop


def _pyramid(picture: Tensor, short_sides_px: Sequence[int]) -> list[Tensor]:
    own_px = min(picture.shape[2:])
    sides_px = [side for side in short_sides_px if side <= own_px] or [own_px]
    return [
        (resize_short_side(picture, side)[0].clamp(0, 1) * 255).round().to(torch.uint8) for side in sides_px
    ]


def _randint(stop: int, rng: torch.Generator) -> int:
    return int(torch.randint(stop, (1,), generator=rng))
