"""Protects camera moves: the motion that they claim is the motion that is seen."""

from __future__ import annotations

import pytest
import torch
from skimage.transform import warp

from benchmarks.camera_moves import MOVES, camera_move
from tests.conftest import random_picture


@pytest.fixture
def picture(rng: torch.Generator) -> torch.Tensor:
    """One without grain, which no interpolation keeps."""
    rough = random_picture(rng, 16, 20)
    return torch.nn.functional.interpolate(rough, size=(121, 150), mode="bicubic").clamp(0, 1)


@pytest.mark.parametrize("move", MOVES)
def test_the_next_frame_brought_back_is_the_frame(move: str, picture: torch.Tensor) -> None:
    clip = camera_move(move, picture, (71, 90), frames=3)
    assert len(clip.frames) == 3 and len(clip.flows) == len(clip.seen) == 2
    rows, columns = torch.meshgrid(torch.arange(71.0), torch.arange(90.0), indexing="ij")
    for first, second, flow, seen in zip(clip.frames, clip.frames[1:], clip.flows, clip.seen, strict=False):
        places = torch.stack([rows + flow[0, 1], columns + flow[0, 0]]).numpy()
        brought = torch.from_numpy(warp(second[0, 1].double().numpy(), places, order=3, mode="edge"))
        error = (brought - first[0, 1]).abs()[seen[0, 0]]
        assert error.mean() < 0.004 and error.quantile(0.99) < 0.02
        assert seen.float().mean() > 0.7
        assert not torch.equal(first, second)


def test_what_comes_in_front_is_not_seen_before(picture: torch.Tensor) -> None:
    """Left of the near disk's right border lies what the disk covers next: it has no place to go to."""
    clip = camera_move("parallax", picture, (71, 90), frames=2)
    still = camera_move("pan", picture, (71, 90), frames=2)
    hidden = ~clip.seen[0] & still.seen[0]
    assert 20 < hidden.sum() < 500
    assert sorted({round(x, 1) for x in clip.flows[0][0, 0].unique().tolist()}) == [-4.3, -1.4]


def test_noise_and_levels_are_a_sensors(picture: torch.Tensor) -> None:
    clean, noisy = (camera_move("pan", picture, (71, 90), 2, noise) for noise in (0.0, 0.05))
    difference = (noisy.frames[0] - clean.frames[0])[(clean.frames[0] > 0.2) & (clean.frames[0] < 0.8)]
    assert difference.std().item() == pytest.approx(0.05, rel=0.05)
    assert torch.equal((noisy.frames[0] * 255).round() / 255, noisy.frames[0])
    with pytest.raises(ValueError, match="no camera move 'dolly': choose one of pan"):
        camera_move("dolly", picture, (8, 8))
