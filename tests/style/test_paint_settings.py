"""Protects the knobs of painting: their ranges, and amounts that a calibration gives for strengths."""

from __future__ import annotations

import numpy as np
import pytest

from pstyle.core.config import from_json, to_json
from pstyle.style.paint_settings import MAX_STRENGTH, PaintSettings
from pstyle.style.strength_calibration import Calibration


@pytest.mark.parametrize("field", ["strength", "stroke", "coarse", "fine", "detail"])
@pytest.mark.parametrize("value", [-0.1, 9.0, float("nan"), float("inf"), True, "1", None])
def test_a_knob_out_of_range_is_named(field, value):
    with pytest.raises(ValueError, match=f"PaintSettings.{field}"):
        PaintSettings(**{field: value})


@pytest.mark.parametrize("switch", ["keep_color", "keep_light"])
def test_a_switch_is_on_or_off(switch):
    with pytest.raises(ValueError, match=rf"PaintSettings\.{switch} must be True or False"):
        PaintSettings(**{switch: "keep"})


def test_amounts_are_linear_between_the_knots():
    calibration = Calibration(0.1, 0.3, 0.6)
    strengths = np.linspace(0, 1, 41)
    expected = np.interp(strengths, [0, 0.25, 0.5, 0.75, 1], [0, 0.1, 0.3, 0.6, 1])
    assert np.allclose([calibration.amount(strength) for strength in strengths], expected)


def test_beyond_1_an_amount_is_the_strength():
    assert [Calibration(0.1, 0.3, 0.6).amount(x) for x in (1.0, 1.2, MAX_STRENGTH)] == [1.0, 1.2, 1.5]


def test_without_a_calibration_an_amount_is_the_strength():
    assert Calibration().amount(0.37) == pytest.approx(0.37)


@pytest.mark.parametrize("amounts", [(0.5, 0.4, 0.6), (0.1, 0.8, 0.7), (0.1, 0.2, 1.1), (-0.1, 0.2, 0.3)])
def test_amounts_that_fall_or_leave_the_range_are_refused(amounts):
    with pytest.raises(ValueError, match=r"calibration must not fall|Calibration\."):
        Calibration(*amounts)


def test_a_calibration_comes_back_from_its_file_form():
    assert from_json(Calibration, to_json(Calibration(0.1, 0.3, 0.6))) == Calibration(0.1, 0.3, 0.6)
