"""The meaning of scores, in words for people who see them for the first time."""

from __future__ import annotations

from collections.abc import Sequence

# Words for values up to each limit, best first; the last one also covers values beyond.
LEFT = ((0.15, "very close"), (0.35, "close"), (0.7, "part of the way"), (1.0, "hardly closer than before"))
LESS_LEFT = (*LEFT, (float("inf"), "no closer than the photograph"))
TOWARD_STYLE = ("style", "patch_swd", "color")
MEANINGS = {
    "style": "distance to the style in a network's features",
    "patch_swd": "distance to the style in small patches",
    "color": "distance to the style's colors, in CIE Lab units",
    "content": "distance to the photograph in a network's features: 0 equal, 2 unrelated",
    "ssim": "structure shared with the photograph: 1 equal",
    "edge_f1": "strongest edges shared with the photograph: 1 all",
    "copied": "share of patches that are pasted from the style pictures",
    "lpips": "how different the photograph looks to people: 0 equal",
}
WORDS = {
    "content": (
        (0.5, "plainly the same picture"),
        (0.9, "the same picture, freely painted"),
        (2.0, "far away"),
    ),
    "ssim": ((0.45, "structure mostly given up"), (0.7, "large structure kept"), (1.0, "structure kept")),
    "edge_f1": ((0.4, "edges mostly redrawn"), (0.7, "most edges kept"), (1.0, "edges kept")),
    "copied": ((0.0, "nothing is pasted"), (0.02, "a patch or two look pasted"), (1.0, "pieces are pasted")),
    "lpips": ((0.4, "looks alike"), (0.65, "looks repainted"), (float("inf"), "looks like another picture")),
}


def meaning(name: str, value: float, start: float | None) -> str:
    """A score in words; a distance to the style as a share of `start`, the photograph's own distance."""
    if name in TOWARD_STYLE and start:
        share = value / start
        return f"{_word(share, LESS_LEFT)}: {share:.0%} of the photograph's {MEANINGS[name]} is left"
    return f"{_word(value, WORDS[name])} ({MEANINGS[name]})" if name in WORDS else MEANINGS.get(name, "")


def _word(value: float, limits: Sequence[tuple[float, str]]) -> str:
    return next((words for limit, words in limits if value <= limit), limits[-1][1])
