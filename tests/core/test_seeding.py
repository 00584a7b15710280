"""Protects random sources: every number counts, whatever its size, and the same ones give the same."""

from __future__ import annotations

import torch

from pstyle.core.seeding import generator_of


def first(*numbers: int) -> float:
    return torch.rand((), generator=generator_of(*numbers), dtype=torch.float64).item()


def test_the_same_numbers_give_the_same():
    assert first(3, 4) == first(3, 4)


def test_every_number_counts_also_its_high_bits():
    given = [(seed, step) for seed in (0, 1, 2, 2**31 - 1, 2**40) for step in (0, 1, 12, 123, 2**33)]
    given += [(1, 2, 3), (12, 3), (123,)]
    assert len({first(*numbers) for numbers in given}) == len(given)
