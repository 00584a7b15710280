"""Protects the styled generator: it paints, gives back what a style holds, and knows its own generator."""

from __future__ import annotations

import pytest
import torch

from pstyle.nets.generator import LEVELS
from pstyle.style.styled_generator import StyledGenerator
from tests.style.conftest import equal


def test_a_style_of_another_generator_is_refused(tiny_generator, style):
    tiny_generator.convs["strokes"].bias.data += 0.5
    with pytest.raises(ValueError, match="another generator"):
        StyledGenerator.of(tiny_generator, style)


def test_a_generator_with_a_style_applied_gives_the_style_back(tiny_generator, style):
    styled = StyledGenerator.of(tiny_generator, style)
    assert equal(styled.style(style.provenance, style.preview), style)


def test_strength_zero_has_the_base_s_convolutions(tiny_generator, style):
    found = StyledGenerator.of(tiny_generator, style, (0.0,) * LEVELS).generator.convs.state_dict()
    for name, value in tiny_generator.convs.state_dict().items():
        assert torch.equal(found[name], value)


def test_painting_is_the_generator_with_the_style_s_modulation(tiny_generator, style, picture):
    styled = StyledGenerator.of(tiny_generator, style)
    painted = styled.paint(picture)
    features = styled.generator.content(picture)
    assert torch.equal(painted, styled.generator(picture, features, styled.modulation()))
    painted.sum().backward()
    assert styled.latent.grad.abs().sum() > 0 and styled.generator.contents["body"].weight.grad is None


def test_offsets_move_the_modulation_of_their_site_alone(tiny_generator, style):
    styled = StyledGenerator.of(tiny_generator, style)
    before = styled.modulation()
    styled.offsets["color"].data += 1
    after = styled.modulation()
    assert torch.allclose(after["color"], before["color"] + 1)
    assert all(torch.equal(after[name], before[name]) for name in before if name != "color")
