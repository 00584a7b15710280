"""Protects memory: a picture too large to paint is refused before anything is allocated."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest
import torch

from pstyle.core import memory
from pstyle.core.memory import BYTES_PER_PX, check_room, free_bytes
from pstyle.style.paint_settings import PaintSettings

CPU = torch.device("cpu")


def test_what_fits_is_let_through(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda device: 100 * 50 * BYTES_PER_PX)
    check_room(50, 100, CPU)
    with pytest.raises(ValueError, match="painting 101x50 px takes about"):
        check_room(50, 101, CPU)


def test_the_size_that_is_told_fits(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda device: 2 << 30)
    with pytest.raises(ValueError, match=r"reduce the picture to (\d+)x(\d+) px") as told:
        check_room(20_000, 30_000, CPU)
    width, height = (int(side) for side in str(told.value).split("to ")[1].split(" px")[0].split("x"))
    check_room(height, width, CPU)
    assert width / height == pytest.approx(1.5, abs=0.01) and width * height > 0.99 * (2 << 30) / BYTES_PER_PX


def test_nothing_is_refused_where_the_system_does_not_tell(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda device: None)
    check_room(10**6, 10**6, CPU)


def test_free_memory_of_this_machine_is_known_and_sane():
    assert 2**20 < free_bytes(CPU) < 2**50


def test_linux_tells_what_it_would_give_back(monkeypatch, tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemFree: 1 kB\nMemAvailable: 7 kB\n")
    monkeypatch.setattr(memory, "LINUX_MEMORY", tmp_path / "meminfo")
    assert free_bytes(CPU) == 7 * 1024


def test_what_torch_keeps_of_a_gpu_is_free(monkeypatch):
    for name, value in (("mem_get_info", (5, 80)), ("memory_reserved", 30), ("memory_allocated", 10)):
        monkeypatch.setattr(torch.cuda, name, lambda device, value=value: value)
    assert free_bytes(torch.device("cuda")) == 25


@pytest.mark.parametrize(("stroke", "side"), [(1.0, 64), (0.5, 128), (2.0, 64)])
def test_the_painter_asks_for_the_larger_of_both_sizes(painter, monkeypatch, stroke, side):
    asked = []
    monkeypatch.setattr("pstyle.painting.native.check_room", lambda *sizes: asked.append(sizes))
    painter(torch.rand(1, 3, 64, 64), PaintSettings(stroke=stroke))
    assert asked == [(side, side, painter.device)]


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_painting_takes_no_more_than_is_told(strength):
    code = """
import sys, torch
from pstyle.nets.generator import load_generator, style_moments
from pstyle.painting.paint import SizeConfig
from pstyle.painting.painter import Painter
from pstyle.style.provenance import Provenance
from pstyle.style.styled_generator import StyledGenerator
from pstyle.nets.vgg import load_vgg

def peak():
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))) * 1024

generator, vgg = load_generator(), load_vgg()
latent = generator.encode(style_moments(vgg, torch.rand(1, 3, 64, 64)))[0]
painter = Painter(StyledGenerator(generator, latent).style(Provenance()), generator, vgg, "cpu")
painter(torch.rand(1, 3, 64, 64))
picture = torch.rand(1, 3, 2048, 2048)
before = peak()
painter(picture, strength=float(sys.argv[1]), size=SizeConfig("never", 0))
print((peak() - before) / 2048**2)
"""
    command = [sys.executable, "-c", code, str(strength)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) < BYTES_PER_PX


PAGE_FAULTS = """
import resource, sys, torch
from pstyle.nets.layers import conv
from pstyle.core.memory import keep_freed_memory
torch.set_num_threads(1)
if sys.argv[1] == "keep":
    keep_freed_memory()
weight, image = torch.rand(24, 24, 3, 3), torch.rand(1, 24, 256, 256)
def faults(rounds):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        x = image
        for _ in range(3):
            x = conv(x, weight, None)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults(4)
print(faults(8))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="what a C library keeps is its own affair")
def test_pages_of_a_painting_serve_the_next():
    found = {}
    for way in ("keep", "return"):
        command = [sys.executable, "-c", PAGE_FAULTS, way]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found[way] = int(done.stdout)
    assert found["keep"] < found["return"] / 4, found
