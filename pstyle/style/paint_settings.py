"""How a style is applied to a picture: the knobs of painting, and what makes strength mean the same for every
style.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..core.config import check_settings, setting

MAX_STRENGTH = 1.5


@dataclass(frozen=True)
class PaintSettings:
    """Settings of painting one picture in one style."""

    strength: float = setting(
        1.0, 0.0, MAX_STRENGTH, "0 returns the picture, 1 is the style as learned, above 1 exaggerates it"
    )
    keep_color: bool = setting(False, help="keep the picture's own colors: only light and dark are painted")
    keep_light: bool = setting(False, help="keep the picture's own light and dark: only colors are painted")
    stroke: float = setting(1.0, 0.5, 2.0, "size of strokes, as a multiple of the style's own")
    coarse: float = setting(1.0, 0.0, MAX_STRENGTH, "share of the strength that forms and broad strokes get")
    fine: float = setting(1.0, 0.0, MAX_STRENGTH, "share of the strength that texture and grain get")
    detail: float = setting(0.0, 0.0, 1.0, "how much of the picture's own fine structure stays")

    def __post_init__(self) -> None:
        check_settings(self)


Look = PaintSettings  # its older name, which scripts import
