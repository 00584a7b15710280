"""Protects the loss that the loops share: its terms, its weights, and what a caller may pass along."""

from __future__ import annotations

import pytest
import torch

from pstyle.finetuning.finetune_config import FinetuneConfig
from pstyle.losses.painter_loss import PainterLoss, loss_weights
from pstyle.losses.perceptual import Perceptual, clamp_through, weighted
from pstyle.losses.style_content import light_distance, structure_distance
from pstyle.training.base_training import BaseConfig
from pstyle.training.learning import LearnConfig
from pstyle.training.optimize import OptimizeConfig
from tests.conftest import random_picture

TERMS = ["style", "content", "smooth", "range", "structure", "light", "patches"]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def loss(tiny_vgg, rng):
    pictures = [random_picture(rng, 64, 72), random_picture(rng, 80, 64)]
    return PainterLoss.of(pictures, [1.0, 3.0], Perceptual([tiny_vgg]), LearnConfig())


@pytest.fixture
def crops(rng):
    return torch.cat([random_picture(rng, 64, 64) for _ in range(2)])


def test_a_painting_that_is_its_content_costs_no_content(loss, crops):
    terms = loss.terms(crops, crops, seeded())
    assert list(terms) == TERMS
    assert all(terms[name] < 1e-6 for name in ("content", "structure", "light", "range"))
    assert terms["style"] > 0 and terms["patches"] > 0


def test_terms_are_those_of_what_is_shown(loss, crops):
    painted = 1.5 * crops.flip(3)
    shown, terms = painted.clamp(0, 1), loss.terms(painted, crops, seeded())
    assert torch.equal(terms["structure"], structure_distance(shown, crops))
    assert torch.equal(terms["light"], light_distance(shown, crops))
    inside = loss.terms(shown, crops, seeded())
    assert terms["range"] > 0 and inside["range"] == 0
    same = [name for name in TERMS if name not in ("smooth", "range")]
    assert all(torch.allclose(terms[name], inside[name], rtol=1e-4) for name in same)


def test_what_the_caller_has_already_changes_nothing(loss, crops):
    painted = 1.2 * crops.flip(2)
    shown = clamp_through(painted)
    passed = loss.terms(painted, crops, seeded(), shown, loss.perceptual.features(shown))
    assert passed == loss.terms(painted, crops, seeded())


def test_a_style_s_own_pictures_are_nearer_than_noise(loss, tiny_vgg, rng):
    picture = random_picture(rng, 64, 64)
    toward = PainterLoss.of([picture], [1.0], Perceptual([tiny_vgg]), LearnConfig())
    own = toward.terms(picture, picture, seeded())
    noise = toward.terms(torch.rand(1, 3, 64, 64, generator=rng), picture, seeded())
    assert own["style"] < 1e-6 and own["patches"] < 0.2 * noise["patches"]


@pytest.mark.parametrize("config", [LearnConfig(), FinetuneConfig(), BaseConfig(), OptimizeConfig()])
def test_every_weight_is_the_setting_of_its_name(config):
    weights = loss_weights(config)
    for term, weight in weights.items():
        assert weight == getattr(config, {"patches": "patch_weight"}.get(term, f"{term}_weight"))
    unused = {"gram_weight", "lecam_weight", "lr_weight"}  # no weights of terms of their own
    named = {name for name in vars(config) if name.endswith("_weight")} - unused
    assert len(weights) == len(named)


def test_learning_and_finetuning_weigh_every_term(loss, crops):
    terms = loss.terms(crops, crops.flip(2), seeded())
    for config in (LearnConfig(), FinetuneConfig()):
        assert weighted(terms, loss_weights(config)) > 0
