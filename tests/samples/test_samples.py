"""Protects the procedural artists: same seed, same painting, and each shows the style that it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
import skimage.measure
import torch
from torch import Tensor

from pstyle.core.config import describe
from pstyle.image.colors import luma
from pstyle.samples import ARTISTS, paint_as, procedural_style, random_artist
from pstyle.samples.color_artists import Mosaic, PaletteKnife, Pointillism, Watercolor
from pstyle.samples.ink_artists import Charcoal, Hatching, Screenprint, Woodcut
from pstyle.samples.palettes import random_palette
from pstyle.samples.pixel_fields import blur
from tests.conftest import random_picture
from tests.samples.spectra import flat, grating, peak, photo, spectrum, turn_between

NAMES = sorted(ARTISTS)


# What every artist promises


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_paints_the_same_and_another_does_not(name: str) -> None:
    image = photo("astronaut", 64)
    before = image.clone()
    first, again, other = (paint_as(name, image, seed) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert (first - other).abs().mean() > 1e-3
    assert torch.equal(image, before)


@pytest.mark.parametrize("name", NAMES)
def test_the_global_random_state_is_neither_read_nor_moved(name: str) -> None:
    image = photo("astronaut", 32)
    state = torch.get_rng_state()
    first = paint_as(name, image, 0)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(1)
    try:
        assert torch.equal(first, paint_as(name, image, 0))
    finally:
        torch.set_rng_state(state)


@pytest.mark.parametrize("size", [(16, 16), (17, 33), (61, 16), (45, 37)])
@pytest.mark.parametrize("name", NAMES)
def test_any_size_keeps_its_size_and_stays_in_range(name: str, size: tuple[int, int], rng) -> None:
    artist = ARTISTS[name]
    extremes = [
        type(artist)(**{field: declared[end] for field, declared in describe(artist).items()})
        for end in ("minimum", "maximum")
    ]
    image, black, white = random_picture(rng, *size), torch.zeros(1, 3, *size), torch.ones(1, 3, *size)
    for painter, subject in ((artist, black), (artist, white), *((extreme, image) for extreme in extremes)):
        painting = painter(subject, 1)
        assert painting.shape == subject.shape and painting.dtype == torch.float32
        assert painting.isfinite().all() and painting.min() >= 0 and painting.max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_can_be_recognized(name: str) -> None:
    for subject in ("astronaut", "coffee"):
        image = photo(subject)
        seen = torch.stack([blur(luma(p), 8).flatten() for p in (image, paint_as(name, image, 0))])
        assert torch.corrcoef(seen)[0, 1] > 0.85


@pytest.mark.parametrize("name", NAMES)
def test_painting_works_without_autograd(name: str) -> None:
    with torch.inference_mode():
        assert paint_as(name, photo("coffee", 32), 0).isfinite().all()


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (torch.zeros(3, 32, 32), "1, 3, H, W"),
        (torch.zeros(2, 3, 32, 32), "1, 3, H, W"),
        (torch.zeros(1, 4, 32, 32), "1, 3, H, W"),
        (torch.zeros(1, 3, 15, 32), "at least 16"),
        ("picture.png", "str"),
        (torch.zeros(1, 3, 32, 32, dtype=torch.float64), "float64"),
        (torch.full((1, 3, 32, 32), 1.01), r"\[0, 1\]"),
        (torch.full((1, 3, 32, 32), float("nan")), "NaN"),
    ],
)
def test_what_no_artist_paints_is_refused(image: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        paint_as("oil", image)


def test_an_unknown_artist_or_setting_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'monet'.*hatching"):
        paint_as("monet", photo("coffee", 32))
    with pytest.raises(ValueError, match="wavelength_px"):
        Hatching(wavelength_px=0.5)


# What each artist promises


@pytest.mark.parametrize(("wavelength_px", "degrees"), [(5.0, 20.0), (8.0, 110.0), (12.0, 60.0)])
def test_hatching_has_the_wavelength_and_direction_it_is_given(wavelength_px: float, degrees: float) -> None:
    drawing = Hatching(wavelength_px=wavelength_px, angle_degrees=degrees)(flat(0.68, 256), 0)
    found_px, angle = peak(drawing)
    assert found_px == pytest.approx(wavelength_px, rel=0.07)
    assert turn_between(angle, math.radians(degrees)) < math.radians(4)


def test_hatching_crosses_its_strokes_where_it_is_darker() -> None:
    crossing = math.radians(35) + 1.0

    def power_along(drawing: Tensor, angle: float) -> Tensor:
        power, down, right = spectrum(drawing)
        away = ((down - math.cos(angle) / 6) ** 2 + (right + math.sin(angle) / 6) ** 2).sqrt()
        return power[away < 0.02].sum()

    light, dark = (Hatching()(flat(value, 256), 0) for value in (0.7, 0.35))
    assert power_along(dark, crossing) > 5 * power_along(light, crossing)
    assert dark.mean() < light.mean() - 0.15


def test_woodcut_has_two_tones() -> None:
    print_ = luma(Woodcut()(photo("astronaut", 192), 0))
    ink, paper = print_.amin(), print_.amax()
    share = (print_ - ink) / (paper - ink)
    assert ((share < 0.08) | (share > 0.92)).float().mean() > 0.85
    assert 0.2 < (share < 0.5).float().mean() < 0.8


@pytest.mark.parametrize("wavelength_px", [5.0, 9.0])
def test_woodcut_gouges_lie_as_far_apart_as_they_are_told(wavelength_px: float) -> None:
    found_px, _ = peak(Woodcut(wavelength_px=wavelength_px)(flat(0.5, 192), 0))
    assert found_px == pytest.approx(wavelength_px, rel=0.15)


def test_woodcut_gouges_follow_the_form() -> None:
    for angle in (0.4, 1.9):
        form = 0.5 + 0.15 * (grating(192, 48, angle) - 0.5)
        _, found = peak(Woodcut(wavelength_px=6)(form, 0), longest_px=12)
        assert turn_between(found, angle) < math.radians(12)


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


def test_charcoal_has_a_finer_or_coarser_grain() -> None:
    def fineness(tooth_px: float) -> float:
        drawing = Charcoal(tooth_px=tooth_px)(flat(0.5), 0)
        return float((drawing - blur(drawing, 1.0)).std() / drawing.std())

    assert fineness(1.5) > 1.2 * fineness(8.0)


@pytest.mark.parametrize("inks", [2, 4])
def test_screenprint_has_as_many_colors_as_inks_and_paper(inks: int) -> None:
    print_ = Screenprint(inks=inks, palette_seed=7)(photo("astronaut", 192), 0)[0].flatten(1).T
    colors = random_palette(7)[torch.linspace(0, 5, inks + 1).long()]
    nearest, which = torch.cdist(print_, colors).min(1)
    assert (nearest < 0.06).float().mean() > 0.85  # the rest lies on the borders of the dots
    assert torch.bincount(which[nearest < 0.06], minlength=inks + 1).min() > 0.03 * len(print_)


def test_screenprint_dots_lie_as_far_apart_as_they_are_told() -> None:
    between_two_inks = flat(1 / 3, 192)
    found_px, _ = peak(Screenprint(dot_px=8.0, inks=2)(between_two_inks, 0))
    assert found_px == pytest.approx(8, rel=0.1)


def test_the_artists_can_be_told_apart() -> None:
    def statistics(image: Tensor) -> Tensor:
        power, down, right = spectrum(image)
        radius = (down**2 + right**2).sqrt()
        edges = (0.03, 0.06, 0.1, 0.15, 0.22, 0.35, 0.5)
        bands = [power[(radius > a) & (radius <= b)].sum() for a, b in zip(edges, edges[1:], strict=False)]
        gray, colors = luma(image), image - luma(image)
        steps, fine, fine_colors = gray.diff(dim=3).abs(), gray - blur(gray, 2.0), colors - blur(colors, 2.0)
        return torch.stack(
            [
                *(torch.stack(bands) / sum(bands) + 1e-4).log(),
                *(
                    (steps < 1e-6).float().mean(),
                    (steps < 0.01).float().mean(),
                    (steps > 0.15).float().mean(),
                ),
                *(steps.std(), fine.std().log(), fine.pow(3).mean() / fine.std() ** 3),
                *((colors.std() + 0.01).log(), (fine_colors.std() + 0.002).log()),
            ]
        )

    subjects = ("astronaut", "coffee", "chelsea", "rocket")
    table = torch.stack(
        [torch.stack([statistics(paint_as(n, photo(s), 0)) for n in NAMES]) for s in subjects]
    )
    table = (table - table.mean((0, 1))) / table.std((0, 1))  # (subjects, artists, statistics)
    right = 0
    for left_out in range(len(subjects)):
        known = torch.cat([table[:left_out], table[left_out + 1 :]]).mean(0)
        right += int((torch.cdist(table[left_out], known).argmin(1) == torch.arange(len(NAMES))).sum())
    assert right >= 0.75 * len(subjects) * len(NAMES)  # by chance a ninth


# Random artists


def test_a_random_artist_is_the_same_for_the_same_seed_only() -> None:
    image = photo("coffee", 48)
    assert random_artist(5) == random_artist(5)
    assert torch.equal(procedural_style(5, image), random_artist(5)(image, 5))
    assert len({random_artist(seed) for seed in range(200)}) == 200


def test_random_artists_are_of_every_kind_and_use_the_whole_range() -> None:
    drawn = [random_artist(seed) for seed in range(400)]
    assert {type(artist) for artist in drawn} == {type(artist) for artist in ARTISTS.values()}
    assert 0.2 < sum(artist.palette_seed == 0 for artist in drawn) / len(drawn) < 0.6
    angles = [artist.angle_degrees for artist in drawn if isinstance(artist, Hatching)]
    assert min(angles) < 20 and max(angles) > 160
