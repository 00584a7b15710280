"""Protects stereo painting: eyes that agree as the ground truth says, in every layout, and nothing lost."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from benchmarks.worlds import stereo_pair
from pstyle.painting.paint import SizeConfig
from pstyle.style.paint_settings import PaintSettings
from pstyle.vr.stereo import (
    LAYOUTS,
    SAME,
    StereoConfig,
    join_eyes,
    match_of,
    paint_eyes,
    paint_stereo,
    split_eyes,
)


@pytest.fixture(scope="module")
def pair():
    return stereo_pair(96, 192, seed=2)


def disagreement(left: torch.Tensor, right: torch.Tensor, disparity: torch.Tensor) -> float:
    """Mean error of the right eye brought to the left one by the true disparity, where it is not hidden."""
    height, width = disparity.shape[2:]
    landing = torch.arange(width) - disparity[0, 0]  # (H, W)
    nearest = torch.zeros(height, width)
    for row in range(height):  # a z-buffer, the long way
        for column in range(width):
            place = round(landing[row, column].item())
            if 0 <= place < width:
                nearest[row, place] = max(nearest[row, place].item(), disparity[0, 0, row, column].item())
    place = landing.round().long()
    seen = (place >= 0) & (place < width)
    seen &= nearest.gather(1, place.clamp(0, width - 1)) <= disparity[0, 0] + 1
    rows = torch.arange(height)[:, None].expand(-1, width)
    grid = torch.stack([(2 * landing + 1) / width - 1, (2 * rows + 1) / height - 1], dim=-1)[None]
    moved = F.grid_sample(right, grid, align_corners=False, padding_mode="border")
    return (moved - left).abs().mean(1)[0][seen].mean().item()


@pytest.mark.parametrize("told", [False, True])
def test_eyes_agree_as_they_did_and_better_than_painted_apart(painter, pair, told):
    match = match_of(pair.left, pair.right, disparity=pair.disparity if told else None)
    eyes = paint_eyes(painter, pair.left, pair.right, match, PaintSettings())
    apart = painter(pair.left), painter(pair.right)
    found, separate = (disagreement(*two, pair.disparity) for two in (eyes, apart))
    assert found < 0.6 * separate
    assert found <= 1.15 * max(disagreement(pair.left, pair.right, pair.disparity), 0.02)
    assert (eyes[1] - pair.right).abs().mean() > 0.5 * (eyes[0] - pair.left).abs().mean()  # it is painted


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("output", [SAME, *LAYOUTS])
def test_layouts_in_and_out(painter, pair, layout, output):
    image = torch.cat([pair.left, pair.right], dim=LAYOUTS[layout])
    config = StereoConfig(layout, output)
    painted = paint_stereo(painter, image, config, disparity=pair.disparity)
    eyes = painted.chunk(2, LAYOUTS[layout if output == SAME else output])
    expected = paint_stereo(painter, image, StereoConfig(layout), disparity=pair.disparity)
    for eye, other in zip(eyes, split_eyes(expected, config), strict=True):
        assert eye.shape == pair.left.shape and torch.equal(eye, other)
    assert torch.equal(join_eyes(*split_eyes(image, config), StereoConfig(layout)), image)


def test_the_left_eye_is_the_first(painter, pair):
    image = torch.cat([pair.left, pair.right], dim=3)
    left, right = split_eyes(image, StereoConfig())
    assert torch.equal(left, pair.left) and torch.equal(right, pair.right)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(17, 30), (16, 2), (33, 34)])
def test_sizes_and_channels(painter, rng, channels, size):
    image = torch.rand(2, channels, *size, generator=rng)
    painted = paint_stereo(painter, image)
    assert painted.shape == (2, 4 if channels == 4 else 3, *size) and painted.isfinite().all()
    if channels == 4:
        assert torch.equal(painted[:, 3], image[:, 3])


@pytest.mark.parametrize("panorama", [False, True])
def test_strength_0_returns_the_picture(painter, pair, panorama):
    image = torch.cat([pair.left, pair.right], dim=2)
    found = paint_stereo(painter, image, StereoConfig("top-bottom", panorama=panorama), strength=0.0)
    assert torch.allclose(found, image, atol=1e-4)


def test_360_eyes_agree_and_turn(painter, pair):
    config = StereoConfig("top-bottom", panorama=True)
    image = torch.cat([pair.left, pair.right], dim=2)
    painted = paint_stereo(painter, image, config, disparity=pair.disparity)
    turned = paint_stereo(painter, image.roll(51, 3), config, disparity=pair.disparity.roll(51, 3))
    assert (turned.roll(-51, 3) - painted).abs().max() < 2e-3
    eyes = split_eyes(painted, config)
    apart = [
        paint_stereo(painter, torch.cat([eye, eye], 2), config)[:, :, :96] for eye in (pair.left, pair.right)
    ]
    assert disagreement(*eyes, pair.disparity) < 0.6 * disagreement(*apart, pair.disparity)


@pytest.mark.parametrize(
    ("size", "config", "said"),
    [
        ((32, 65), StereoConfig(), "got 65x32 px, of odd width; crop it to a width of 64 px"),
        ((33, 64), StereoConfig("top-bottom"), "got 64x33 px, of odd height; crop it to a height of 32 px"),
        ((32, 64), StereoConfig(panorama=True), "each eye of a side-by-side 360 picture must be"),
    ],
)
def test_what_cannot_be_split_is_refused(painter, size, config, said):
    with pytest.raises(ValueError, match=said):
        paint_stereo(painter, torch.rand(1, 3, *size), config)


@pytest.mark.parametrize(
    ("shape", "said"),
    [((3, 1, 8, 8), "3 disparities for 1 pictures"), ((1, 3, 8, 8), "must be"), ((8, 8), "must be")],
)
def test_a_disparity_of_another_shape_is_refused(painter, shape, said):
    with pytest.raises(ValueError, match=said):
        paint_stereo(painter, torch.rand(1, 3, 8, 16), disparity=torch.zeros(shape))


def test_a_disparity_of_another_size_is_scaled(painter, pair):
    image = torch.cat([pair.left, pair.right], dim=3)
    half = pair.disparity[..., ::2, ::2] / 2
    found, plain = (paint_stereo(painter, image, disparity=one) for one in (half, pair.disparity))
    assert (found - plain).abs().mean() < 0.01


@pytest.mark.parametrize("panorama", [False, True])
def test_large_eyes_are_painted_at_the_reference_size_and_agree(painter, pair, panorama):
    config, size = StereoConfig("top-bottom", panorama=panorama), SizeConfig(look_size_px=24)
    image = torch.cat([pair.left, pair.right], dim=2)
    painted = paint_stereo(painter, image, config, disparity=pair.disparity, size=size)
    native = paint_stereo(painter, image, config, disparity=pair.disparity)
    assert not torch.allclose(painted, native, atol=0.02)
    before = disagreement(pair.left, pair.right, pair.disparity)
    assert disagreement(*split_eyes(painted, config), pair.disparity) <= 1.15 * max(before, 0.02)
    back = paint_stereo(painter, image, config, PaintSettings(strength=0.0), size=size)
    assert torch.allclose(back, image, atol=1e-4)
