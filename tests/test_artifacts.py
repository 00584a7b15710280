"""Protects the numbers for artifacts: each is silent on a clean picture and tells what it is named for."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
import torch

from pstyle.image.colors import luma

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def bench():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield importlib.import_module("artifacts")
    finally:
        sys.path.remove(str(BENCHMARKS))


def checkerboard(size):
    rows = torch.arange(size)
    return ((rows[:, None] + rows) % 2).float() - 0.5


def test_noise_has_no_peak_at_nyquist_and_a_checkerboard_has(bench, rng):
    noise = 0.5 + 0.02 * torch.randn(1, 3, 512, 512, generator=rng)
    flat = torch.ones(256, dtype=torch.bool)
    assert bench.nyquist_peak(luma(noise), flat) == pytest.approx(1.0, abs=0.2)
    assert bench.nyquist_peak(luma(noise + 0.02 * checkerboard(512)), flat) > 2
    stripes = 0.02 * (torch.arange(512) % 2).float()
    assert bench.nyquist_peak(luma(noise + stripes), flat) > 2


def test_flat_blocks_are_those_without_contrast(bench, rng):
    photo = torch.full((1, 3, 64, 64), 0.5)
    photo[..., :32, :32] = torch.rand(1, 3, 32, 32, generator=rng)
    assert bench.flat_blocks(photo).tolist() == [False, True, True, True]


def test_a_frame_is_error_at_the_border(bench, rng):
    photo = torch.rand(1, 3, 128, 160, generator=rng) * 0.5
    assert bench.frame(photo + 0.1, photo) == pytest.approx(1.0)
    framed = photo + 0.1
    framed[..., :8] += 0.1
    assert bench.frame(framed, photo) > 1.2


def test_a_painter_that_copies_has_no_halo_and_no_holes(bench):
    assert bench.halo(lambda image: image) == pytest.approx(0.0, abs=1e-5)
    assert bench.holes(lambda image: image) == 0


def test_sharpening_makes_halos_and_a_patch_is_a_hole(bench):
    def sharpened(image):
        blurred = torch.nn.functional.avg_pool2d(image, 25, 1, 12, count_include_pad=False)
        return (image + 0.5 * (image - blurred)).clamp(0, 1)

    def torn(image):
        found = image.clone()
        found[:, :, 100:200, 100:200] = torch.tensor([0.9, 0.2, 0.2]).view(3, 1, 1)
        return found

    assert bench.halo(sharpened) > 0.05
    assert bench.holes(torn) == pytest.approx(100 * 100 / 512**2, rel=0.3)  # and its blurred rim


def test_a_point_is_in_front_unless_another_is_better_in_both(bench):
    pareto = importlib.import_module("pareto")
    points = [
        ("a", [0.1, 0, 0, 0.9]),
        ("b", [0.2, 0, 0, 0.5]),
        ("c", [0.2, 0, 0, 0.95]),
        ("d", [0.3, 0, 0, 0.1]),
    ]
    assert pareto.in_front(points) == {"a", "b", "d"}
