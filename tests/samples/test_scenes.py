"""Protects the procedural contents: the same for a seed, and statistically like photographs."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pstyle.image.colors import luma
from pstyle.samples import content_pictures
from pstyle.samples.scenes import SCENES, poster
from tests.samples.spectra import photo

PHOTOS = ("astronaut", "coffee", "chelsea", "rocket")


@pytest.fixture(scope="module")
def scenes() -> list[Tensor]:
    return content_pictures(18, 128, seed=0)


def slope(image: Tensor) -> float:
    """Exponent of the power spectrum, about -2 to -3 for photographs."""
    gray = luma(image)[0, 0]
    window = torch.hann_window(len(gray), periodic=False)
    power = torch.fft.fft2((gray - gray.mean()) * window * window.view(-1, 1)).abs().square()
    frequency = torch.fft.fftfreq(len(gray))
    radius = (frequency.view(-1, 1) ** 2 + frequency**2).sqrt()
    at = 0.03 * 2 ** torch.arange(0, 3.5, 0.5)
    levels = torch.stack([power[(radius > r / 1.19) & (radius <= r * 1.19)].mean().log() for r in at])
    place = at.log() - at.log().mean()
    return float((place * levels).sum() / place.square().sum())


def test_scenes_are_finite_pictures_of_the_size_asked_for(scenes: list[Tensor]) -> None:
    sizes = [(picture, 128) for picture in scenes]
    sizes += [(picture, size) for size in (16, 33) for picture in content_pictures(len(SCENES), size, seed=4)]
    for picture, size_px in sizes:
        assert picture.shape == (1, 3, size_px, size_px) and picture.dtype == torch.float32
        assert picture.isfinite().all() and picture.min() >= 0 and picture.max() <= 1


def test_a_scene_depends_on_seed_and_place_only() -> None:
    few, many, other = content_pictures(3, 40, 1), content_pictures(5, 40, 1), content_pictures(3, 40, 2)
    assert all(torch.equal(a, b) for a, b in zip(few, many, strict=False))
    assert all((a - b).abs().mean() > 0.02 for a, b in zip(few, other, strict=True))


def test_no_two_scenes_are_alike(scenes: list[Tensor]) -> None:
    small = torch.cat([F.interpolate(picture, (16, 16), mode="area") for picture in scenes]).flatten(1)
    apart = torch.cdist(small, small) / small.shape[1] ** 0.5 + torch.eye(len(small))
    assert apart.min() > 0.06


def test_spectra_fall_off_as_those_of_photographs(scenes: list[Tensor]) -> None:
    slopes = torch.tensor([slope(picture) for picture in scenes])
    natural = torch.tensor([slope(photo(name)) for name in PHOTOS])
    assert float(slopes.mean()) == pytest.approx(float(natural.mean()), abs=0.5)
    assert slopes.std() > 0.2


def test_brightness_contrast_and_color_vary_as_in_photographs(scenes: list[Tensor]) -> None:
    gray = torch.cat([luma(picture) for picture in scenes])
    chroma = torch.stack([(picture - luma(picture)).square().sum(1).sqrt().mean() for picture in scenes])
    means, contrasts = gray.mean((1, 2, 3)), gray.std((1, 2, 3))
    assert 0.35 < means.mean() < 0.55 and means.std() > 0.03
    assert 0.14 < contrasts.mean() < 0.27 and contrasts.std() > 0.015
    assert 0.05 < chroma.mean() < 0.2 and chroma.std() > 0.03


def test_there_are_flat_areas_and_sharp_edges(scenes: list[Tensor]) -> None:
    gray = torch.cat([luma(picture) for picture in scenes])
    steps = (gray.diff(dim=3)[..., 1:, :].square() + gray.diff(dim=2)[..., 1:].square()).sqrt()
    assert 0.1 < (steps < 0.01).float().mean() < 0.5
    assert (steps > 0.2).float().mean() > 0.01


@pytest.mark.parametrize(("count", "size_px"), [(0, 64), (-1, 64), (3, 15)])
def test_impossible_orders_are_refused(count: int, size_px: int) -> None:
    with pytest.raises(ValueError, match=f"got {count} and {size_px}"):
        content_pictures(count, size_px)


def test_a_poster_is_flatter_than_any_other_scene() -> None:
    def flat(picture: Tensor) -> float:
        gray = luma(F.avg_pool2d(picture, 2))
        return float((gray.diff(dim=3).abs() < 0.01).float().mean())

    shares = torch.tensor([flat(picture) for picture in content_pictures(4 * len(SCENES), 128, seed=5)])
    assert shares.view(4, len(SCENES)).mean(0).argmax() == SCENES.index(poster)
