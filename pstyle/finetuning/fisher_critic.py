"""The critic of windows: the linear classifier that best tells painted from real ones, in closed form.

It is Fisher's discriminant, as in Fisher GAN (Mroueh & Sercu, arXiv 1705.09675), with the covariance that
windows have at the start and a mean of the painted ones that follows them. So it is at its optimum at every
step, where heads trained by gradients lag behind the painter, and its push ends where the means agree.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..core.process_group import ALONE, ProcessGroup
from .patch_statistics import WINDOW_PX, patch_statistics

RIDGE = 0.1  # of the variance of a column: there are more columns than windows
DECAY = 0.9  # per step, of the mean of painted windows


class FisherCritic(nn.Module):
    """Rows (N, K) that describe windows -> logits (N,), above 0 for those that look real: at the start 0.5 in
    the mean of real ones, -0.5 in that of painted ones.

    Its state is one mean; what it measures with is made from the same windows whenever it is built.
    """

    def __init__(self, real: Tensor, painted: Tensor) -> None:
        """From windows (N, K) and (M, K) as they are when the game begins."""
        super().__init__()
        spread = torch.cat([real, painted]).std(0)
        scale = (spread + 0.05 * spread.mean() + 1e-6).reciprocal()  # dead columns stay quiet
        covariance = (torch.cov((real * scale).T) + torch.cov((painted * scale).T)) / 2
        ridge = RIDGE * torch.eye(len(scale), device=scale.device)
        precision = torch.linalg.inv(covariance + ridge) * scale * scale[:, None]
        gap = real.mean(0) - painted.mean(0)
        precision /= (gap @ precision @ gap).clamp_min(1e-12)
        self.register_buffer("real", real.mean(0), persistent=False)  # (K,)
        self.register_buffer("precision", precision, persistent=False)  # (K, K), of the columns as they come
        self.register_buffer("painted", painted.mean(0))  # (K,)

    @torch.no_grad()
    def update(self, painted: Tensor, processes: ProcessGroup = ALONE) -> None:
        """Move the mean of painted windows toward that of the latest (N, K), of all processes."""
        (latest,) = processes.mean(painted.mean(0))
        self.painted.lerp_(latest, 1 - DECAY)

    def forward(self, rows: Tensor) -> Tensor:
        towards_real = self.precision @ (self.real - self.painted)
        return (rows - (self.real + self.painted) / 2) @ towards_real

    @property
    def separation(self) -> float:
        """Squared distance of the means of painted and real windows: 1 at the start, 0 if they agree."""
        gap = self.real - self.painted
        return (gap @ self.precision @ gap).item()


def window_statistics(features: Mapping[str, Tensor]) -> Tensor:
    """What the critic reads of pictures: rows (N, K), one per window, windows half a side apart."""
    return patch_statistics(features, WINDOW_PX // 2)
