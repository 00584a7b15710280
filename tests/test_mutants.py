"""Protects the tool that tests the tests: its mutants are one change each, and it tells the dead from the
living.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks import mutants

SOURCE = '''"""Words."""
def grow(x: int, most: int = 3) -> int | None:
    if x < 0 and most:
        raise ValueError(f"{x + 1} is wrong")
    print(x)
    return x * 2 if not most else -x
'''


def test_every_kind_of_change_is_made_once() -> None:
    found = mutants.mutants(mutants.ROOT / "x.py", SOURCE)
    assert sorted((one.line, one.before.split(":")[0], one.after.split(":")[0]) for one in found) == sorted(
        [
            (2, "3", "2"), (2, "3", "4"),
            (3, "0", "-1"), (3, "0", "1"), (3, "x < 0", "x <= 0"), (3, "x < 0 and most", "x < 0 or most"),
            (3, "if x < 0 and most", "if False"), (3, "if x < 0 and most", "if True"),
            (5, "print(x)", "None"),
            (6, "-x", "+x"), (6, "2", "1"), (6, "2", "3"), (6, "not most", "not not most"),
            (6, "return x * 2 if not most else -x", "return None"), (6, "x * 2", "x // 2"),
            (6, "x * 2 if not most else -x", "x * 2 if False else -x"),
            (6, "x * 2 if not most else -x", "x * 2 if True else -x"),
        ]
    )  # fmt: skip
    for one in found:
        assert str(one).startswith("x.py:") and compile(one.tree(), "x", "exec")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_dead_and_living_are_told_apart(tmp_path: Path) -> None:
    module = tmp_path / "grown.py"
    module.write_text("def grow(x):\n    return x + 1\n")
    test = tmp_path / "test_grown.py"
    test.write_text("from grown import grow\n\ndef test_it():\n    assert grow(1) == 2 and grow(2) == 3\n")
    arguments = [str(test), "-c", os.devnull, "--rootdir", str(tmp_path)]
    lost, *_, one_less = mutants.mutants(module, module.read_text())
    assert (lost.after, one_less.after) == ("return None", "0")
    assert mutants.run_tests(arguments, None, 60)[0] and not mutants.run_tests(arguments, one_less, 60)[0]
    test.write_text("from grown import grow\n\ndef test_it():\n    assert grow(0) is not None\n")
    assert mutants.run_tests(arguments, one_less, 60)[0] and not mutants.run_tests(arguments, lost, 60)[0]
