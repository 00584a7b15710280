"""Protects the choice of a number format: by what the device can do, the same at every start, good enough."""

from __future__ import annotations

import pytest
import torch

from pstyle.core import precision
from pstyle.core.precision import computes_bfloat16, number_format, psnr_db
from pstyle.nets.generator import load_generator, style_moments
from pstyle.nets.vgg import load_vgg
from pstyle.painting.painter import Painter
from pstyle.samples import content_pictures
from pstyle.style.provenance import Provenance
from pstyle.style.styled_generator import StyledGenerator

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("instructions", "expected"),
    [
        ((), False),
        (("avx512", "vnni"), False),  # which emulate bfloat16
        (("avx512_bf16",), True),
        (("amx_tile",), True),
    ],
)
def test_a_cpu_needs_the_instructions(monkeypatch, instructions, expected):
    for name in ("avx512", "vnni", "avx512_bf16", "amx_tile"):
        monkeypatch.setattr(
            torch.cpu, f"_is_{name}_supported", lambda name=name: name in instructions, raising=False
        )
    assert computes_bfloat16(CPU) is expected


def test_a_torch_that_cannot_tell_computes_in_float32(monkeypatch):
    for name in ("avx512_bf16", "amx_tile"):
        monkeypatch.delattr(torch.cpu, f"_is_{name}_supported", raising=False)
    assert not computes_bfloat16(CPU)


@pytest.mark.parametrize("native", [True, False])
def test_a_gpu_needs_them_too(monkeypatch, native):
    asked = []
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **more: asked.append(more) or native)
    assert computes_bfloat16(torch.device("cuda")) is native
    assert asked == [{"including_emulation": False}]
    assert not computes_bfloat16(torch.device("mps"))


@pytest.mark.parametrize("native", [True, False])
def test_painters_take_the_device_s_format_unless_given_one(painter, monkeypatch, native):
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device: native)
    given = (painter.style, painter.generator, painter.vgg, "cpu")
    expected = torch.bfloat16 if native else torch.float32
    assert Painter(*given).dtype == number_format(CPU) == expected
    assert Painter(*given, torch.float32).dtype == torch.float32


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
    assert psnr_db(low, exact) > 38


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
