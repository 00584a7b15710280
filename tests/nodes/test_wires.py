"""Protects the edge: what comes in by wire is checked once, and is then plain float32 fit for training."""

from __future__ import annotations

import pytest
import torch
from pstyle_pack.nodes import wires

SIZES = [(1, 1), (1, 5), (7, 3), (64, 64)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_picture_goes_in_and_comes_out_the_same(size: tuple[int, int], channels: int, rng) -> None:
    image = torch.rand(2, *size, channels, generator=rng)
    inside = wires.to_library(image)
    assert inside.shape == (2, channels, *size) and inside[1, 0, -1, 0] == image[1, -1, 0, 0]
    back = wires.to_wire(inside)
    assert torch.equal(back, image) and back.is_contiguous()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_dtype_becomes_float32_in_0_to_1(dtype: torch.dtype) -> None:
    levels = torch.tensor([0, 255]) if dtype == torch.uint8 else torch.tensor([0.0, 1.0])
    image = levels.to(dtype).reshape(1, 1, 2, 1).expand(1, 1, 2, 3)
    inside = wires.to_library(image)
    assert inside.dtype == torch.float32 and inside[0, :, 0].tolist() == [[0.0, 1.0]] * 3


def test_what_comes_in_can_be_trained_with(image: torch.Tensor) -> None:
    assert image.is_inference()
    inside, mask = wires.to_library(image), wires.to_mask(image[..., 0])
    assert not inside.is_inference() and not mask.is_inference()
    before = image.clone()
    with torch.inference_mode(False):
        weight = torch.ones(3, 3, 1, 1, requires_grad=True)
        torch.nn.functional.conv2d(inside, weight).sum().backward()
        inside.zero_()
    assert weight.grad.abs().sum() > 0 and torch.equal(image, before)


def test_transparency_is_dropped_only_where_it_cannot_be_kept(rng) -> None:
    image = torch.rand(1, 4, 4, 4, generator=rng)
    assert torch.equal(wires.to_rgb(image), wires.to_library(image)[:, :3])
    gray = torch.rand(1, 4, 4, 1, generator=rng)
    assert torch.equal(wires.to_rgb(gray)[:, 2:], wires.to_library(gray))


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (torch.rand(4, 4, 3), r"\(batch, height, width, channels\), got \(4, 4, 3\)"),
        (None, "got NoneType"),
        (torch.rand(0, 4, 4, 3), "empty batch"),
        (torch.rand(1, 4, 4, 2), "2 channels"),
        (torch.rand(1, 4, 4, 5), "5 channels"),
        (torch.rand(1, 0, 4, 3), "4x0 px"),
        (torch.rand(1, 4, 4, 3) * 255, r"must be in \[0, 1\]"),
        (torch.full((1, 4, 4, 3), torch.nan), "16 non-finite pixels"),
        (torch.ones(1, 4, 4, 3, dtype=torch.int64), "got torch.int64"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(image: object, said: str) -> None:
    with pytest.raises(ValueError, match=said) as raised:
        wires.to_library(image, "style picture")
    assert str(raised.value).startswith("style picture") and "\n" not in str(raised.value)


def test_only_zeros_of_64_by_64_mean_no_mask() -> None:
    assert wires.to_mask(None) is None
    assert wires.to_mask(torch.zeros(1, 64, 64)) is None
    assert wires.to_mask(torch.zeros(3, 64, 64)) is None
    assert wires.to_mask(torch.zeros(1, 64, 65)).shape == (1, 1, 64, 65)
    one = torch.zeros(1, 64, 64)
    one[0, 63, 63] = 0.5
    assert torch.equal(wires.to_mask(one)[0], one)
    assert wires.to_mask(torch.ones(5, 7)).shape == (1, 1, 5, 7)
    assert "64 x 64" in wires.NO_MASK_RULE


@pytest.mark.parametrize(
    "mask",
    [
        *(torch.ones(1, 1, 4, 4), torch.ones(4), "white", torch.full((1, 4, 4), 7.0)),
        *(torch.zeros(0, 64, 64), torch.zeros(0, 4, 4), torch.zeros(1, 0, 4), torch.zeros(0, 0, 0)),
        *(torch.zeros(1, 64, 64, dtype=torch.int64), torch.full((1, 64, 64), torch.nan)),
    ],
)
def test_what_is_no_mask_is_refused(mask: object) -> None:
    with pytest.raises(ValueError, match="^mask "):
        wires.to_mask(mask)


def test_losses_go_both_ways() -> None:
    history = [{"step": 1, "loss": 0.5, "style": 0.1}, {"step": 2, "loss": 0.25, "style": 0.2}]
    losses = wires.to_loss_map(history)
    assert losses == {"loss": [0.5, 0.25]}
    assert wires.to_history(history) is history
    assert wires.to_history(losses) == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25}]
