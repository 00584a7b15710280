"""The split of style pictures and contents into training pictures and pictures held out for checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..image.crops import random_crops
from ..nets.generator import STRIDE

WHOLE_PICTURES = 20  # with fewer style pictures a part of each is held out: one or two alone say little
CHECK_CROPS = 8
SCORED = 8  # contents, and style pictures, that a check compares at most


@dataclass(frozen=True)
class TrainingSplit:
    """Pictures (1, 3, H, W) for training crops: real ones, drawn in proportion to shares, and contents."""

    reals: list[Tensor]
    shares: list[float]
    contents: list[Tensor]

    def draw(self, count: int, size_px: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Real crops and content crops, both (count, 3, size_px, size_px)."""
        return random_crops(self.reals, count, size_px, rng, self.shares), random_crops(
            self.contents, count, size_px, rng
        )


@dataclass(frozen=True)
class ValidationSplit:
    """Crops (B, 3, S, S) and whole pictures (1, 3, H, W), the same for every check."""

    known: Tensor  # of the real pictures trained on
    fresh: Tensor  # of those held out
    content: Tensor  # of contents held out
    contents: list[Tensor]
    styles: list[Tensor]


def hold_out(
    pictures: Sequence[Tensor],
    weights: Sequence[float],
    contents: Sequence[Tensor],
    crop_px: int,
    rng: torch.Generator,
) -> tuple[TrainingSplit, ValidationSplit]:
    """Split style pictures and contents, (1, 3, H, W) with sides of at least 2 * crop_px.

    Of twenty or more style pictures, a fifth is held out; of fewer, the middle quarter of each, or as much as
    a crop needs. Of two or more contents, a quarter is held out, evenly spaced, since similar ones often
    follow each other; a single one is used for both. Pictures of weight 0 are left out.
    """
    used = [index for index, weight in enumerate(weights) if weight > 0]
    reals, shares = [pictures[index] for index in used], [weights[index] for index in used]
    reals, shares, fresh = _divided(reals, shares, crop_px, rng)
    count = min(SCORED, -(-len(contents) // 4))
    unseen = spread(contents, count)
    kept = [content for content in contents if all(content is not other for other in unseen)]
    training = TrainingSplit(reals, shares, kept or list(contents))
    validation = ValidationSplit(
        known=random_crops(reals, CHECK_CROPS, crop_px, rng, shares),
        fresh=random_crops(fresh, CHECK_CROPS, crop_px, rng),
        content=random_crops(unseen, CHECK_CROPS, crop_px, rng),
        contents=[center_square(picture) for picture in unseen],
        styles=fresh[:SCORED],
    )
    return training, validation


def spread(pictures: Sequence[Tensor], count: int) -> list[Tensor]:
    """At most `count` of the pictures, evenly spaced from the first."""
    count = min(count, len(pictures))
    return [pictures[index * len(pictures) // count] for index in range(count)]


def center_square(image: Tensor) -> Tensor:
    """The largest square in the middle of (B, 3, H, W) whose side is a multiple of 8 px."""
    height, width = image.shape[2:]
    side = min(height, width) // STRIDE * STRIDE
    top, left = (height - side) // 2, (width - side) // 2
    return image[:, :, top : top + side, left : left + side].contiguous(memory_format=torch.channels_last)


def _divided(
    pictures: list[Tensor], shares: list[float], crop_px: int, rng: torch.Generator
) -> tuple[list[Tensor], list[float], list[Tensor]]:
    """Pictures to train on, their shares, and the held-out ones, the heaviest first."""
    favorites = sorted(range(len(pictures)), key=lambda index: -shares[index])
    if len(pictures) >= WHOLE_PICTURES:
        order = torch.randperm(len(pictures), generator=rng).tolist()
        fresh, kept = order[: len(order) // 5], order[len(order) // 5 :]
        held_out = [pictures[i] for i in favorites if i in fresh]
        return [pictures[i] for i in kept], [shares[i] for i in kept], held_out
    kept, kept_shares, fresh = [], [], []
    for picture, share in zip(pictures, shares, strict=True):
        parts, band = _without_band(picture, crop_px)
        places = [part.shape[3] - crop_px + 1 for part in parts]  # as many as there are crops side by side
        kept += parts
        kept_shares += [share * place / sum(places) for place in places]
        fresh.append(band)
    return kept, kept_shares, [fresh[i] for i in favorites]


def _without_band(picture: Tensor, crop_px: int) -> tuple[list[Tensor], Tensor]:
    """The left and right parts of a picture, and the held-out band between them, a quarter of its width.

    The band resembles both parts. A picture too narrow for crops on both sides gives up its right edge.
    """
    width = picture.shape[3]
    band = max(crop_px, width // 4)
    left = (width - band) // 2 if width - band >= 2 * crop_px else width - band
    parts = [part for part in (picture[..., :left], picture[..., left + band :]) if part.shape[3]]
    return parts, picture[..., left : left + band]
