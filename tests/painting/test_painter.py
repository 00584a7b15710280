"""Protects the call that everybody makes: any picture in, the same size out, and strength that means
something.
"""

from __future__ import annotations

import threading

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pstyle.core.device import choose_device
from pstyle.image.colors import rgb_to_lab
from pstyle.image.detail import with_detail_of
from pstyle.nets.generator import LEVELS
from pstyle.painting.painter import Painter
from pstyle.style.paint_settings import PaintSettings
from pstyle.style.provenance import Provenance
from pstyle.style.styled_generator import StyledGenerator

SIDES = (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 63, 65)


def test_144_sizes_come_back_as_they_went_in(painter, rng):
    for height in SIDES:
        for width in SIDES:
            painted = painter(torch.rand(1, 3, height, width, generator=rng))
            assert painted.shape == (1, 3, height, width)
            assert torch.isfinite(painted).all() and painted.min() >= 0 and painted.max() <= 1


@given(st.integers(1, 97), st.integers(1, 97))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_size_comes_back_as_it_went_in(painter, height, width):
    painted = painter(torch.full((1, 3, height, width), 0.5))
    assert painted.shape == (1, 3, height, width) and torch.isfinite(painted).all()


def test_strength_zero_returns_the_picture(painter, picture):
    assert torch.allclose(painter(picture, PaintSettings(strength=0.0)), picture, atol=1e-5)


def test_settings_may_be_given_by_name(painter, picture):
    assert torch.equal(painter(picture, strength=0.4), painter(picture, PaintSettings(strength=0.4)))
    assert torch.equal(
        painter(picture, PaintSettings(detail=0.5), strength=0.4),
        painter(picture, PaintSettings(strength=0.4, detail=0.5)),
    )
    with pytest.raises(ValueError, match="strength"):
        painter(picture, strength=2.0)


def test_strength_goes_away_from_the_picture_without_a_jump(painter, picture):
    strengths = [0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0]
    found = [painter(picture, PaintSettings(strength=s)) for s in strengths]
    distances = [(painted - picture).abs().mean().item() for painted in found]
    assert distances[0] < 1e-5 < distances[-1]
    assert (found[1] - found[0]).abs().mean() < 0.02 and (found[-1] - found[-2]).abs().mean() < 0.02


def test_a_painter_does_not_change_its_input_and_repeats_itself(painter, picture):
    before = picture.clone()
    assert torch.equal(painter(picture), painter(picture))
    assert torch.equal(picture, before)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_gray_and_alpha(painter, rng, channels):
    image = torch.rand(2, channels, 20, 24, generator=rng)
    painted = painter(image)
    assert painted.shape == (2, 4 if channels == 4 else 3, 20, 24)
    if channels == 4:
        assert torch.equal(painted[:, 3:], image[:, 3:])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float16, torch.bfloat16, torch.float64])
def test_other_types_are_taken(painter, picture, dtype):
    image = (picture * 255).to(torch.uint8) if dtype == torch.uint8 else picture.to(dtype)
    assert (painter(image) - painter(picture)).abs().max() < 0.2
    assert painter(image).dtype == torch.float32


def test_inference_tensors_and_gradients_are_taken(painter, picture):
    with torch.inference_mode():
        wired = picture.clone()
    assert torch.equal(painter(wired), painter(picture.clone().requires_grad_()))


def test_a_mask_keeps_what_it_covers(painter, picture):
    mask = torch.zeros(1, 1, *picture.shape[2:])
    mask[..., :10] = 1
    painted = painter(picture, mask=mask)
    assert torch.equal(painted[..., 10:], picture[..., 10:])
    assert torch.allclose(painted[..., :10], painter(picture)[..., :10], atol=1e-6)


def test_a_mask_of_another_size_is_fitted_and_a_wrong_count_refused(painter, picture):
    assert painter(picture, mask=torch.ones(1, 1, 7, 5)).shape == picture.shape
    with pytest.raises(ValueError, match="masks for 1 picture"):
        painter(picture, mask=torch.ones(3, 1, 32, 40))


def test_keep_color_keeps_the_hue_of_every_pixel_in_gamut(painter, picture):
    gray = 0.35 + 0.3 * picture  # far from the gamut's border, so that nothing is clamped
    kept = rgb_to_lab(painter(gray, PaintSettings(keep_color=True)))
    inside = (kept[:, :1] > 20) & (kept[:, :1] < 85)
    error = (kept[:, 1:] - rgb_to_lab(gray)[:, 1:]).abs().amax(1, keepdim=True)[inside]
    assert error.median() < 0.5


