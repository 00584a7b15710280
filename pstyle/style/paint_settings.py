"""The settings of painting: how a style is applied to a picture."""

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
    keep_color: bool = setting(False, help="keep the picture's own colors and paint only light and dark")
    keep_light: bool = setting(False, help="keep the picture's own light and dark and change only its colors")
    stroke: float = setting(1.0, 0.5, 2.0, "stroke size relative to the style's own")
    coarse: float = setting(1.0, 0.0, MAX_STRENGTH, "multiplies the strength for shapes and broad strokes")
    fine: float = setting(1.0, 0.0, MAX_STRENGTH, "multiplies the strength for texture and grain")
    detail: float = setting(
        0.0, 0.0, 1.0, "how much of the painted detail is replaced with the picture's own"
    )

    def __post_init__(self) -> None:
        check_settings(self)


Look = PaintSettings  # its former name, still imported by scripts
