"""Protects stages that overlap: they do, keep the order, hold little, and lose no error."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pstyle.batch.ahead import ahead

PATIENCE_SECONDS = 20


@settings(deadline=None, database=None, max_examples=50)
@given(st.lists(st.integers()), st.integers(0, 4))
def test_results_are_those_of_a_plain_loop(items: list[int], count: int) -> None:
    assert list(ahead(lambda x: x * 2, items, count)) == [x * 2 for x in items]
    nested = ahead(str, map(lambda x: x + 1, ahead(lambda x: x * 2, iter(items), count)), count)
    assert list(nested) == [str(x * 2 + 1) for x in items]


def test_the_next_item_is_worked_on_while_the_caller_holds_one() -> None:
    begun = [threading.Event() for _ in range(3)]

    def work(number: int) -> int:
        begun[number].set()
        return number

    results = ahead(work, range(3))
    assert next(results) == 0
    assert begun[1].wait(PATIENCE_SECONDS)  # nobody has asked for it yet
    assert list(results) == [1, 2]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_no_more_than_count_and_one_results_wait(count: int) -> None:
    drawn = 0

    def items():
        nonlocal drawn
        for number in range(20):
            drawn += 1
            yield number

    for taken, _ in enumerate(ahead(abs, items(), count), start=1):
        assert drawn - taken <= count


def test_an_error_comes_where_its_result_was_due_and_what_was_begun_is_done() -> None:
    done: list[int] = []

    def work(number: int) -> int:
        if number == 2:
            raise OSError("full")
        done.append(number)
        return number

    found = []
    with pytest.raises(OSError, match="full"):
        for result in ahead(work, range(6)):
            found.append(result)
    assert found == [0, 1] and done == [0, 1, 3]
