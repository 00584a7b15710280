"""What the nodes that paint share: painters kept between calls, room for the networks, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from ..pstyle.painting.painter import Painter
from .painters import Painters
from .preview import before_after
from .wires import BoundStyle, Networks, to_wire


class PaintingNode:
    """A node that paints pictures in a style: its `paint` converts the inputs, loads painters, calls the
    library, and returns the outputs.
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
        """A painter for each style, None for None, on the compute device with so much room to work."""
        loaded = iter(self.painters.load([(one, generator) for one in styles if one], working_bytes))
        return [next(loaded) if one else None for one in styles]

    def outputs(self, before: Tensor, after: Tensor, wired: Tensor | None = None) -> dict[str, Any]:
        """What the node returns: the painted pictures, `wired` if they are an IMAGE already, and both before
        and after (B, C, H, W) to be shown.
        """
        result = to_wire(after) if wired is None else wired
        return {"ui": before_after(before, after), "result": (result,)}
