"""Protects smooth filling: another solver's solution, and that of the dense equations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.restoration import inpaint_biharmonic

from pstyle.restoration.repair.biharmonic import smoothly_filled


def hole(height: int, width: int, *box: int) -> torch.Tensor:
    mask = torch.zeros(1, 1, height, width)
    top, left, bottom, right = box
    mask[..., top:bottom, left:right] = 1
    return mask


def test_smooth_is_what_scikit_image_finds() -> None:
    """On a slope with a bump, as its own solver of the same equation has it."""
    y, x = torch.meshgrid(torch.linspace(0, 1, 40), torch.linspace(0, 1, 36), indexing="ij")
    image = (0.2 + 0.4 * x + 0.3 * torch.sin(4 * y)).expand(1, 3, -1, -1).contiguous()
    mask = hole(40, 36, 14, 12, 24, 22)
    found = smoothly_filled(image, mask > 0, tension=0.0)
    theirs = inpaint_biharmonic(image[0].movedim(0, -1).numpy(), mask[0, 0].numpy() > 0, channel_axis=-1)
    assert found[0].movedim(0, -1).numpy() == pytest.approx(theirs, abs=0.02)
    assert torch.allclose(found, image, atol=0.03)


@pytest.mark.parametrize("tension", [0.0, 0.003, 0.1])
@pytest.mark.parametrize(("height", "width", "channels"), [(9, 14, 1), (17, 6, 3), (21, 19, 2)])
def test_it_is_the_least_of_bending_and_tension(rng, tension, height, width, channels) -> None:
    """Solved as one dense system of least squares, for each picture with its own holes."""
    image = torch.rand(2, channels, height, width, generator=rng)
    lost = torch.rand(2, 1, height, width, generator=rng) < 0.3
    lost[1, :, 2:6, 1:5] = True
    found = smoothly_filled(image, lost, tension)
    assert torch.equal(found[~lost.expand_as(image)], image[~lost.expand_as(image)])
    steps = []  # from each pixel to a neighbor, a row each
    number = np.arange(height * width).reshape(height, width)
    for one, other in ((number[1:], number[:-1]), (number[:, 1:], number[:, :-1])):
        rows = np.zeros((one.size, number.size))
        rows[np.arange(one.size), one.ravel()], rows[np.arange(one.size), other.ravel()] = 1, -1
        steps.append(rows)
    steps = np.concatenate(steps)
    terms = np.concatenate([steps.T @ steps, np.sqrt(tension) * steps])  # the Laplacian, then the slopes
    for picture, holes, result in zip(image.double().numpy(), lost[:, 0].numpy(), found, strict=True):
        for channel, filled in zip(picture, result, strict=True):
            known = np.where(holes, 0, channel).ravel()
            answer = np.linalg.lstsq(terms[:, holes.ravel()], -terms @ known, rcond=None)[0]
            assert filled.numpy()[holes] == pytest.approx(answer, abs=2e-3)


def test_slopes_go_on_and_nothing_lost_is_nothing_changed(rng) -> None:
    down, right = torch.meshgrid(torch.arange(30.0), torch.arange(41.0), indexing="ij")
    slope = (0.2 + 0.01 * down + 0.005 * right)[None, None]
    lost = hole(30, 41, 8, 10, 20, 27) > 0
    found = smoothly_filled(torch.where(lost, 9.0, slope), lost, tension=0.0)
    assert torch.allclose(found, slope, atol=2e-3)
    assert smoothly_filled(slope, torch.zeros_like(lost)) is slope
