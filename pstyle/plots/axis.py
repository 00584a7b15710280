"""An axis: its range, the position of values on it, and its ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

MARGIN = 0.05  # of the values' range, left free at both ends
MOST_TICKS = 7
LOGGED = (1e-99, 1e99)  # range of a log axis, so that its margins are finite numbers
LEAST_SPREAD = 1e-9  # smallest range relative to the values; less is rounding error
TINY = 1e-290  # smallest absolute range; ticks of less cannot be represented


@dataclass(frozen=True)
class Axis:
    """A linear or logarithmic axis from `low` to `high`; with `whole`, only whole numbers get ticks.

    A linear axis may run downward.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    @classmethod
    def around(
        cls, values: Iterable[float], log: bool = False, whole: bool = False, margin: float = MARGIN
    ) -> Axis:
        """An axis for all finite values, 0 to 1 without any; a log axis takes only values in LOGGED."""
        found = [math.log10(value) if log else value for value in values if math.isfinite(value)]
        low, high = (min(found), max(found)) if found else (-1.0 if log else 0.0, 0.0 if log else 1.0)
        largest = max(abs(low), abs(high))
        if high - low <= max(LEAST_SPREAD * largest, TINY):
            spread = 0.1 if log else largest / 10 if largest > TINY else 1.0
            low, high = low - spread, high + spread
        low, high = low - margin * (high - low), high + margin * (high - low)
        return cls(10**low, 10**high, log, whole) if log else cls(low, high, log, whole)

    def place(self, value: float) -> float:
        """The position of a value: 0 at the low end, 1 at the high end."""
        low, high, value = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        return (value - low) / (high - low)

    def ticks(self, most: int = MOST_TICKS) -> list[tuple[float, str]]:
        """About `most` tick values at most, with their labels."""
        if self.log and len(marks := self._log_ticks(most)) > 2:
            return [(value, _short(value)) for value in marks]
        low, high = sorted((self.low, self.high))
        step = _round_up((high - low) / most)
        step = max(step, 1.0) if self.whole else step
        first, last = math.ceil(low / step), math.floor(high / step)
        return [(number * step, _label(number * step, step)) for number in range(first, last + 1)]

    def minor_ticks(self) -> list[float]:
        """Minor grid values: 1 to 9 times each power of ten, if there are at most four of them."""
        few = self.log and self.high / self.low < 10**4.5
        return self._multiples(tuple(range(1, 10)), 1) if few else []

    def _log_ticks(self, most: int) -> list[float]:
        every = max(1, math.ceil((math.log10(self.high) - math.log10(self.low)) / most))
        finer = (self._multiples(steps, every) for steps in ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 4, 6, 8)))
        return next((found for found in finer if len(found) > 2), [])

    def _multiples(self, steps: tuple[int, ...], every: int) -> list[float]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        powers = [power for power in range(first, last + 1) if power % every == 0]
        found = [step * 10.0**power for power in powers for step in steps]
        return [value for value in found if self.low <= value <= self.high]


def _round_up(step: float) -> float:
    """The next of 1, 2, 5, 10, ... times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return power * next(factor for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))


def _label(value: float, step: float) -> str:
    if max(abs(value), step) >= 1e6 or step < 1e-4:
        return _short(value)
    return f"{value:,.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"


def _short(value: float) -> str:
    return f"{value:.6g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
