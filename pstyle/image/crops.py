"""Random crops from pictures held in memory at several sizes: the training data of every loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from .checks import check_image, split_alpha
from .reading import open_image
from .resizing import resize_short_side

SHORT_SIDES_PX = (640, 448, 320, 224)


class Crops:
    """Random square crops from a set of pictures, each kept as uint8 at several sizes.

    Choosing among stored sizes varies the scale of strokes without the cost of resizing every crop.
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

    @property
    def smallest_px(self) -> int:
        """The short side of the smallest picture, at its smallest size."""
        return min(min(level.shape[1:]) for pyramid in self.pyramids for level in pyramid)

    def reduced(self, short_sides_px: Sequence[int]) -> Crops:
        """The same crops at additional, smaller sizes."""
        return Crops((pyramid[0][None].float() / 255 for pyramid in self.pyramids), short_sides_px)

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


def single_pictures(pictures: Sequence[Tensor], what: str, minimum_px: int) -> list[Tensor]:
    """Checked pictures, each (1, 3, H, W), from batches (B, C, H, W) of any sizes.

    Raises ValueError if there are none, or if one is too small.
    """
    checked = [split_alpha(check_image(batch, what))[0] for batch in pictures]
    singles = [picture[None] for batch in checked for picture in batch]
    if not singles:
        raise ValueError(f"got no {what}: give at least one")
    for number, picture in enumerate(singles, start=1):
        height, width = picture.shape[2:]
        if min(height, width) < minimum_px:
            raise ValueError(
                f"{what} {number} is {width}x{height} px, at least {minimum_px} px on each side are needed: "
                "use a larger one"
            )
    return singles


def random_crop(
    pictures: Sequence[Tensor], size_px: int, rng: torch.Generator, shares: Sequence[float] | None = None
) -> Tensor:
    """A random square (1, 3, size_px, size_px) of a random picture, mirrored half the time.

    Pictures are drawn uniformly, or in proportion to `shares`.
    """
    if shares is None:
        index = _randint(len(pictures), rng)
    else:
        index = int(torch.multinomial(torch.tensor(shares), 1, generator=rng))
    height, width = pictures[index].shape[2:]
    top, left = _randint(height - size_px + 1, rng), _randint(width - size_px + 1, rng)
    crop = pictures[index][:, :, top : top + size_px, left : left + size_px]
    return crop.flip(3) if _randint(2, rng) else crop


def random_crops(
    pictures: Sequence[Tensor],
    count: int,
    size_px: int,
    rng: torch.Generator,
    shares: Sequence[float] | None = None,
) -> Tensor:
    """A batch (count, 3, size_px, size_px) of random crops in channels_last layout."""
    crops = torch.cat([random_crop(pictures, size_px, rng, shares) for _ in range(count)])
    return crops.contiguous(memory_format=torch.channels_last)


def _pyramid(picture: Tensor, short_sides_px: Sequence[int]) -> list[Tensor]:
    own_px = min(picture.shape[2:])
    sides_px = [side for side in short_sides_px if side <= own_px] or [own_px]
    return [
        (resize_short_side(picture, side)[0].clamp(0, 1) * 255).round().to(torch.uint8) for side in sides_px
    ]


def _randint(stop: int, rng: torch.Generator) -> int:
    return int(torch.randint(stop, (1,), generator=rng))
