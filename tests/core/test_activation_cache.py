"""Protects live knobs: what is remembered of a picture is used again, changes no bit, and stays bounded."""

from __future__ import annotations

import threading
from collections import OrderedDict

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pstyle.core.activation_cache import NO_CACHE, ActivationCache, bytes_of, digest
from pstyle.nets.generator import LEVELS
from pstyle.painting.paint import SizeConfig
from pstyle.painting.paint import paint as paint_any_size
from pstyle.painting.painter import Painter
from pstyle.style.paint_settings import PaintSettings
from pstyle.style.provenance import Provenance
from pstyle.style.styled_generator import StyledGenerator

SIZES = (SizeConfig(look_size_px=0), SizeConfig(look_size_px=24))
LOOKS = (
    PaintSettings(),
    PaintSettings(strength=0.4),
    PaintSettings(strength=0.5),
    PaintSettings(strength=1.3),
    PaintSettings(keep_color=True),
    PaintSettings(strength=0.4, keep_light=True, detail=0.3),
    PaintSettings(stroke=1.6, strength=0.4),
    PaintSettings(coarse=0.5),
    PaintSettings(strength=0.4),
)


@pytest.fixture
def live(painter: Painter) -> Painter:
    """The painter, with a memory."""
    return Painter(painter.style, painter.generator, painter.vgg, "cpu", None, ActivationCache())


