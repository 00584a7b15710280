"""How a style is applied to a picture: the knobs of painting, and what makes strength mean the same for every
style.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ..core.config import check_settings, setting

MAX_STRENGTH = 1.5


@dataclass(frozen=True)
class Look:
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


@dataclass(frozen=True)
class Calibration:
    """How much of a style is mixed in at a strength: what brings mild and violent styles half way at 0.5."""

    quarter: float = setting(0.25, 0.0, 1.0, "amount mixed in at strength 0.25")
    half: float = setting(0.5, 0.0, 1.0, "amount mixed in at strength 0.5")
    three_quarters: float = setting(0.75, 0.0, 1.0, "amount mixed in at strength 0.75")

    def __post_init__(self) -> None:
        check_settings(self)
        if not self.quarter <= self.half <= self.three_quarters:
            raise ValueError(f"amounts of a calibration must not fall, got {self.knots()}")

    def knots(self) -> tuple[float, ...]:
        """The amounts at strengths 0, 0.25, 0.5, 0.75 and 1."""
        return (0.0, self.quarter, self.half, self.three_quarters, 1.0)

    def amount(self, strength: float) -> float:
        """The amount at a strength of at least 0; above 1 the two are equal."""
        for number, (low, high) in enumerate(pairwise(self.knots())):
            if strength <= (number + 1) / 4:
                return low + (high - low) * (strength * 4 - number)
        return strength
