"""The distance of painter and discriminator from an equilibrium, measured on held-out pictures.

Duality gap after Grnarova et al., arXiv 1811.05512; overfitting index r_v after Karras et al., arXiv
2006.06676.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from statistics import mean

import torch
from torch import Tensor
from torch.optim import Optimizer

from ..evaluation.metrics import pooled_patch_swd, ssim
from ..image.colors import luma
from ..losses.adversarial import accuracy, hinge, realness
from ..losses.perceptual import clamp_through
from ..nets.discriminator import Discriminator, Logits
from ..nets.vgg import VGG
from ..style.styled_generator import StyledGenerator

ValidationMetrics = dict[str, float]  # of one check, by name

DIRECTIONS = 32  # of the patch distance: a quarter of the benchmark's, so that a check is quick


@dataclass(frozen=True)
class GANState:
    """A painter, and a discriminator that reads a frozen VGG, on one device."""

    vgg: VGG
    styled: StyledGenerator
    discriminator: Discriminator

    def paint(self, image: Tensor) -> Tensor:
        """Content pictures (B, 3, H, W), sides multiples of 8, painted in the style; may leave [0, 1]."""
        return self.styled.paint(image)

    def judge(self, image: Tensor) -> Logits:
        """Logits of pictures (B, 3, H, W)."""
        return self.discriminator(self.vgg(image, self.discriminator.layers))

    def value(self, real: Tensor, content: Tensor) -> Tensor:
        """E min(0, D(real) - 1) + E min(0, -1 - D(painted)), for the discriminator to raise."""
        return -hinge(self.judge(real), 1) - hinge(self.judge(clamp_through(self.paint(content))), -1)


def diagnose(gan: GANState, train: Tensor, held_out: Tensor, content: Tensor) -> ValidationMetrics:
    """Accuracy of the discriminator on crops it trained on and on held-out ones, against painted contents.

    All crops are (B, 3, S, S). Guessing gives accuracies of 0.5 and a gap of 0; overfitting is 0 to 1.
    """
    with torch.no_grad():
        known, fresh, painted = (gan.judge(x) for x in (train, held_out, gan.paint(content).clamp(0, 1)))
    return {
        "held_out_accuracy": accuracy(fresh, painted),
        "train_accuracy": accuracy(known, painted),
        "logit_gap": logit_gap(fresh, painted),
        "overfitting": overfitting(known, fresh, painted),
    }


def logit_gap(real: Logits, painted: Logits) -> float:
    """Mean logit of real minus of painted patches in units of their pooled deviation, averaged over heads."""
    gaps = []
    for name, value in real.items():
        pooled = (value.var(correction=0) + painted[name].var(correction=0)).div(2).sqrt()
        gaps.append((value.mean() - painted[name].mean()) / pooled.clamp_min(1e-6))
    return torch.stack(gaps).mean().item()


def overfitting(train: Logits, held_out: Logits, painted: Logits) -> float:
    """r_v: where held-out real pictures lie between trained ones (0) and painted ones (1)."""
    lead = (realness(train) - realness(painted)).item()
    if lead <= 1e-6:  # it fails even on its training pictures, so it has memorized nothing
        return 0.0
    share = (realness(train) - realness(held_out)).item() / lead
    return min(1.0, max(0.0, share)) if math.isfinite(share) else math.nan


def duality_gap(
    gan: GANState,
    real: Tensor,
    content: Tensor,
    draw: Callable[[], tuple[Tensor, Tensor]],
    discriminator_optimizer: Callable[[Discriminator], Optimizer],
    painter_optimizer: Callable[[StyledGenerator], Optimizer],
    steps: int,
) -> float:
    """The highest value over discriminators minus the lowest over painters, 0 or more.

    A copy of each player takes `steps` steps against the other, which stays fixed, on batches from `draw`. It
    is evaluated on held-out crops, which gives a lower bound. The GAN state itself does not change.
    """
    sharper = replace(gan, discriminator=deepcopy(gan.discriminator))
    subtler = replace(gan, styled=deepcopy(gan.styled))
    optimizer = discriminator_optimizer(sharper.discriminator)
    for _ in range(steps):
        _improve(optimizer, -sharper.value(*draw()))
    optimizer = painter_optimizer(subtler.styled)
    for _ in range(steps):
        _improve(optimizer, subtler.value(*draw()))
    with torch.no_grad():
        now, high, low = (player.value(real, content).item() for player in (gan, sharper, subtler))
    return max(now, high) - min(now, low)


@torch.no_grad()
def held_out_scores(
    styled: StyledGenerator, contents: Sequence[Tensor], styles: Sequence[Tensor]
) -> ValidationMetrics:
    """Patch distance of all painted contents (1, 3, H, W) to all styles, mean SSIM and mean contrast."""
    painted = [styled.paint(content).clamp(0, 1) for content in contents]
    return {
        "patch_swd": pooled_patch_swd(painted, styles, directions=DIRECTIONS),
        "ssim": mean(ssim(*pair) for pair in zip(painted, contents, strict=True)),
        "contrast": mean(luma(picture).std().item() for picture in painted),
    }


def _improve(optimizer: Optimizer, loss: Tensor) -> None:
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        weight.grad = gradient  # backward() would also leave gradients in the other player
    optimizer.step()
