"""Protects the order of nodes: what is needed, each after its sources, and circles named by brute force."""

from __future__ import annotations

import random

import pytest

from pstyle.workflow.order import name_circle, peel


def reach(sources: dict[str, set[str]]) -> dict[str, set[str]]:
    """All that a key depends on, through any number of others."""
    found = {key: set(others) for key, others in sources.items()}
    for middle in sources:
        for key in sources:
            if middle in found[key]:
                found[key] |= found[middle]
    return found


def drawn(seed: int) -> dict[str, set[str]]:
    chance, keys = random.Random(seed), [str(key) for key in range(9)]
    return {key: set(chance.sample(keys, chance.choice((0, 0, 1, 1, 2)))) for key in keys}


@pytest.mark.parametrize("seed", range(40))
def test_nodes_follow_their_sources_and_circles_are_those_of_brute_force(seed: int) -> None:
    sources = drawn(seed)
    far = reach(sources)
    circles = {key for key in sources if key in far[key]}
    order = peel(sources)
    assert set(order) == {key for key in sources if not circles & (far[key] | {key})}
    assert all(sources[key] <= set(order[:place]) for place, key in enumerate(order))
    between = [key for key in sources if circles & (far[key] | {key}) and any(key in far[c] for c in circles)]
    if circles:
        assert name_circle(sources, order).got == "nodes " + ", ".join(map(repr, between))


def test_a_long_circle_is_shortened() -> None:
    sources = {str(key): {str((key + 1) % 20)} for key in range(20)}
    assert name_circle(sources, peel(sources)).got.endswith("'11' and 8 more")
