"""Protects the words for scores: a good one is never called bad, nor a bad one good."""

from __future__ import annotations

import pytest

from pstyle.evaluation.score_words import meaning


@pytest.mark.parametrize(
    ("name", "value", "start", "words"),
    [
        ("style", 0.05, 0.5, "very close: 10% of the photograph's distance"),
        ("style", 0.25, 0.5, "part of the way: 50%"),
        ("color", 6.0, 5.0, "no closer than the photograph: 120%"),
        ("patch_swd", 0.0, 0.0, "distance to the style in small patches"),
        ("content", 0.7, 0.0, "the same picture, freely painted"),
        ("content", 2.5, 0.0, "far away"),
        ("ssim", 0.3, 1.0, "structure mostly given up"),
        ("ssim", 0.9, 1.0, "structure kept"),
        ("copied", 0.0, None, "nothing is pasted"),
        ("copied", 0.3, None, "pieces are pasted"),
        ("lpips", 0.9, None, "looks like another picture"),
    ],
)
def test_scores_are_told_in_words(name: str, value: float, start: float | None, words: str) -> None:
    assert meaning(name, value, start).startswith(words)
