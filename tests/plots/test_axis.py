"""Protects axes: values lie between the ends, ticks are round numbers, and there are a few of them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstyle.plots.axis import LOGGED, MOST_TICKS, Axis

VALUES = st.lists(st.floats(-1e299, 1e299), min_size=1, max_size=9)


@given(VALUES)
def test_an_axis_holds_its_values_and_a_few_rising_ticks(values: list[float]) -> None:
    axis = Axis.around(values)
    assert all(0 <= axis.place(value) <= 1 for value in values)
    ticks = [value for value, _ in axis.ticks()]
    assert len(ticks) <= MOST_TICKS + 1 and ticks == sorted(ticks)


@given(st.lists(st.floats(*LOGGED), min_size=1, max_size=9))
def test_a_logarithmic_axis_holds_its_values_and_a_few_rising_ticks(values: list[float]) -> None:
    axis = Axis.around(values, log=True)
    assert all(-1e-6 <= axis.place(value) <= 1 + 1e-6 for value in values)
    ticks = [value for value, _ in axis.ticks()]
    assert len(ticks) <= 2 * MOST_TICKS + 1 and ticks == sorted(ticks)


@pytest.mark.parametrize(
    ("axis", "labels"),
    [
        (Axis(0, 1), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (Axis(-0.3, 0.9), ["-0.2", "0.0", "0.2", "0.4", "0.6", "0.8"]),
        (Axis(0, 30_000), ["0", "5,000", "10,000", "15,000", "20,000", "25,000", "30,000"]),
        (Axis(0.9, 3.2, whole=True), ["1", "2", "3"]),
        (Axis(3, 0, whole=True), ["0", "1", "2", "3"]),
        (Axis(0.002, 20, log=True), ["0.01", "0.1", "1", "10"]),
        (Axis(0.3, 6, log=True), ["0.3", "1", "3"]),
        (Axis(1e-9, 1e9, log=True), ["1e-9", "1e-6", "0.001", "1", "1000", "1e6", "1e9"]),
        (Axis(0.75, 1.05, log=True), ["0.75", "0.80", "0.85", "0.90", "0.95", "1.00", "1.05"]),
    ],
)
def test_ticks_are_round_numbers(axis: Axis, labels: list[str]) -> None:
    assert [label for _, label in axis.ticks()] == labels


def test_values_that_are_not_finite_are_left_out() -> None:
    assert Axis.around([math.nan, 1.0, math.inf, 3.0], margin=0) == Axis(1, 3)
    assert Axis.around([]) == Axis(-0.05, 1.05)


def test_a_logarithmic_axis_is_even_in_factors() -> None:
    axis = Axis(0.01, 100, log=True)
    assert [axis.place(value) for value in (0.01, 0.1, 1, 10, 100)] == pytest.approx([0, 0.25, 0.5, 0.75, 1])
