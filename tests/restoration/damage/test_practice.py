"""Practice pictures have photographs' tones, or are the middles of what is given."""

from __future__ import annotations

import pytest
import torch

from pstyle.restoration.damage.auxiliary_statistics import measure_tones
from pstyle.restoration.damage.practice import PHOTOGRAPHED, middle, practice_pictures, with_tones
from pstyle.samples import content_pictures


def test_scenes_have_the_tones_of_photographs() -> None:
    made, drawn = practice_pictures(None, 4, 224, 3), content_pictures(4, 224, 3)
    wanted = torch.tensor([PHOTOGRAPHED] * 3)
    assert (measure_tones(made) - wanted).abs().max() < 0.02 < (measure_tones(drawn) - wanted).abs().max()
    assert all(picture.min() >= 0 and picture.max() <= 1 for picture in made)


def test_the_curve_is_that_of_quantiles_and_keeps_order(rng) -> None:
    even = torch.rand(1, 3, 400, 400, generator=rng).repeat_interleave(4, 2).repeat_interleave(4, 3)
    (bent,) = with_tones([even], measure_tones([even]).square())
    for value in (0.1, 0.5, 0.9):  # quantiles of even numbers are themselves
        near = (even - value).abs() < 0.002
        assert bent[near].mean().item() == pytest.approx(value**2, abs=0.02)
    order = even[0, 0].flatten().argsort()
    assert (bent[0, 0].flatten()[order].diff() >= -1e-6).all()


def test_own_tones_change_nothing() -> None:
    scenes = content_pictures(2, 128, 5)
    for scene, same in zip(scenes, with_tones(scenes, measure_tones(scenes)), strict=True):
        assert torch.allclose(scene, same, atol=1e-4)


def test_pictures_that_are_given_are_taken_at_the_size_of_practice() -> None:
    wide = torch.rand(1, 3, 200, 900)
    assert [tuple(one.shape) for one in practice_pictures([wide], 6, 160, 0)] == [(1, 3, 160, 320)]
    assert torch.equal(middle(wide, 100), wide[:, :, 50:150, 400:500])
    with pytest.raises(ValueError, match="clean picture 1 is 90x200 px"):
        practice_pictures([torch.rand(1, 3, 200, 90)], 6, 160, 0)
