"""Protects the two-sample test: it tells what differs, is at a guess where nothing does, and fits rightly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from pstyle.finetuning.two_sample_test import DECAY, TwoSample, accuracy_afresh, describe, fitted
from tests.conftest import random_picture


def grainy(rng, amount):
    return (random_picture(rng, 96, 96) + amount * torch.randn(1, 3, 96, 96, generator=rng)).clamp(0, 1)


@pytest.fixture
def shallow(tiny_vgg):
    return tiny_vgg.eval()


def test_the_same_kind_is_told_by_guessing_and_another_surely(shallow, rng):
    sets = [[grainy(rng, 0.0) for _ in range(6)] for _ in range(4)]
    other = [[grainy(rng, 0.3) for _ in range(6)] for _ in range(2)]
    real, painted, real_unseen, painted_unseen = sets
    assert abs(accuracy_afresh(real, painted, real_unseen, painted_unseen, shallow) - 0.5) < 0.15
    assert accuracy_afresh(real, other[0], real_unseen, other[1], shallow) > 0.9


def test_nearer_pictures_are_told_less(shallow, rng):
    real, real_unseen = ([grainy(rng, 0.0) for _ in range(6)] for _ in range(2))
    told = []
    for amount in (0.02, 0.05, 0.3):
        painted, unseen = ([grainy(rng, amount) for _ in range(6)] for _ in range(2))
        told.append(accuracy_afresh(real, painted, real_unseen, unseen, shallow))
    assert told[0] < told[2] and told[1] <= told[2] + 0.02


def test_the_same_seed_gives_the_same(shallow, rng):
    sets = [[grainy(rng, amount)] for amount in (0.0, 0.1, 0.0, 0.1)]
    assert accuracy_afresh(*sets, shallow, seed=3) == accuracy_afresh(*sets, shallow, seed=3)


def test_real_pictures_are_described_once_and_judged_with_by_any_number(shallow, rng):
    real, painted, real_unseen, unseen = ([grainy(rng, amount)] for amount in (0.0, 0.1, 0.0, 0.1))
    test = TwoSample(real, real_unseen, shallow, seed=3)
    first = test.two_sample_accuracy(painted, unseen, classifiers=1)
    assert test.two_sample_accuracy(painted, unseen) == accuracy_afresh(
        real, painted, real_unseen, unseen, shallow, seed=3
    )
    assert test.two_sample_accuracy(painted, unseen, classifiers=1) == first


def test_the_fit_is_that_of_scipy(rng):
    rows, labels = torch.randn(60, 4, generator=rng), (torch.rand(60, generator=rng) > 0.4).float()
    x, y = rows.double().numpy(), labels.double().numpy()

    def loss(w):
        logits = x @ w[:-1] + w[-1]
        return np.mean(np.logaddexp(0, logits) - y * logits) + DECAY * np.sum(w[:-1] ** 2)

    expected = minimize(loss, np.zeros(5), tol=1e-12).x
    assert np.allclose(fitted(rows, labels).numpy(), expected, atol=2e-3)


def test_features_are_means_and_deviations(shallow, rng):
    crops = torch.rand(40, 3, 64, 64, generator=rng)
    found = describe(crops, shallow)
    expected = shallow(crops, ["relu1_1", "relu2_1", "relu3_1"])
    size = expected["relu1_1"].shape[1]
    assert torch.allclose(found[:, :size], expected["relu1_1"].mean((2, 3)), atol=1e-5)
    assert torch.allclose(found[:, size : 2 * size], expected["relu1_1"].std((2, 3)), atol=1e-4)
