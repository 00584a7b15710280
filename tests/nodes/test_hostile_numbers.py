"""Protects every number that may come by wire: the host checks what is typed into a widget, but not those."""

from __future__ import annotations

import math
from dataclasses import asdict

import pytest
import torch

from pstyle.vr.stereo import StereoConfig
from pstyle.workflow.schema import read_schema

HOSTILE = [math.nan, math.inf, -math.inf, -1, 10**12]
OWN = {  # numbers that no config declares; tests/core/test_config.py tries those of configs
    *(("PStyleStyleSet", "weight"), ("PStyleStyleSet", "stars")),
    *(("PStyleStyleSetFromFolder", "weight"), ("PStyleStyleSetFromFolder", "stars")),
    *(("PStyleBlend", "share"), ("PStylePaintStereo", "disparity_px")),
}


def test_numbers_of_nodes_are_those_of_configs_or_named_here(config_fields: set[str]) -> None:
    from pstyle_pack.nodes import NODE_CLASSES

    numbers = {
        (node.__name__, entry.name)
        for node in NODE_CLASSES
        for entry in read_schema(node).inputs.values()
        if entry.kind in ("INT", "FLOAT") and entry.name not in config_fields
    }
    assert numbers == OWN


@pytest.fixture
def config_fields() -> set[str]:
    """The names of all fields of all configs."""
    from pstyle.core.config import describe
    from tests.core.test_config import every_config

    return {name for config in every_config() for name in describe(config)}


@pytest.mark.parametrize(
    ("name", "value"),
    [("stars", value) for value in HOSTILE]
    + [("weight", value) for value in HOSTILE[:4]],  # a large one is one: only proportions count
)
def test_a_picture_s_number_is_refused_before_anything_is_learned(
    nodes, image: torch.Tensor, settings: dict, name: str, value: float
) -> None:
    numbers = {"weight": [1.0], "stars": [3]} | {name: [value]}
    (found,) = nodes.PStyleStyleSet().collect([image[:1]], **numbers)
    with pytest.raises(ValueError, match=name.removesuffix("s")):
        nodes.PStyleLearn().learn(found, contents=image, **settings)


@pytest.mark.parametrize("value", HOSTILE)
def test_shares_and_disparities_are_refused(nodes, image: torch.Tensor, style, value: float) -> None:
    with pytest.raises(ValueError, match="share must be a number from 0 to 1"):
        nodes.PStyleBlend().blend(style, style, value)
    with pytest.raises(ValueError, match="disparity_px must be from 0 to 4096"):
        nodes.PStylePaintStereo().paint(image, style, disparity_px=value, **asdict(StereoConfig()))