def counted(painter: Painter, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often the parts of a painting are computed."""
    calls = {"own": 0, "content": 0, "pass": 0}
    parts = {"own": (painter, "own_modulation"), "pass": (painter, "_pass")}
    parts["content"] = (type(painter.generator), "content")
    for name, (owner, attribute) in parts.items():
        real = getattr(owner, attribute)

        def call(*args, _name=name, _real=real, **more):
            calls[_name] += 1
            return _real(*args, **more)

        monkeypatch.setattr(owner, attribute, call)
    return calls


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"look_{size.look_size_px}")
def test_no_bit_changes(painter, live, rng, size):
    photo = torch.rand(1, 4, 45, 51, generator=rng)
    for settings in LOOKS:
        assert torch.equal(
            paint_any_size(photo, live, settings, size=size),
            paint_any_size(photo, painter, settings, size=size),
        )


def test_moving_strength_computes_no_features_again(live, picture, monkeypatch):
    calls = counted(live, monkeypatch)
    live(picture, strength=0.4)
    assert calls == {"own": 1, "content": 1, "pass": 1}
    for strength in (0.5, 0.6, 1.3, 1.0):
        live(picture, strength=strength)
    assert calls == {"own": 1, "content": 1, "pass": 5}


def test_moving_color_and_detail_paints_nothing_again(live, picture, monkeypatch):
    calls = counted(live, monkeypatch)
    for settings in (
        PaintSettings(),
        PaintSettings(keep_color=True),
        PaintSettings(keep_light=True),
        PaintSettings(detail=0.4),
    ):
        live(picture, settings)
    assert calls == {"own": 0, "content": 1, "pass": 1}


def test_a_stroke_moved_back_computes_nothing_again(live, picture, monkeypatch):
    calls = counted(live, monkeypatch)
    for stroke in (1.0, 1.5, 1.0, 1.5):
        live(picture, stroke=stroke, strength=0.5)
    assert calls == {"own": 2, "content": 2, "pass": 2}


def test_a_blend_moved_computes_no_features_again(live, picture, rng, monkeypatch):
    latent = torch.randn(LEVELS, 16, generator=rng)
    style = StyledGenerator(live.generator, latent).style(Provenance())
    other = Painter(style, live.generator, live.vgg, "cpu", live.dtype, live.cache)
    alone = Painter(style, live.generator, live.vgg, "cpu", live.dtype)(picture, strength=0.5)
    live(picture, strength=0.5)
    calls = counted(other, monkeypatch)
    assert torch.equal(other(picture, strength=0.5), alone)
    assert calls == {"own": 0, "content": 0, "pass": 1}


def test_another_picture_or_size_is_not_taken_for_it(painter, live, picture):
    for photo in (picture, picture + 1e-3, picture.mT, picture[:, [2, 1, 0]]):
        assert torch.equal(live(photo.clamp(0, 1)), painter(photo.clamp(0, 1)))
    assert digest(torch.zeros(2, 3)) != digest(torch.zeros(3, 2))
    assert digest(torch.zeros(2)) != digest(torch.zeros(2, dtype=torch.int32))


def test_what_is_given_out_may_be_written_over(live, picture):
    for settings in (PaintSettings(), PaintSettings(strength=0.5), PaintSettings(detail=0.5)):
        first = live(picture, settings)
        expected = first.clone()
        with torch.inference_mode():
            first.zero_()
        assert torch.equal(live(picture, settings), expected)


def test_parts_of_a_picture_and_without_a_memory_nothing_is_kept(painter, live, picture):
    whole = live.measure(picture, (1.0,) * LEVELS)
    live.paint(picture, (1.0,) * LEVELS, whole)
    painter(picture)
    assert live.cache.bytes == painter.cache.bytes == 0


def test_forgetting_leaves_nothing_and_changes_nothing(live, picture):
    before = live(picture, strength=0.5)
    assert live.cache.bytes > 0
    live.cache.clear()
    assert live.cache.bytes == 0 and torch.equal(live(picture, strength=0.5), before)


def test_a_picture_too_large_for_the_memory_is_not_kept():
    memory = ActivationCache(limit_bytes=4000)
    assert memory.of(torch.zeros(1001))("x", lambda: torch.ones(2)).sum() == 2 and memory.bytes == 0
    assert memory.of(None)("x", lambda: torch.ones(2)).sum() == 2 and memory.bytes == 0
    memory.of(torch.zeros(250))("x", lambda: torch.ones(2))
    assert memory.bytes == 8
    memory.of(torch.zeros(250))("y", lambda: torch.ones(1001))  # alone above the limit
    assert memory.bytes == 8
    assert NO_CACHE("x", lambda: 3) == 3


def test_bytes_are_those_of_all_tensors():
    assert bytes_of({"a": torch.zeros(3), "b": (torch.zeros(2), [torch.zeros(5, dtype=torch.uint8)])}) == 25


def test_what_fails_is_not_remembered():
    memory = ActivationCache()
    with pytest.raises(ZeroDivisionError):
        memory.get("x", lambda: 1 / 0)
    assert memory.get("x", lambda: torch.ones(1)) == 1


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 30)), max_size=40), st.integers(1, 100))
def test_the_least_recently_used_go_first(uses, limit_bytes):
    """Against a cache written down plainly: recency as a list, sizes recounted each time."""
    memory, kept = ActivationCache(limit_bytes), OrderedDict()
    for key, size in uses:
        made = memory.get(key, lambda n=size: torch.zeros(n, dtype=torch.uint8))
        if key in kept:
            kept.move_to_end(key)
            assert len(made) == kept[key]
        elif size <= limit_bytes:
            kept[key] = size
            while sum(kept.values()) > limit_bytes:
                kept.popitem(last=False)
        assert memory.bytes == sum(kept.values()) <= limit_bytes


def test_four_threads_share_a_memory(live, painter, rng):
    pictures = torch.rand(3, 1, 3, 24, 24, generator=rng)
    jobs = [(i % 3, strength) for i, strength in enumerate((0.4, 0.8, 1.0, 1.2) * 3)]
    expected = [painter(pictures[i], strength=strength) for i, strength in jobs]
    found: dict[int, torch.Tensor] = {}

    def work(first: int) -> None:
        for n in range(first, len(jobs), 4):
            found[n] = live(pictures[jobs[n][0]], strength=jobs[n][1])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(found[n], expected[n]) for n in range(len(jobs)))
