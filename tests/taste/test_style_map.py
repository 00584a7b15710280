"""Protects the map: where pictures, styles and candidates are placed, and what is drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pstyle.style.answers import History, Question
from pstyle.style.provenance import Provenance
from pstyle.style.styled_generator import StyledGenerator
from pstyle.taste.style_map import candidates_of, code_of, map_of, principal


@pytest.fixture
def style(tiny_generator, tiny_vgg, pictures):
    latent = code_of(pictures[0], tiny_generator, tiny_vgg).expand(4, -1)
    return StyledGenerator(tiny_generator, latent).style(Provenance())


@pytest.fixture
def chosen(style):
    history = History(torch.randn(4, 16, generator=torch.Generator().manual_seed(5)), "x")
    history.ask(Question(torch.eye(4)[:3]))
    history.answer(1)
    at = torch.tensor([0.0, 0.5, 0.0, -1.5])
    moved = style.latent.float() + at @ history.directions
    return replace(style, latent=moved.half(), taste=history.text(9, at)), history


def test_components_are_those_of_numpy(rng):
    codes = torch.randn(9, 5, generator=rng)
    values, vectors = np.linalg.eigh(np.cov(codes.numpy().T))
    expected = (codes.numpy() - codes.numpy().mean(0)) @ vectors[:, ::-1][:, :2]
    assert np.allclose(np.abs(principal(codes, codes).numpy()), np.abs(expected), atol=1e-4)


def test_candidates_lie_around_the_style_begun_with(style, chosen):
    after, history = chosen
    points, liked = candidates_of(after)
    assert torch.allclose(points, style.latent.float().mean(0) + history.directions[:3], atol=0.02)
    assert liked == [False, True, False]


def test_a_style_without_answers_has_no_candidates(style):
    points, liked = candidates_of(style)
    assert points.shape == (0, 16) and liked == []


def test_a_map_is_drawn_with_what_it_is_given(style, chosen, pictures, tiny_generator, tiny_vgg):
    plain = map_of(pictures, {}, tiny_generator, tiny_vgg)
    whole = map_of(pictures, {"mine": chosen[0]}, tiny_generator, tiny_vgg)
    assert plain.shape == whole.shape == (1, 3, 900, 900)
    orange = torch.tensor([1.0, 0.5, 0.055]).view(1, 3, 1, 1)  # the chosen candidate
    assert ((plain - orange).abs().amax(1) < 0.02).sum() == 0 < ((whole - orange).abs().amax(1) < 0.02).sum()


def test_too_few_or_foreign_things_are_refused(style, pictures, tiny_generator, tiny_vgg):
    with pytest.raises(ValueError, match="two pictures or styles or more, got 1"):
        map_of(pictures[:1], {}, tiny_generator, tiny_vgg)
    foreign = replace(style, latent=torch.zeros(4, 8))
    with pytest.raises(ValueError, match="'theirs' is of another generator"):
        map_of(pictures, {"theirs": foreign}, tiny_generator, tiny_vgg)
