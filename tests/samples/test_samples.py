"""Protects the procedural artists: same seed, same painting, and each shows the style that it says."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pstyle.core.config import describe
from pstyle.image.colors import luma
from pstyle.samples import ARTISTS, paint_as, procedural_style, random_artist
from pstyle.samples.ink_artists import Hatching
from pstyle.samples.pixel_fields import blur
from tests.conftest import random_picture
from tests.samples.spectra import photo, spectrum

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
