"""Protects artists of color: tiles, dots, washes and thick paint are as they are told."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.measure
import torch

from pstyle.image.colors import luma
from pstyle.samples.color_artists import Mosaic, PaletteKnife, Pointillism, Watercolor
from pstyle.samples.pixel_fields import blur
from tests.samples.spectra import flat, photo


@pytest.mark.parametrize("tile_px", [10.0, 18.0])
def test_mosaic_tiles_have_one_color_and_the_size_they_are_told(tile_px: float) -> None:
    mosaic = Mosaic(tile_px=tile_px)(photo("coffee", 192), 0)
    colors = (mosaic[0] * 2**20).long()
    code = colors[0] * 4_194_301 + colors[1] * 2_039 + colors[2]
    _, code = np.unique(code.numpy(), return_inverse=True)
    areas = np.bincount(skimage.measure.label(code.reshape(192, 192) + 1, connectivity=1).ravel())
    stones = areas[areas > 8]  # the mortar is sandy: no two pixels of it agree
    side = tile_px * (1 - Mosaic(tile_px=tile_px).mortar)
    assert np.median(stones) == pytest.approx((side - 1) ** 2, rel=0.3)
    assert stones.max() < 4 * tile_px**2
    assert stones.sum() > 0.45 * 192**2


def test_pointillism_dots_have_the_size_they_are_told() -> None:
    def half_width_px(dot_px: float) -> float:
        painting = Pointillism(dot_px=dot_px, division=1.0)(flat(0.5, 192), 0)
        shades = painting - painting.mean((2, 3), keepdim=True)
        likeness = torch.fft.ifft2(torch.fft.fft2(shades).abs().square()).real.sum((0, 1))[0, :40]
        likeness = likeness / likeness[0]
        below = int((likeness < 0.5).float().argmax())
        return below - 1 + float((likeness[below - 1] - 0.5) / (likeness[below - 1] - likeness[below]))

    small, large = half_width_px(6.0), half_width_px(15.0)
    # Of a lone disc it would be 0.4 diameters; dots partly hide each other.
    assert small / 6 == pytest.approx(0.33, abs=0.1)
    assert large / 15 == pytest.approx(0.33, abs=0.1)


def test_pointillism_divides_the_colors_and_keeps_their_mean() -> None:
    image = flat(0.5) * torch.tensor([1.2, 0.9, 0.7]).view(1, 3, 1, 1)
    calm, divided = (Pointillism(division=d)(image, 0) for d in (0.0, 0.9))
    assert divided.std((2, 3)).mean() > 4 * calm.std((2, 3)).mean()
    assert (divided.mean((2, 3)) - image.mean((2, 3))).abs().max() < 0.12


def test_watercolor_is_darkest_at_the_rim_of_a_wash() -> None:
    image = flat(0.9, 128)
    image[..., 64:] = 0.45
    profiles = {
        rim: luma(Watercolor(rim=rim, grain=0.0)(image, 0))[0, 0].median(0).values for rim in (0.0, 2.0)
    }
    edge, inside = slice(62, 70), slice(80, 120)
    assert profiles[2.0][edge].min() < profiles[2.0][inside].median() - 0.06
    assert profiles[0.0][edge].min() > profiles[0.0][inside].median() - 0.04


def test_watercolor_pigment_settles_in_the_paper() -> None:
    smooth, grainy = (Watercolor(grain=grain)(flat(0.5), 0) for grain in (0.0, 1.5))
    fine = [float((p - blur(p, 2.0)).std()) for p in (smooth, grainy)]
    assert fine[1] > 2 * fine[0]


def test_thick_paint_catches_the_light_as_strongly_as_it_is_told() -> None:
    image = flat(0.5)
    spread = [float(luma(PaletteKnife(relief=relief)(image, 0)).std()) for relief in (0.0, 0.5, 1.0)]
    assert spread[1] > 1.3 * spread[0] and spread[2] > 1.3 * spread[1]
