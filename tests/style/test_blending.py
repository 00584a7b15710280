"""Protects blending: a blend lies between its styles, and styles of one generator only are blended."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from pstyle.style.blending import blend
from pstyle.style.provenance import Provenance
from pstyle.style.strength_calibration import Calibration
from tests.style.conftest import equal


def test_blending_with_itself_and_with_no_weight_changes_nothing(style):
    other = dataclasses.replace(style, latent=style.latent + 1)
    assert torch.allclose(blend([style, style], [1, 3]).latent.float(), style.latent.float(), atol=1e-2)
    assert equal(blend([style, other], [1, 0]), style)


def test_a_blend_lies_between(style):
    other = dataclasses.replace(style, latent=style.latent + 1)
    found = blend([style, other], [3, 1]).latent.float() - style.latent.float()
    assert torch.allclose(found, torch.full_like(found, 0.25), atol=1e-2)


def test_styles_of_two_generators_do_not_blend(style):
    with pytest.raises(ValueError, match="different generators"):
        blend([style, dataclasses.replace(style, generator_id="0" * 64)], [1, 1])


def test_a_blend_has_the_mean_calibration_and_the_preview_of_the_heaviest(style):
    light = dataclasses.replace(style, calibration=Calibration(quarter=0.0, half=0.2, three_quarters=0.4))
    heavy = dataclasses.replace(style, preview=None, provenance=Provenance(pictures=3))
    found = blend([light, heavy], [1, 3])
    assert found.calibration.half == pytest.approx(0.25 * 0.2 + 0.75 * 0.5) and found.preview is None
    assert found.provenance.pictures == 5 and found.provenance.note == "blend of 0.250 and 0.750"
