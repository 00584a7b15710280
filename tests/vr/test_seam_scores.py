"""Protects the scores of seams, poles and eyes: 1 where nothing is wrong, more by what is."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from benchmarks.worlds import stereo_pair, world
from pstyle.vr.seam_scores import SeamConfig, mean_scores, pole_ratio, score_lines, seam_ratio, seam_scores
from pstyle.vr.sphere import pixel_directions


def test_a_step_where_it_closes_is_told():
    ramp = torch.arange(32.0).expand(1, 3, 16, -1) / 62
    assert seam_ratio(ramp) == pytest.approx(31)
    assert seam_ratio(ramp.roll(5, 3)) == pytest.approx(1, abs=1e-4)
    assert seam_ratio(torch.full((1, 3, 16, 32), 0.3)) == 0


def test_rays_at_a_pole_are_told(rng):
    grain = F.avg_pool2d(torch.rand(1, 3, 136, 264, generator=rng), 9, stride=1)  # as wide as high, in pixels
    assert pole_ratio(world(*pixel_directions(128))) == pytest.approx(1, abs=0.25)
    assert pole_ratio(grain) > 1.5
    rings = torch.sin(pixel_directions(128).latitude * 60).float().expand(1, 3, -1, -1)
    assert pole_ratio(0.5 + 0.4 * rings) < 0.3


def test_eyes_that_agree_less_than_before_are_told(rng):
    pair = stereo_pair(64, 128)
    content = torch.cat([pair.left, pair.right], dim=3)
    config = SeamConfig("stereo")
    same = seam_scores(content, config, content)
    grain = (content + 0.2 * torch.randn(content.shape, generator=rng)).clamp(0, 1)
    worse = seam_scores(grain, config, content)
    assert same.eyes_ratio == pytest.approx(1) and same.seam == same.pole == 0
    assert worse.eyes_ratio > 3 and worse.eyes > 0.1
    assert seam_scores(content, config).eyes == same.eyes and seam_scores(content, config).eyes_ratio == 0


def test_eyes_of_360_pictures_are_scored_as_spheres_too():
    pair = stereo_pair(64, 128)
    image = torch.cat([pair.left, pair.right], dim=2)
    found = seam_scores(image, SeamConfig("stereo 360", "top-bottom"))
    assert found.seam == max(seam_ratio(pair.left), seam_ratio(pair.right)) and found.pole > 0 < found.eyes


def test_scores_are_told_in_words():
    image = world(*pixel_directions(32))
    found = seam_scores(image, SeamConfig())
    lines = score_lines(mean_scores([found, found]), SeamConfig(), has_content=False)
    assert len(lines) == 2 and lines[0].startswith(f"seam: {found.seam:.3f}")
    assert len(score_lines(found, SeamConfig("stereo 360"), has_content=True)) == 4


@pytest.mark.parametrize(
    ("size", "config", "said"),
    [
        ((32, 65), SeamConfig(), "twice as wide as high"),
        ((32, 65), SeamConfig("stereo"), "odd width"),
        ((32, 64), SeamConfig("stereo 360"), "each eye"),
    ],
)
def test_pictures_of_another_kind_are_refused(size, config, said):
    with pytest.raises(ValueError, match=said):
        seam_scores(torch.zeros(1, 3, *size), config)
    assert math.isfinite(seam_scores(torch.zeros(1, 3, 32, 128), SeamConfig("stereo 360")).eyes)


def test_a_content_of_another_size_is_refused():
    with pytest.raises(ValueError, match="one size, got 32x16 px and 64x32 px"):
        seam_scores(torch.zeros(1, 3, 32, 64), SeamConfig("stereo"), torch.zeros(1, 3, 16, 32))
