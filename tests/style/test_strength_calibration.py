"""Protects calibration: amounts go through their knots, never fall, and are the strength itself above 1."""

from __future__ import annotations

import math

import pytest

from pstyle.style.strength_calibration import Calibration

STEEP = Calibration(quarter=0.5, half=0.7, three_quarters=0.8)


@pytest.mark.parametrize(
    ("strength", "amount"),
    [(0.0, 0.0), (0.125, 0.25), (0.25, 0.5), (0.5, 0.7), (0.75, 0.8), (0.875, 0.9), (1.0, 1.0), (1.4, 1.4)],
)
def test_an_amount_is_interpolated_between_knots(strength, amount):
    assert STEEP.amount(strength) == pytest.approx(amount)


def test_by_default_the_amount_is_the_strength():
    assert all(Calibration().amount(i / 20) == pytest.approx(i / 20) for i in range(31))


@pytest.mark.parametrize(
    "change", [{"half": 0.2}, {"three_quarters": 0.4}, {"quarter": math.nan}, {"half": 1.1}]
)
def test_amounts_that_fall_or_are_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match="alibration"):
        Calibration(**change)
