"""Procedural pictures: deterministic 'artists' with a known style, and scenes that stand in for photographs.

They provide ground truth for tests, variety for training, and contents for users without photographs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from ..core.config import describe
from .artist import Artist
from .color_artists import Mosaic, Oil, PaletteKnife, Pointillism, Watercolor
from .ink_artists import Charcoal, Hatching, Screenprint, Woodcut
from .scenes import content_pictures

__all__ = ["ARTISTS", "Artist", "content_pictures", "paint_as", "procedural_style", "random_artist"]

ARTISTS: dict[str, Callable[..., Tensor]] = {
    "hatching": Hatching(),
    "pointillism": Pointillism(),
    "mosaic": Mosaic(),
    "woodcut": Woodcut(),
    "watercolor": Watercolor(),
    "palette_knife": PaletteKnife(),
    "oil": Oil(),
    "charcoal": Charcoal(),
    "screenprint": Screenprint(),
}


def paint_as(name: str, image: Tensor, seed: int = 0) -> Tensor:
    """Paint a picture (1, 3, H, W) as the artist `name` of ARTISTS.

    Raises ValueError for an unknown name, and for an unusable picture.
    """
    if name not in ARTISTS:
        raise ValueError(f"there is no artist {name!r}: choose one of {', '.join(ARTISTS)}")
    return ARTISTS[name](image, seed)


def random_artist(seed: int) -> Artist:
    """A random artist by `seed`: one of ARTISTS with random settings and, mostly, a random palette."""
    generator = torch.Generator().manual_seed(seed)
    kind = type(list(ARTISTS.values())[int(torch.randint(len(ARTISTS), (), generator=generator))])
    drawn = {name: _draw(name, declared, generator) for name, declared in describe(kind).items()}
    if torch.rand((), generator=generator) < 0.4:
        drawn["palette_seed"] = 0
    return kind(**drawn)


def _draw(name: str, declared: Mapping[str, Any], generator: torch.Generator) -> int | float:
    low, high = declared["minimum"], declared["maximum"]
    if isinstance(declared["default"], int):
        return int(torch.randint(low, high + 1, (), generator=generator))
    share = float(torch.rand((), generator=generator))
    if name.endswith("_px") and low > 0:  # log-uniform, so large sizes are rarer
        return low * (high / low) ** share**1.5
    return low + (high - low) * share


def procedural_style(seed: int, image: Tensor) -> Tensor:
    """Paint a picture (1, 3, H, W) in a random style by `seed`: unlimited training data."""
    return random_artist(seed)(image, seed)
