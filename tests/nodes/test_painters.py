"""Protects live knobs in a node: what is kept between its calls, what is let go of, and when."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from pstyle_pack.nodes import host, painters
from pstyle_pack.nodes.painters import Painters

from pstyle.nets.generator import Generator
from tests.nodes.conftest import random_style


@pytest.fixture
def managed(monkeypatch: pytest.MonkeyPatch) -> list[SimpleNamespace]:
    """What was given to ComfyUI's model management."""
    found = []

    class Managed:
        def __init__(self, networks, release, kept_bytes) -> None:
            found.append(SimpleNamespace(networks=networks, release=release, kept_bytes=kept_bytes, room=[]))
            self.load = found[-1].room.append

    monkeypatch.setattr(host, "Managed", Managed)
    return found


def paint(node, image: torch.Tensor, style, **more) -> torch.Tensor:
    return node.paint(image, style, **more)["result"][0]


@pytest.mark.parametrize("look_size_px", [0, 40])
def test_a_node_that_remembers_paints_as_one_that_does_not(nodes, image, style, look_size_px) -> None:
    node, blended = nodes.PStylePaint(), random_style(3)
    for moved in (
        {"strength": 0.5},
        {"strength": 0.7},
        {"stroke": 1.5},
        {"keep_color": True},
        {"detail": 0.5},
    ):
        for one in (style, blended):
            settings = moved | {"look_size_px": look_size_px}
            fresh = nodes.PStylePaint()
            assert torch.equal(paint(node, image, one, **settings), paint(fresh, image, one, **settings))


def test_moved_settings_read_no_content_again(nodes, image, style, monkeypatch) -> None:
    reads, content = [], Generator.content
    monkeypatch.setattr(Generator, "content", lambda *args: reads.append(1) or content(*args))
    node = nodes.PStylePaint()
    paint(node, image, style, strength=0.5)
    first, reads[:] = len(reads), []
    for moved in (
        {"strength": 0.7},
        {"strength": 1.2},
        {"strength": 0.5, "keep_color": True},
        {"detail": 0.3},
    ):
        paint(node, image, style, **moved)
        paint(node, image, random_style(1), **moved)  # a blend moved
    assert first >= 2 and reads == []


def test_a_node_gives_comfyui_its_networks_once_and_forgets_when_told(
    nodes, image, style, managed: list[SimpleNamespace]
) -> None:
    node = nodes.PStylePaint()
    before = paint(node, image, style)
    paint(node, image, random_style(1), stroke=0.5)
    (given,), (first, second) = managed, managed[0].room
    assert second == 4 * first  # strokes of half the size take four times the pixels
    assert given.kept_bytes() <= first + second
    assert managed[0].kept_bytes() == node.painters.cache.bytes > 0
    managed[0].release()
    assert managed[0].kept_bytes() == 0
    assert torch.equal(paint(node, image, style), before)


def test_nothing_of_networks_that_are_no_longer_wired_is_kept(nodes, image, style, monkeypatch) -> None:
    own = painters.shipped_networks()
    kept, device = Painters(), host.compute_device()
    first = kept.load([(style, None)], 0)[0]
    first(torch.rand(1, 3, 16, 16))
    assert kept.load([(style, None), (random_style(1), None)], 0)[0] is first
    assert kept.cache.bytes > 0
    other = kept.load([(style, own)], 0)[0]
    assert kept.cache.bytes == 0 and other.generator is own.generator and other.device == device


def test_two_nodes_share_nothing(nodes, image, style) -> None:
    one, other = nodes.PStylePaint(), nodes.PStylePaint()
    paint(one, image, style)
    assert one.painters.cache.bytes > 0 == other.painters.cache.bytes


@pytest.mark.parametrize("times", [1, 3])
def test_without_memory_tiles_are_tried_once(nodes, image, style, monkeypatch, times: int) -> None:
    node, expected = nodes.PStylePaint(), paint(nodes.PStylePaint(), image[:1], style, tile="always")
    paint(node, image[:1], style, strength=0.9)
    painter, tries = node.painters.load([(style, None)], 0)[0], []
    real = painter.paint

    def full(*args, **more) -> torch.Tensor:
        tries.append(node.painters.cache.bytes)
        if len(tries) <= times:
            raise torch.OutOfMemoryError("full")
        return real(*args, **more)

    monkeypatch.setattr(painter, "paint", full)
    if times > 1:
        with pytest.raises(torch.OutOfMemoryError):
            paint(node, image[:1], style)
        assert len(tries) == 2
    else:
        assert torch.equal(paint(node, image[:1], style), expected) and tries[1] == 0
