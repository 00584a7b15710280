"""Adversarial losses on patch logits: hinge, LeCam (Tseng et al., arXiv 2104.03310), and an adaptive weight.

The weight balances them with other terms, as in VQGAN (Esser et al., arXiv 2012.09841).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.process_group import ALONE, ProcessGroup
from ..nets.discriminator import Logits

MAX_WEIGHT = 10.0  # of the adversarial term, for a discriminator that is nearly flat


def hinge(logits: Logits, target: int) -> Tensor:
    """Mean of max(0, 1 - target * logit), target 1 for real, -1 for painted: the discriminator's loss."""
    return _mean([F.relu(1 - target * value).mean() for value in logits.values()])


def realness(logits: Logits) -> Tensor:
    """Mean logit, each head with equal weight, for the painter to maximize."""
    return _mean([value.mean() for value in logits.values()])


def lecam(real: Logits, painted: Logits, real_average: float, painted_average: float) -> Tensor:
    """Squared excess of real logits over the running average of painted ones, and vice versa.

    It pulls both sides together, so that logits do not diverge when there are few real pictures.
    """
    above = [F.relu(value - painted_average).square().mean() for value in real.values()]
    below = [F.relu(real_average - value).square().mean() for value in painted.values()]
    return _mean(above) + _mean(below)


def accuracy(real: Logits, painted: Logits) -> float:
    """Share of patches judged correctly, real and painted with equal weight: 0.5 is guessing."""
    rights = [(real[name] > 0).float().mean() + (painted[name] < 0).float().mean() for name in real]
    return _mean(rights).item() / 2


def adaptively_weighted(
    painted: Tensor, anchor: Tensor, adversarial: Tensor, ratio: float, processes: ProcessGroup = ALONE
) -> tuple[Tensor, Tensor]:
    """anchor + weight * adversarial, and the weight, at which their gradients have norms of 1 to `ratio`.

    Gradients are taken at the painted pixels (B, 3, H, W) and passed on from there, so that each term is
    back-propagated once; the norms are those of all processes together.
    """
    pull, push = (torch.autograd.grad(term, painted)[0] for term in (anchor, adversarial))
    weight = (ratio * processes.norm(pull) / processes.norm(push).clamp_min(1e-12)).clamp_max(MAX_WEIGHT)
    onward = (painted * (pull + weight * push)).sum()  # its gradient at `painted` is that of the whole loss
    return (anchor + weight * adversarial).detach() + onward - onward.detach(), weight


def _mean(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean()
