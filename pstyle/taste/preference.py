"""A person's preferences from their answers: a Bradley-Terry and Plackett-Luce posterior by Laplace.

Bradley & Terry, Biometrika 1952; Plackett, 1975; Luce, 1959. Utility is linear in features of a candidate. We
adapt this to real answers: a lapse rate, so that one slip has little effect; 'same', shared equally among the
candidates; and weights, by which older answers count less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

MOST_STEPS = 100
STILL = 1e-10  # largest entry of a Newton step at which the mode is reached


@dataclass(frozen=True)
class Pick:
    """One of several candidates chosen by features (K, F), with a weight.

    For "the worst of these", negate the features.
    """

    features: Tensor
    chosen: int
    weight: float = 1.0


@dataclass(frozen=True)
class Prior:
    """The prior before any answer: independent normal weights with mean (F,) and precision (F,)."""

    mean: Tensor
    precision: Tensor

    @classmethod
    def even(cls, size: int, precision: float = 1.0) -> Prior:
        """Mean 0 and one precision for all."""
        return cls(torch.zeros(size, dtype=torch.float64), torch.full((size,), precision).double())


@dataclass(frozen=True)
class Belief:
    """A normal posterior of the weights of a utility: mean (F,), covariance (F, F)."""

    mean: Tensor
    covariance: Tensor

    def utility(self, features: Tensor) -> Tensor:
        """Expected utilities (K,) of candidates with features (K, F)."""
        return features.double() @ self.mean

    def chances(self, features: Tensor) -> Tensor:
        """Probabilities (K,) that each candidate is chosen, at the mean weights."""
        return self.utility(features).softmax(0)

    def draw(self, count: int, rng: torch.Generator) -> Tensor:
        """Posterior samples (count, F) of the weights."""
        noise = torch.randn(count, len(self.mean), generator=rng, dtype=torch.float64)
        return self.mean + noise @ torch.linalg.cholesky(self.covariance).mT


def laplace_posterior(picks: Sequence[Pick], prior: Prior, lapse: float = 0.0) -> Belief:
    """The posterior after picks: its mode, and the inverse of the curvature there.

    With probability `lapse` a pick is random. Each Newton step uses the curvature of the picks weighted by
    the probability that they are deliberate, as in expectation maximization: it is positive definite for any
    lapse rate, and the steps end where the gradient of the whole posterior vanishes.
    """
    mean, precision = prior.mean.double(), prior.precision.double()
    if not picks:
        return Belief(mean, torch.diag(1 / precision))
    features, there, chosen, weight = _stacked(picks)

    def meant(w: Tensor) -> tuple[Tensor, Tensor]:
        """Probabilities (T, K) of deliberate picks, and those (T,) of the picks made."""
        chances = (features @ w).masked_fill(~there, -torch.inf).softmax(1)
        return chances, chances.gather(1, chosen).squeeze(1)

    def badness(w: Tensor) -> Tensor:
        made = (1 - lapse) * meant(w)[1] + lapse / there.sum(1)
        return 0.5 * (precision * (w - mean).square()).sum() - (weight * made.log()).sum()

    w = mean.clone()
    for _ in range(MOST_STEPS):
        chances, made = meant(w)
        share = weight * (1 - lapse) * made / ((1 - lapse) * made + lapse / there.sum(1))
        center = (chances[:, :, None] * features).sum(1)  # (T, F) mean features under the chances
        own = features.gather(1, chosen[:, :, None].expand(-1, -1, features.shape[2])).squeeze(1)
        gradient = precision * (w - mean) - (share[:, None] * (own - center)).sum(0)
        spread = (features - center[:, None]) * chances.sqrt()[:, :, None]
        curvature = torch.diag(precision) + torch.einsum("t,tkf,tkg->fg", share, spread, spread)
        step = torch.linalg.solve(curvature, gradient)
        if step.abs().max() < STILL:
            break
        length = 1.0
        while badness(w - length * step) > badness(w) and length > 1e-6:
            length /= 2
        w = w - length * step
    return Belief(w, torch.linalg.inv(curvature))


def _stacked(picks: Sequence[Pick]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Features (T, K, F) padded with zeros, validity (T, K), chosen (T, 1) and weights (T,)."""
    most = max(len(pick.features) for pick in picks)
    size = picks[0].features.shape[1]
    features = torch.zeros(len(picks), most, size, dtype=torch.float64)
    there = torch.zeros(len(picks), most, dtype=torch.bool)
    for row, pick in enumerate(picks):
        features[row, : len(pick.features)] = pick.features
        there[row, : len(pick.features)] = True
    chosen = torch.tensor([[pick.chosen] for pick in picks])
    return features, there, chosen, torch.tensor([pick.weight for pick in picks], dtype=torch.float64)
