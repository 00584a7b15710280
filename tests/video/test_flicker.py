"""Protects the flicker score: exact where the answer is known, blind to motion, not to change."""

from __future__ import annotations

import pytest
import torch

from benchmarks.camera_moves import camera_move
from pstyle.samples import content_pictures
from pstyle.video.flicker import flicker, sharpness, warping_error


def test_the_warping_error_is_the_mean_squared_change_of_what_is_seen(rng: torch.Generator) -> None:
    first, second = torch.rand(2, 1, 3, 10, 12, generator=rng)
    flow = torch.tensor([3.0, 1.0]).view(1, 2, 1, 1).expand(1, 2, 10, 12)
    seen = torch.zeros(1, 1, 10, 12, dtype=torch.bool)
    seen[..., :-1, :-3] = True
    expected = (second[..., 1:, 3:] - first[..., :-1, :-3]).square().mean().item()
    assert warping_error(first, second, flow, seen) == pytest.approx(expected, rel=1e-4)
    assert warping_error(first, second, flow, torch.zeros_like(seen)) == 0


def test_light_that_jumps_counts_and_motion_does_not() -> None:
    clip = camera_move("pan", content_pictures(1, 140, seed=5)[0], (80, 100), frames=4)
    calm = flicker(clip.frames, clip.frames)
    assert calm.ratio == pytest.approx(1) and calm.painted < 1e-3
    jumping = [0.2 + 0.5 * frame + 0.1 * (number % 2) for number, frame in enumerate(clip.frames)]
    assert flicker(jumping, clip.frames).painted == pytest.approx(0.01 + 0.25 * calm.before, rel=0.1)
    assert flicker(iter(clip.frames), iter(clip.frames)) == calm


def test_sharpness_is_the_slope() -> None:
    ramp = torch.linspace(0, 0.9, 10).expand(1, 3, 7, 10)
    assert sharpness(ramp) == pytest.approx(0.1, rel=1e-4)
    assert sharpness(ramp.mT.contiguous()) == pytest.approx(0.1, rel=1e-4)
    assert sharpness(torch.rand(1, 3, 1, 1)) == 0


def test_what_cannot_be_compared_is_refused() -> None:
    frame, small = torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 9)
    with pytest.raises(ValueError, match="at least two"):
        flicker([frame], [frame])
    with pytest.raises(ValueError, match="give as many"):
        flicker([frame] * 3, [frame] * 2)
    with pytest.raises(ValueError, match="8x8 and 9x8 px"):
        flicker([frame] * 2, [small] * 2)
