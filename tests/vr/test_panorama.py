"""Protects painting of spheres: closed, turned as one likes, alike at the poles, and whatever painting itself
promises.
"""

from __future__ import annotations

import math

import pytest
import torch

from benchmarks.worlds import world
from pstyle.painting.native import FULL_STRENGTH
from pstyle.painting.paint import SizeConfig
from pstyle.style.paint_settings import PaintSettings
from pstyle.vr.panorama import first_column, paint_panorama, paint_spheres
from pstyle.vr.seam_scores import pole_ratio, seam_ratio
from pstyle.vr.sphere import perspective, pixel_directions, resized, row_weights, sampled

HEIGHT = 128


@pytest.fixture(scope="module")
def sphere() -> torch.Tensor:
    return world(*pixel_directions(HEIGHT))


@pytest.mark.parametrize("turn", [1, 8, 77, 128, 255])
def test_it_may_be_turned_by_any_columns(painter, sphere, turn):
    turned = paint_panorama(painter, sphere.roll(turn, 3)).roll(-turn, 3)
    assert torch.allclose(turned, paint_panorama(painter, sphere), atol=1e-5)


def test_the_first_column_turns_with_the_picture(sphere, rng):
    start = first_column(sphere)
    assert [(first_column(sphere.roll(turn, 3)) - start) % 256 for turn in (0, 1, 100)] == [0, 1, 100]
    bright = torch.zeros(1, 3, 32, 64)
    bright[..., 20:31] = 1
    assert first_column(bright) == 25
    assert first_column(torch.full((1, 3, 32, 64), 0.5)) in range(64)


def test_it_closes(painter, rng):
    sphere = world(*pixel_directions(HEIGHT), seed=3)
    assert seam_ratio(sphere) < 1.2
    seams = [seam_ratio(paint_panorama(painter, sphere.roll(turn, 3))) for turn in range(0, 256, 32)]
    flat = [seam_ratio(painter(sphere.roll(turn, 3))) for turn in range(0, 256, 32)]
    assert sum(seams) / 8 == pytest.approx(1, abs=0.1) and sum(flat) > 1.1 * sum(seams)


def test_poles_are_painted_as_views_are(painter, sphere):
    """A view up is what it is when painted as a picture, as much as a view ahead is."""
    painted = paint_panorama(painter, sphere)
    whole = painter.measure(sphere, FULL_STRENGTH, "circular", row_weights(HEIGHT))
    start = first_column(sphere) * math.pi / HEIGHT  # in whose direction the face's lower side lies

    def error(latitude: float) -> float:
        where = perspective(start, latitude, math.radians(90), 80)
        direct = painter.paint(sampled(sphere, where).clamp(0, 1), FULL_STRENGTH, whole)
        return (direct - sampled(painted, where))[..., 24:-24, 24:-24].abs().mean().item()

    assert (error(math.pi / 2) + error(-math.pi / 2)) / 2 < 1.5 * error(0)
    assert pole_ratio(painted) == pytest.approx(pole_ratio(sphere), abs=0.2)


@pytest.mark.parametrize("height", [16, 17, 20, 33, 50])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sizes_and_channels(painter, rng, height, channels):
    image = torch.rand(2, channels, height, 2 * height, generator=rng)
    painted = paint_panorama(painter, image)
    assert painted.shape == (2, 4 if channels == 4 else 3, height, 2 * height)
    assert painted.isfinite().all() and painted.min() >= 0 and painted.max() <= 1


@pytest.mark.parametrize("height", [1, 2, 7])
def test_the_smallest(painter, rng, height):
    assert paint_panorama(painter, torch.rand(1, 3, height, 2 * height, generator=rng)).isfinite().all()


@pytest.mark.parametrize("height", [64, 51])
@pytest.mark.parametrize("stroke", [1.0, 1.5])
def test_strength_0_returns_the_picture(painter, height, stroke):
    sphere = world(*pixel_directions(height))
    assert torch.allclose(paint_panorama(painter, sphere, strength=0.0, stroke=stroke), sphere, atol=1e-4)


def test_a_look_and_a_mask_are_kept(painter, sphere):
    kept = paint_panorama(painter, sphere, PaintSettings(keep_color=True, keep_light=True))
    assert (kept - sphere).abs().mean() < 0.01
    mask = torch.zeros(1, 1, HEIGHT, 2 * HEIGHT)
    mask[..., 100:] = 1
    masked = paint_panorama(painter, sphere, mask=mask)
    assert torch.equal(masked[..., :100], sphere[..., :100]) and not torch.equal(masked, sphere)


def test_detail_goes_around_the_border(painter, sphere):
    settings = PaintSettings(detail=0.7)
    turned = paint_panorama(painter, sphere.roll(50, 3), settings).roll(-50, 3)
    assert torch.allclose(turned, paint_panorama(painter, sphere, settings), atol=1e-4)


def test_spheres_painted_alike_share_statistics(painter, sphere):
    dark = 0.5 * sphere
    alone, together = (
        paint_spheres(painter, pictures, PaintSettings()) for pictures in ([dark], [sphere, dark])
    )
    twice = paint_spheres(painter, [sphere, sphere], PaintSettings())
    assert torch.allclose(twice[1], paint_panorama(painter, sphere), atol=1e-5)
    assert (together[1] - alone[0]).abs().mean() > 0.001


def test_a_picture_of_other_proportions_is_refused(painter):
    with pytest.raises(ValueError, match="twice as wide as high: got 96x64 px"):
        paint_panorama(painter, torch.rand(1, 3, 64, 96))


@pytest.mark.parametrize("height", [128, 97])
def test_a_large_sphere_is_painted_at_the_reference_size(painter, height):
    """Two views high, and enlarged: turned as one likes, closed, and made small again its preview."""
    sphere, size = world(*pixel_directions(height)), SizeConfig(look_size_px=24)
    painted = paint_panorama(painter, sphere, size=size)
    turned = paint_panorama(painter, sphere.roll(77, 3), size=size).roll(-77, 3)
    assert torch.allclose(turned, painted, atol=1e-5)
    preview = paint_panorama(painter, resized(sphere, 48).clamp(0, 1))
    native = paint_panorama(painter, sphere, size=SizeConfig(look_size_px=0))
    near, far = ((resized(one, 48) - preview).abs().mean() for one in (painted, native))
    assert near < 0.7 * far
    assert torch.equal(paint_panorama(painter, sphere, size=SizeConfig(look_size_px=height // 2 + 1)), native)
    back = paint_panorama(painter, sphere, PaintSettings(strength=0.0), size=size)
    assert torch.allclose(back, sphere, atol=1e-4)


def test_enlarged_it_closes(painter):
    size = SizeConfig(look_size_px=24)
    sphere = world(*pixel_directions(HEIGHT), seed=3)
    seams = [
        seam_ratio(paint_panorama(painter, sphere.roll(turn, 3), size=size)) for turn in range(0, 256, 64)
    ]
    assert sum(seams) / 4 == pytest.approx(1, abs=0.1)
