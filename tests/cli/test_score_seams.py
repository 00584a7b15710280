"""Protects `pstyle score-seams`: seams of a sphere and of a pair of eyes are scored."""

from __future__ import annotations

import torch

from benchmarks.worlds import stereo_pair
from pstyle.image.writing import save_image
from pstyle.vr.gpano import save_panorama
from tests.conftest import random_picture


def test_a_sphere_is_scored(call) -> None:
    save_panorama("sphere.jpg", random_picture(torch.Generator().manual_seed(0), 32, 64), {})
    code, out, _ = call("score-seams", "sphere.jpg")
    assert code == 0 and [line.split(":")[0] for line in out] == ["seam", "poles"]


def test_eyes_are_scored_beside_their_content(call) -> None:
    pair = stereo_pair(32, 48)
    save_image("eyes.png", torch.cat([pair.left, pair.right], dim=3))
    code, out, _ = call("score-seams", "eyes.png", "--kind", "stereo", "--content", "eyes.png")
    assert code == 0 and out[1].startswith("eyes over content: 1.000")
