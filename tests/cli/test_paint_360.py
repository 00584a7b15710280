"""Protects `pstyle paint-360`: spheres in, spheres out, and nothing is lost over a bad one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pstyle.image.reading import open_image
from pstyle.image.writing import save_image
from pstyle.vr.gpano import read_headings, save_panorama
from tests.conftest import random_picture


@pytest.fixture(autouse=True)
def sphere(place: Path) -> None:
    """A sphere with a heading, and a picture that is none."""
    rng = torch.Generator().manual_seed(0)
    save_panorama("sphere.jpg", random_picture(rng, 32, 64), {"PoseHeadingDegrees": 12.5})
    save_image("odd.png", random_picture(rng, 31, 45))


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_a_painted_sphere_is_one_still(call, kind: str) -> None:
    command = ("paint-360", "style.safetensors", "sphere.jpg", "-o", "out", "--format", kind)
    code, out, _ = call(*command)
    assert code == 0 and out == [f"out/sphere.{kind}"]
    assert read_headings(out[0]) == {"PoseHeadingDegrees": 12.5}
    assert open_image(out[0]).shape == (1, 3, 32, 64)
    before = Path(out[0]).read_bytes()
    code, _, err = call(*command)
    assert code == 2 and "exists already" in err and Path(out[0]).read_bytes() == before


def test_what_is_no_sphere_is_passed_over_and_told(call) -> None:
    code, out, err = call("paint-360", "style.safetensors", "odd.png", "sphere.jpg", "-o", "out")
    assert code == 2 and [Path(line).stem for line in out] == ["sphere"]
    assert "odd.png: a 360 picture must be equirectangular" in err
    assert err.count("\n") == 1 and "1 of 2 pictures" in err
