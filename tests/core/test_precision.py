"""Protects the choice of a number format: bfloat16 only where it is faster and as good."""

from __future__ import annotations

import pytest
import torch

from pstyle.core import precision
from pstyle.core.precision import computes_bfloat16, fastest, psnr_db
from pstyle.nets.generator import load_generator, style_moments
from pstyle.nets.vgg import load_vgg
from pstyle.painting.painter import Painter
from pstyle.samples import content_pictures
from pstyle.style.provenance import Provenance
from pstyle.style.styled_generator import StyledGenerator

CPU = torch.device("cpu")


class Clock:
    """Stands still but for a painter that takes so long in bfloat16, and a second in float32."""

    def __init__(self, seconds, error):
        self.now, self.seconds, self.error = 0.0, seconds, error

    def perf_counter(self):
        return self.now

    def paint(self, picture, dtype):
        low = dtype == torch.bfloat16
        self.now += self.seconds if low else 1.0
        return picture + self.error if low else picture


@pytest.mark.parametrize(
    ("seconds", "error", "expected"),
    [
        (0.5, 0.001, torch.bfloat16),
        (1.5, 0.001, torch.float32),  # slower
        (0.5, 0.1, torch.float32),  # faster, and bad
        (0.5, float("nan"), torch.float32),
    ],
)
def test_bfloat16_has_to_be_faster_and_as_good(monkeypatch, seconds, error, expected):
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device: True)
    clock = Clock(seconds, error)
    monkeypatch.setattr(precision, "time", clock)
    assert fastest(clock.paint, CPU) == expected


def test_where_it_is_emulated_nothing_is_measured(monkeypatch):
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device: False)
    assert fastest(lambda picture, dtype: pytest.fail("measured"), CPU) == torch.float32
    assert isinstance(computes_bfloat16(CPU), bool)


def test_psnr_is_its_definition():
    a = torch.zeros(1, 3, 4, 4)
    assert psnr_db(a, a + 0.1) == pytest.approx(20.0, abs=1e-4) and psnr_db(a, a) == float("inf")


def test_the_shipped_painter_paints_the_same_in_bfloat16():
    generator, vgg = load_generator(), load_vgg()
    image = content_pictures(1, 192, seed=3)[0].clamp(0, 1)
    latent = generator.encode(style_moments(vgg, image.flip(1)))[0]
    style = StyledGenerator(generator, latent).style(Provenance())
    exact, low = (
        Painter(style, generator, vgg, "cpu", dtype)(image) for dtype in (torch.float32, torch.bfloat16)
    )
    assert low.dtype == torch.float32 and not torch.equal(low, exact)
    assert psnr_db(low, exact) > 30  # a painter that stays below 38 dB is not chosen


def test_a_picture_s_own_style_is_read_in_the_painter_s_format(painter, rng):
    picture = torch.rand(1, 3, 96, 128, generator=rng)
    assert painter.dtype == torch.float32 and painter.reader is painter.vgg
    low = Painter(painter.style, painter.generator, painter.vgg, "cpu", torch.bfloat16)
    assert {weight.dtype for weight in low.reader.parameters()} == {torch.bfloat16}
    assert {weight.dtype for weight in low.vgg.parameters()} == {torch.float32}  # others share it
    assert low.reader is low.reader and low.reader(picture)["relu2_1"].dtype == torch.bfloat16
    for site, exact in painter.own_modulation(picture).items():
        found = low.own_modulation(picture)[site].float()
        assert torch.allclose(found, exact, atol=0.02 * exact.abs().max().item() + 1e-3)
    reader = low.reader
    low.clear()
    assert low.reader is not reader
