"""Protects the door for pictures: any tensor handed over is taken as what it is, or refused clearly."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from pstyle.image.checks import check_image, split_alpha


def steps(*shape: int) -> Tensor:
    """A picture of multiples of 1/128, which every float type holds exactly."""
    return torch.randint(0, 129, shape, generator=torch.Generator().manual_seed(0)) / 128


VARIANTS: dict[str, Callable[[Tensor], Tensor]] = {
    "float32": lambda x: x,
    "float16": Tensor.half,
    "bfloat16": Tensor.bfloat16,
    "float64": Tensor.double,
    "channels last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "transposed": lambda x: x.mT.contiguous().mT,
    "strided": lambda x: x.repeat_interleave(2, 3)[..., ::2],
    "requires grad": lambda x: x.clone().requires_grad_() * 1,
    "inference": lambda x: torch.inference_mode()(x.clone)(),
}


@pytest.mark.parametrize("make", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("mode", [torch.enable_grad, torch.inference_mode])
def test_9_variants_become_the_same_bytes_ready_for_training(make: Callable, mode: Callable) -> None:
    assert len(VARIANTS) == 9
    picture = steps(2, 3, 5, 7)
    with mode():
        checked = check_image(make(picture))
    assert checked.dtype == torch.float32 and checked.is_contiguous() and torch.equal(checked, picture)
    assert checked.numpy().tobytes() == picture.numpy().tobytes()
    assert checked.data_ptr() != picture.data_ptr() and not checked.is_inference() and checked.is_leaf
    checked.requires_grad_().square().sum().backward()
    assert torch.equal(checked.grad, 2 * picture)


def test_the_picture_handed_over_is_never_changed() -> None:
    picture = steps(1, 3, 4, 4) * 1.01 - 0.005
    before = picture.clone()
    check_image(picture).zero_()
    assert torch.equal(picture, before)


def test_bytes_are_divided_by_255() -> None:
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    assert torch.equal(check_image(levels).flatten(), torch.tensor([level / 255 for level in range(256)]))


@pytest.mark.parametrize("channels", [0, 2, 5])
def test_other_numbers_of_channels_are_refused(channels: int) -> None:
    with pytest.raises(ValueError, match=f"has {channels} channels: give 1 .gray., 3 .RGB. or 4"):
        check_image(torch.zeros(1, channels, 4, 4))


def test_gray_is_repeated_and_alpha_kept_aside() -> None:
    gray, color, both = steps(2, 1, 4, 5), steps(2, 3, 4, 5), steps(2, 4, 4, 5)
    rgb, alpha = split_alpha(check_image(gray))
    assert (
        rgb.shape == (2, 3, 4, 5)
        and alpha is None
        and all(torch.equal(rgb[:, c : c + 1], gray) for c in range(3))
    )
    rgb, alpha = split_alpha(check_image(color))
    assert torch.equal(rgb, color) and alpha is None
    rgb, alpha = split_alpha(check_image(both))
    assert (
        torch.equal(torch.cat([rgb, alpha], 1), both) and rgb.is_contiguous() and alpha.shape == (2, 1, 4, 5)
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [(2, 0, 0), (2, 32, 32), (0, 63, 47), (4, 0, 47)])
def test_a_non_finite_pixel_is_refused_with_its_position(value: float, place: tuple[int, int, int]) -> None:
    batch, y, x = place
    picture = torch.rand(5, 3, 64, 48, generator=torch.Generator().manual_seed(0))
    picture[batch, 1, y, x] = value
    with pytest.raises(ValueError) as refusal:
        check_image(picture)
    assert str(refusal.value) == f"image {batch + 1} of 5 has 1 non-finite pixel at y={y}, x={x}"


def test_many_non_finite_pixels_are_counted_per_pixel() -> None:
    picture = torch.zeros(2, 3, 8, 8, dtype=torch.float16)
    picture[1, :, 2:4, 5] = math.nan
    with pytest.raises(ValueError, match="^content 2 of 2 has 2 non-finite pixels, the first at y=2, x=5$"):
        check_image(picture, "content")


@pytest.mark.parametrize(
    ("low", "high", "allowed"),
    [
        (0, 1, True),
        (-0.009, 1.009, True),
        (0, 255, False),
        (-1, 1, False),
        (0, 1.02, False),
        (-0.02, 1, False),
    ],
)
def test_6_ranges_are_clamped_or_refused(low: float, high: float, allowed: bool) -> None:
    picture = torch.linspace(low, high, 48).reshape(1, 3, 4, 4)
    if allowed:
        assert torch.equal(check_image(picture), picture.clamp(0, 1))
        return
    with pytest.raises(ValueError, match=rf"values from {low:g} to {high:g}, must be in \[0, 1\]"):
        check_image(picture)


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (torch.zeros(0, 3, 4, 4), "empty batch"),
        (torch.zeros(1, 3, 0, 4), "4x0 px"),
        (torch.zeros(1, 3, 4, 0), "0x4 px"),
        (torch.zeros(3, 4, 4), "must have 4 dimensions .batch, channels, height, width., got 3"),
        (torch.zeros(1, 3, 4, 4, dtype=torch.int64), "got torch.int64"),
        (torch.zeros(1, 3, 4, 4, dtype=torch.complex64), "got torch.complex64"),
        (torch.full((1, 3, 4, 4), 1e300, dtype=torch.float64), "values from 1e.300"),
        (np.zeros((1, 3, 4, 4)), "got ndarray"),
        (None, "got NoneType"),
    ],
)
def test_what_is_no_picture_is_refused(picture: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_image(picture)
