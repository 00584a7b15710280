"""Protects the measures of an equilibrium: closed forms, bounds, and that measuring changes nothing."""

from __future__ import annotations

import copy

import pytest
import torch

from pstyle.evaluation.metrics import pooled_patch_swd, ssim
from pstyle.finetuning.equilibrium import (
    GANState,
    diagnose,
    duality_gap,
    held_out_scores,
    logit_gap,
    overfitting,
)
from pstyle.nets.discriminator import Discriminator
from pstyle.style.styled_generator import StyledGenerator


def logits(*values: list[float]) -> dict[str, torch.Tensor]:
    return {f"head{i}": torch.tensor(row).view(-1, 1, 1, 1) for i, row in enumerate(values)}


@pytest.fixture
def gan(tiny_vgg, tiny_generator, rng):
    latent = torch.randn(4, 16, generator=rng)
    found = GANState(tiny_vgg, StyledGenerator(tiny_generator, latent), Discriminator(tiny_vgg, hidden=8))
    found.discriminator.measure(tiny_vgg(torch.rand(4, 3, 32, 32, generator=rng)))
    return found


def drawing(rng):
    return lambda: (torch.rand(2, 3, 32, 32, generator=rng), torch.rand(2, 3, 32, 32, generator=rng))


def adam(lr):
    """What makes an optimizer of all that moves in a player."""
    return lambda player: torch.optim.Adam([p for p in player.parameters() if p.requires_grad], lr)


def gap_of(gan, rng, steps=3, lr=0.01):
    real, content = drawing(rng)()
    return duality_gap(gan, real, content, drawing(rng), adam(lr), adam(lr), steps)


def sharpen(gan, real, content, steps):
    optimizer = torch.optim.Adam(gan.discriminator.parameters(), 0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        (-gan.value(real, content)).backward()
        optimizer.step()


def test_the_logit_gap_by_hand():
    real, painted = logits([1.0, 3.0]), logits([-1.0, 1.0])  # means 2 and 0, deviations 1
    assert logit_gap(real, painted) == pytest.approx(2)
    assert logit_gap(painted, real) == pytest.approx(-2)
    wide = {"head0": real["head0"] * 50, "head1": painted["head0"]}
    assert logit_gap(wide, {"head0": painted["head0"] * 50, "head1": painted["head0"]}) == pytest.approx(1)


@pytest.mark.parametrize(
    ("train", "held_out", "painted", "found"),
    [
        (1, 1, -1, 0), (1, -1, -1, 1), (1, 0, -1, 0.5), (1, 2, -1, 0),
        (1, -9, -1, 1), (-1, 0, 1, 0), (0, 1, 0, 0),
    ],
)  # fmt: skip
def test_the_overfitting_index_by_hand(train, held_out, painted, found):
    assert overfitting(*(logits([float(x)]) for x in (train, held_out, painted))) == pytest.approx(found)


def test_the_value_is_the_negated_hinge(gan, rng):
    real, content = drawing(rng)()
    painted = gan.judge(gan.paint(content).clamp(0, 1))
    parts = [
        (value - 1).clamp_max(0).mean() + (-1 - painted[name]).clamp_max(0).mean()
        for name, value in gan.judge(real).items()
    ]
    assert gan.value(real, content).item() == pytest.approx(torch.stack(parts).mean().item(), rel=1e-4)


def test_no_step_no_duality_gap_and_otherwise_never_below_zero(gan, rng):
    assert gap_of(gan, rng, steps=0) == 0
    assert gap_of(gan, rng, lr=0.5) >= 0
    assert gap_of(gan, rng, steps=6) > 0


def test_measuring_leaves_the_game_as_it_was(gan, rng):
    before = copy.deepcopy([gan.styled.state_dict(), gan.discriminator.state_dict()])
    gap_of(gan, rng)
    real, content = drawing(rng)()
    diagnose(gan, real, real, content)
    for state, module in zip(before, (gan.styled, gan.discriminator), strict=True):
        assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
        assert all(weight.grad is None for weight in module.parameters())


def test_a_sharp_discriminator_leaves_less_to_gain(gan, rng):
    real, content = torch.ones(2, 3, 32, 32), torch.rand(2, 3, 32, 32, generator=rng)

    def gain():
        return duality_gap(gan, real, content, lambda: (real, content), adam(0.003), adam(0.0), 8)

    before = gain()
    sharpen(gan, real, content, 80)
    assert 0 <= gain() < 0.5 * before


def test_pictures_told_apart_and_pictures_that_are_the_same(gan, rng):
    real, content = torch.ones(2, 3, 32, 32), torch.rand(2, 3, 32, 32, generator=rng)
    with torch.no_grad():
        painted = gan.paint(content).clamp(0, 1)
    same = diagnose(gan, painted, painted, content)
    assert same["logit_gap"] == pytest.approx(0, abs=1e-5) and same["overfitting"] == 0
    assert same["held_out_accuracy"] == pytest.approx(0.5, abs=0.01) == same["train_accuracy"]
    sharpen(gan, real, content, 60)
    apart = diagnose(gan, real, real, content)
    assert apart["held_out_accuracy"] > 0.9 and apart["logit_gap"] > 1 and apart["overfitting"] == 0
    memorized = diagnose(gan, real, painted, content)
    assert memorized["overfitting"] == pytest.approx(1, abs=1e-4) and memorized["train_accuracy"] > 0.9
    assert memorized["held_out_accuracy"] == pytest.approx(0.5, abs=0.05)


def test_scores_compare_all_painted_pictures_with_all_styles(gan, rng):
    contents = [torch.rand(1, 3, side, side, generator=rng) for side in (64, 72)]
    styles = [torch.rand(1, 3, 96, 60, generator=rng) for _ in range(2)]
    found = held_out_scores(gan.styled, contents, styles)
    painted = [gan.paint(content).detach().clamp(0, 1) for content in contents]
    assert found["patch_swd"] == pytest.approx(pooled_patch_swd(painted, styles, directions=32))
    pairs = zip(painted, contents, strict=True)
    assert found["ssim"] == pytest.approx(sum(ssim(*pair) for pair in pairs) / 2, abs=1e-5)
    assert found["contrast"] > 0