def test_keep_light_keeps_the_lightness_of_every_pixel_in_gamut(painter, picture):
    gray = 0.35 + 0.3 * picture
    found, plain = (rgb_to_lab(painter(gray, PaintSettings(keep_light=light))) for light in (True, False))
    assert (found[:, :1] - rgb_to_lab(gray)[:, :1]).abs().median() < 0.5
    assert (found[:, 1:] - plain[:, 1:]).abs().median() < 2 < (plain[:, :1] - found[:, :1]).abs().median()


def test_what_keeps_color_and_light_is_the_picture(painter, picture):
    gray = 0.35 + 0.3 * picture
    assert torch.allclose(painter(gray, PaintSettings(keep_color=True, keep_light=True)), gray, atol=2e-3)


def test_no_coarse_and_no_fine_leaves_the_color(painter, picture):
    without = painter(picture, PaintSettings(coarse=0.0, fine=0.0))
    assert not torch.equal(without, painter(picture)) and not torch.equal(without, picture)


def test_detail_is_that_of_the_picture(painter, picture):
    plain, found = painter(picture), painter(picture, PaintSettings(detail=0.4))
    assert torch.equal(found, with_detail_of(plain, picture, 0.4)) and not torch.equal(found, plain)


def test_two_painters_share_a_picture(painter, tiny_generator, tiny_vgg, rng):
    other = StyledGenerator(tiny_generator, torch.randn(LEVELS, 16, generator=rng)).style(Provenance())
    other = Painter(other, tiny_generator, tiny_vgg, "cpu")
    image, mask = torch.rand(2, 4, 64, 256, generator=rng), torch.zeros(1, 1, 64, 256)
    mask[..., 128:] = 1
    found = painter(image, PaintSettings(strength=0.9), mask, other)
    assert found.shape == image.shape and torch.equal(found[:, 3], image[:, 3])
    assert torch.allclose(
        found[:, :3, :, -16:], painter(image, PaintSettings(strength=0.9))[:, :3, :, -16:], atol=0.03
    )
    assert torch.allclose(
        found[:, :3, :, :16], other(image, PaintSettings(strength=0.9))[:, :3, :, :16], atol=0.03
    )
    with pytest.raises(ValueError, match="masks for 2 pictures"):
        painter(image, mask=torch.ones(3, 1, 8, 8), second=other)


@pytest.mark.parametrize("strength", [-0.01, 1.51, float("nan"), float("inf")])
def test_strength_out_of_range_is_refused(painter, picture, strength):
    with pytest.raises(ValueError, match="strength"):
        painter(picture, PaintSettings(strength=strength))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("place", [(0, 0), (31, 39), (5, 7), (16, 0)])
def test_a_bad_pixel_is_refused_with_its_place(painter, picture, value, place):
    picture[0, 1, place[0], place[1]] = value
    with pytest.raises(ValueError, match=rf"non-finite pixel at y={place[0]}, x={place[1]}"):
        painter(picture)


def test_one_painter_serves_four_threads(painter, rng):
    images = torch.rand(12, 1, 3, 24, 24, generator=rng)
    looks = [PaintSettings(strength=0.5), PaintSettings(), PaintSettings(strength=1.2)] * 4
    expected = [painter(image, settings) for image, settings in zip(images, looks, strict=True)]
    found: dict[int, torch.Tensor] = {}

    def work(first: int) -> None:
        for i in range(first, 12, 4):
            found[i] = painter(images[i], looks[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(found[i], expected[i]) for i in range(12))


def test_global_switches_are_left_alone(painter, picture):
    before = (
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.get_rng_state(),
    )
    painter(picture, PaintSettings(strength=0.5))
    after = torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_num_threads(), torch.get_rng_state()
    assert before[:3] == after[:3] and torch.equal(before[3], after[3])


def test_an_absent_device_is_named():
    assert choose_device("cpu").type == "cpu"
    if not torch.cuda.is_available():
        assert choose_device("auto").type == "cpu"
        with pytest.raises(ValueError, match="cuda"):
            choose_device("cuda")
