"""The base class of the nodes that paint: cached painters, memory for the networks, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from ..pstyle.painting.painter import Painter
from .painters import Painters
from .preview import before_after
from .wires import BoundStyle, Networks, to_wire


class PaintingNode:
    """A node that paints pictures in a style.

    Its `paint` converts the inputs, loads painters, calls the library and returns the outputs.
    """

    CATEGORY = "pstyle/paint"
    RETURN_TYPES = ("IMAGE",)
    RETURN_NAMES = ("image",)
    FUNCTION = "paint"

    def __init__(self) -> None:
        self.painters = Painters()

    def load(
        self, styles: Sequence[BoundStyle | None], generator: Networks | None, working_bytes: int
    ) -> list[Painter | None]:
        """A painter for each style (None for None) on the compute device, with room to work."""
        loaded = iter(self.painters.load([(one, generator) for one in styles if one], working_bytes))
        return [next(loaded) if one else None for one in styles]

    def outputs(self, before: Tensor, after: Tensor, wired: Tensor | None = None) -> dict[str, Any]:
        """The node's result: the painted pictures, and a before-after preview of (B, C, H, W).

        `wired` are the pictures as an IMAGE, if they already are one.
        """
        result = to_wire(after) if wired is None else wired
        return {"ui": before_after(before, after), "result": (result,)}
