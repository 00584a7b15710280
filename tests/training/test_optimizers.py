"""Protects the optimizer of a style: all that a style owns moves, each part at its own rate."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from pstyle.finetuning.finetune_config import FinetuneConfig
from pstyle.style.styled_generator import StyledGenerator
from pstyle.training.learning import LearnConfig
from pstyle.training.optimizers import ADVERSARIAL_BETAS, BETAS, style_optimizer


@pytest.fixture
def styled(tiny_generator, rng):
    found = StyledGenerator(tiny_generator, torch.randn(4, 16, generator=rng))
    found.generator.convs.requires_grad_(True)
    return found


def test_each_part_of_a_style_has_its_rate(styled):
    rates = SimpleNamespace(lr_latent=0.3, lr_offset=0.2, lr_weight=0.1)
    groups = style_optimizer(styled, rates).param_groups
    assert [group["lr"] for group in groups] == [0.3, 0.2, 0.1]
    owned = {id(weight) for weight in styled.parameters() if weight.requires_grad}
    assert {id(weight) for group in groups for weight in group["params"]} == owned
    assert groups[0]["params"] == [styled.latent]


def test_betas_are_those_asked_for(styled):
    for betas in (BETAS, ADVERSARIAL_BETAS):
        optimizer = style_optimizer(styled, LearnConfig(), betas)
        assert all(group["betas"] == betas for group in optimizer.param_groups)


@pytest.mark.parametrize("config", [LearnConfig(), FinetuneConfig()])
def test_both_loops_move_latents_fastest(styled, config):
    rates = [group["lr"] for group in style_optimizer(styled, config).param_groups]
    assert rates == [config.lr_latent, config.lr_offset, config.lr_weight] == sorted(rates, reverse=True)
