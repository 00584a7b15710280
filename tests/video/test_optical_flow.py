"""Protects optical flow: known motions are found, and what cannot be relied on is told."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from benchmarks.camera_moves import MOVES, camera_move
from pstyle.samples import content_pictures
from pstyle.video import optical_flow as flows
from pstyle.video.optical_flow import agreement, flow_between, moved, resized, smooth, within


@pytest.fixture(scope="module")
def scene() -> torch.Tensor:
    return content_pictures(1, 200, seed=3)[0]


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_exact_motions_are_found(scene: torch.Tensor, move: str, noise: float) -> None:
    clip = camera_move(move, scene, (121, 151), frames=2, noise=noise)
    found = flow_between(*clip.frames)
    error = (found - clip.flows[0]).norm(dim=1, keepdim=True)[clip.seen[0]]
    length = clip.flows[0].norm(dim=1).mean()
    assert error.median() < 0.25 and error.mean() < 0.3 * length


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 3), (24, 24), (47, 97)])
def test_a_still_picture_does_not_move(size: tuple[int, int], rng: torch.Generator) -> None:
    picture = torch.rand(1, 3, *size, generator=rng)
    assert flow_between(picture, picture).abs().max() < 1e-4
    assert torch.allclose(moved(picture, torch.zeros(1, 2, *size)), picture, atol=1e-5)


def test_flat_pictures_do_not_move() -> None:
    found = flow_between(torch.full((1, 3, 40, 50), 0.3), torch.full((1, 3, 40, 50), 0.3))
    assert found.isfinite().all() and found.abs().max() < 1e-3


def test_large_pictures_are_measured_reduced(scene: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = camera_move("pan", scene, (120, 150), frames=2)
    monkeypatch.setattr(flows, "MAX_PIXELS", 120 * 150 // 3)
    found = flow_between(*clip.frames)
    assert found.shape == (1, 2, 120, 150)
    assert (found - clip.flows[0]).norm(dim=1, keepdim=True)[clip.seen[0]].median() < 0.4


def test_whole_pixels_are_moved_as_they_are(rng: torch.Generator) -> None:
    picture = torch.rand(2, 3, 9, 11, generator=rng)
    flow = torch.tensor([2.0, -1.0]).view(1, 2, 1, 1).expand(2, 2, 9, 11)
    found = moved(picture, flow)
    assert torch.allclose(found[:, :, 1:, :-2], picture[:, :, :-1, 2:], atol=1e-5)
    assert torch.equal(within(flow)[0, 0, 1:, :-2], torch.ones(8, 9, dtype=torch.bool))
    assert not within(flow)[:, :, 0].any() and not within(flow)[..., -2:].any()


def test_flows_of_other_sizes_are_in_their_pixels() -> None:
    flow = torch.tensor([1.0, 2.0]).view(1, 2, 1, 1).expand(1, 2, 4, 6)
    found = resized(flow, (8, 18))
    assert torch.allclose(found, torch.tensor([3.0, 4.0]).view(1, 2, 1, 1).expand(1, 2, 8, 18))


def test_smoothing_is_a_gaussian_and_keeps_the_mean() -> None:
    spot = torch.zeros(1, 2, 31, 31)
    spot[0, 0, 15, 15] = 1
    found = smooth(spot, 2.0)[0]
    assert found[0].sum().item() == pytest.approx(1, abs=1e-5) and found[1].abs().max() == 0
    expected = torch.exp(torch.tensor(-(3**2) / (2 * 2.0**2)))
    assert (found[0, 15, 18] / found[0, 15, 15]).item() == pytest.approx(expected.item(), rel=1e-4)
    assert torch.allclose(smooth(torch.ones(1, 1, 5, 4), 3.0), torch.ones(1, 1, 5, 4))


def test_what_is_hidden_next_is_not_relied_on(scene: torch.Tensor, rng: torch.Generator) -> None:
    first, second = camera_move("pan", scene, (121, 151), frames=2).frames
    second[..., 40:80, 50:90] = F.interpolate(torch.rand(1, 3, 10, 10, generator=rng), size=(40, 40))
    trust = agreement(flow_between(first, second), flow_between(second, first))
    hidden, seen = trust[..., 44:76, 54:86], trust[..., :30, 10:]
    assert seen.mean() > 0.8 and hidden.mean() < 0.6
    assert trust[..., :2].max() == 0  # the camera goes to the right, and leaves what is at the left


def test_agreement_is_a_half_at_half_a_pixel() -> None:
    zero, off = torch.zeros(1, 2, 8, 8), F.pad(torch.full((1, 1, 8, 8), 0.5), (0, 0, 0, 0, 0, 1))
    assert torch.allclose(agreement(zero, off), torch.full((1, 1, 8, 8), 0.5))
