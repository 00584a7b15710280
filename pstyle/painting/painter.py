"""The public painter: a style file loaded into a call that paints any picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from ..nets.generator import load_generator
from ..nets.vgg import load_vgg
from ..style.paint_settings import PaintSettings
from ..style.style import load_style
from .native import NativePainter
from .paint import SizeConfig, paint


def load_painter(path: str | Path, device: str = "auto") -> Painter:
    """Load the style file at `path` as a painter, with the shipped networks.

    Raises BadFile if the file is unusable.
    """
    return Painter(load_style(Path(path)), load_generator(), load_vgg(), device)


class Painter(NativePainter):
    """Paints pictures of any size in one style, as `paint` does."""

    def __call__(
        self,
        image: Tensor,
        settings: PaintSettings | None = None,
        mask: Tensor | None = None,
        second: Painter | None = None,
        size: SizeConfig | None = None,
        **changes: Any,
    ) -> Tensor:
        """Paint pictures (B, C, H, W) in [0, 1], C 1, 3 or 4.

        The result has 3 channels, or 4 with the input's alpha. `changes` override single settings by name,
        such as strength=0.8. Where `mask` (1 or B, 1, H, W) is 0, the picture stays unpainted, or is painted
        by a `second` painter. Raises ValueError for pictures, settings or masks out of range.
        """
        return paint(image, self, replace(settings or PaintSettings(), **changes), mask, second, size)
