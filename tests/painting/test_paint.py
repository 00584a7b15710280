"""Protects painting of any size: memory that runs out, and a large picture that looks like its preview."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pstyle.core.memory import InsufficientMemory, is_out_of_memory
from pstyle.evaluation.metrics import patch_swd, ssim
from pstyle.image.resizing import resize_to
from pstyle.painting import paint as paint_module
from pstyle.painting.paint import SizeConfig, paint, reference_size, tile_px
from pstyle.painting.painter import Painter
from pstyle.style.paint_settings import PaintSettings
from tests.conftest import random_picture

NATIVE = SizeConfig(look_size_px=0)


def half_mask(height: int, width: int) -> torch.Tensor:
    mask = torch.zeros(1, 1, height, width)
    mask[..., width // 2 :] = 1
    return mask


@pytest.fixture
def other(painter, rng) -> Painter:
    """A painter of another style of the same generator."""
    style = replace(painter.style, latent=torch.randn(painter.style.latent.shape, generator=rng))
    return Painter(style, painter.generator, painter.vgg, "cpu")


@pytest.mark.parametrize("tile", ["auto", "always", "never"])
def test_tiles_change_nothing(painter, other, rng, tile):
    image, mask = torch.rand(2, 4, 72, 97, generator=rng), half_mask(72, 97)
    size = replace(NATIVE, tile=tile)
    assert torch.allclose(paint(image, painter, size=size), painter(image), atol=1e-4)
    found = paint(image, painter, PaintSettings(strength=0.7), mask, size=size)
    assert torch.allclose(found, painter(image, PaintSettings(strength=0.7), mask), atol=1e-4)
    found = paint(image, painter, PaintSettings(), mask, other, size)
    assert torch.allclose(found, painter(image, mask=mask, second=other), atol=1e-4)


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        InsufficientMemory("no room"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_memory_that_runs_out_is_met_with_tiles_once(painter, picture, monkeypatch, error):
    expected, asked = painter(picture), []

    def run_out(*_) -> None:
        asked.append(1)
        raise error

    monkeypatch.setattr("pstyle.painting.native.check_room", run_out)
    assert torch.allclose(paint(picture, painter, size=NATIVE), expected, atol=1e-4) and asked == [1]
    with pytest.raises(type(error)):
        paint(picture, painter, size=SizeConfig("never", 0))


def test_other_errors_are_told(painter, picture, monkeypatch):
    def fail(*_) -> None:
        raise RuntimeError("something else")

    monkeypatch.setattr("pstyle.painting.native.check_room", fail)
    with pytest.raises(RuntimeError, match="something else"):
        paint(picture, painter, size=NATIVE)
    assert not is_out_of_memory(KeyboardInterrupt())


def test_tiles_shrink_with_memory(painter, monkeypatch):
    for free, side in ((None, 1024), (1 << 40, 1024), (400 << 20, 512), (1 << 20, 256)):
        monkeypatch.setattr(paint_module, "free_bytes", lambda device, free=free: free)
        assert tile_px(painter) == side


def test_a_picture_takes_the_look_of_the_size_asked_for():
    assert reference_size(4096, 6144, 768) == (768, 1152) and reference_size(999, 333, 100) == (300, 100)
    assert reference_size(768, 1000, 768) is None and reference_size(4000, 4000, 0) is None


@pytest.mark.parametrize("tile", ["auto", "always"])
def test_made_small_again_a_large_painting_is_its_preview(painter, rng, tile):
    """With strokes in proportion; painted at its own size it is another picture."""
    photo = random_picture(rng, 384, 512)
    settings, size = PaintSettings(strength=0.9, detail=0.2), SizeConfig(tile, 96)
    preview = painter(resize_to(photo, 96, 128), settings)
    found = resize_to(paint(photo, painter, settings, size=size), 96, 128)
    assert ssim(found, preview) > 0.85 and patch_swd(found, preview) < 0.015
    assert ssim(resize_to(painter(photo, settings), 96, 128), preview) < ssim(found, preview) - 0.05


def test_of_a_painting_that_is_the_picture_the_picture_comes_back(painter, rng):
    photo = random_picture(rng, 203, 155)
    found = paint(photo, painter, PaintSettings(strength=0.0), size=SizeConfig(look_size_px=64))
    assert torch.allclose(found, photo, atol=1e-4)


def test_masked_a_large_picture_stays_as_it_is(painter, other, rng):
    photo, mask = random_picture(rng, 160, 200), half_mask(160, 200)
    found = paint(photo, painter, mask=mask, size=SizeConfig(look_size_px=64))
    assert torch.equal(found[..., :100], photo[..., :100])
    assert not torch.allclose(found[..., 100:], photo[..., 100:], atol=0.05)
    found = paint(photo, painter, None, mask, other, SizeConfig(look_size_px=64))
    alone = [paint(photo, one, size=SizeConfig(look_size_px=64)) for one in (painter, other)]
    assert (found[..., -9:] - alone[0][..., -9:]).abs().mean() < 0.03 < (alone[0] - alone[1]).abs().mean()


def test_bad_settings_are_refused(painter, picture):
    for bad in ({"tile": "maybe"}, {"look_size_px": -1}, {"look_size_px": 10**6}, {"look_size_px": 7.5}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            SizeConfig(**bad)
    with pytest.raises(ValueError, match="give a mask"):
        paint(picture, painter, second=painter)
    with pytest.raises(ValueError, match="non-finite pixel"):
        paint(picture / 0, painter)
