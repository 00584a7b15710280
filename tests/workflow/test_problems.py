"""Protects the words of what is wrong: where, what, what is allowed, on one printable line."""

from __future__ import annotations

import pytest

from pstyle.workflow.problems import BadWorkflow, NodeFailed, Problem, show, show_choices


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (Problem("k", "bad"), "bad"),
        (Problem("k", "bad", "7"), "node '7': bad"),
        (Problem("k", "bad", class_type="Mix"), "a node (Mix): bad"),
        (Problem("k", "bad", "7", "Mix", "share", "3"), "node '7' (Mix), input 'share': bad: got 3"),
        (Problem("k", "bad", allowed="INT"), "bad: allowed: INT"),
        (Problem("k", "bad", got="3", allowed="INT"), "bad: got 3; allowed: INT"),
    ],
)
def test_a_problem_says_where_what_and_what_is_allowed(problem: Problem, said: str) -> None:
    assert str(problem) == said


@pytest.mark.parametrize("value", ["\x1b[31m\n", "x" * 500, b"\0", ["a\r"] * 90, None])
def test_any_value_is_one_short_printable_line(value: object) -> None:
    assert show(value).isprintable() and len(show(value)) <= 80
    assert show(value)[:77] == repr(value)[:77]


def test_choices_are_shortened() -> None:
    assert show_choices([]) == "nothing: the list is empty"
    assert show_choices(range(12)) == f"one of {', '.join(map(str, range(12)))}"
    assert show_choices(range(13)).endswith("10, 11 and 1 more")


@pytest.mark.parametrize(("count", "lines"), [(1, 2), (50, 51), (51, 52), (3000, 52)])
def test_all_problems_are_held_and_fifty_told(count: int, lines: int) -> None:
    error = BadWorkflow([Problem("k", f"bad {number}") for number in range(count)])
    told = str(error).split("\n")
    assert len(error.problems) == count and len(told) == lines
    assert (f"{count} problem" in told[0]) and told[0].endswith("problem:" if count == 1 else "problems:")
    assert told[-1] == ("- bad " + str(count - 1) if count <= 50 else f"- and {count - 50} more")


def test_a_failure_names_node_title_class_and_cause() -> None:
    assert str(NodeFailed("7", "Mix", "Mix", OSError())) == "node '7' (Mix) failed: OSError: no message"
    error = NodeFailed("7", "mine", "Mix", KeyError("x"))
    assert str(error) == "node '7' 'mine' (Mix) failed: KeyError: 'x'"
