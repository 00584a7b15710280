"""Calibration of strength: the same strength changes a picture about as much in every style."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ..core.config import check_settings, setting


@dataclass(frozen=True)
class Calibration:
    """The amount of a style to mix in at each strength, so that 0.5 looks halfway for any style."""

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
        """The amount at a strength of 0 or more, between knots linear; above 1 it is the strength."""
        for number, (low, high) in enumerate(pairwise(self.knots())):
            if strength <= (number + 1) / 4:
                return low + (high - low) * (strength * 4 - number)
        return strength
