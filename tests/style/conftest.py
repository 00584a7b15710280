"""A style of the tiny generator, every part of which has been moved, and how styles compare."""

from __future__ import annotations

import pytest
import torch

from pstyle.nets.generator import style_moments
from pstyle.style.provenance import Provenance
from pstyle.style.style import preview_of
from pstyle.style.styled_generator import StyledGenerator


@pytest.fixture
def style(tiny_generator, tiny_vgg, picture, rng):
    styled = StyledGenerator(tiny_generator, tiny_generator.encode(style_moments(tiny_vgg, picture))[0])
    for weight in [styled.latent, *styled.offsets.values(), *styled.generator.convs.parameters()]:
        weight.data += 0.05 * torch.randn(weight.shape, generator=rng)
    provenance = Provenance(pictures=2, sizes_px="40x32, 33x48", seed=7, steps=12, date="2026-01-02")
    return styled.style(provenance, preview_of(picture))


def equal(a, b) -> bool:
    tensors = [(a.latent, b.latent)]
    tensors += [(a.offsets[name], b.offsets[name]) for name in a.offsets]
    tensors += [(a.weights[name], b.weights[name]) for name in a.weights]
    return all(torch.equal(x, y) for x, y in tensors)
