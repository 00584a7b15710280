"""Fisher's linear discriminant of real and painted windows, in closed form, as a critic next to the heads.

As in Fisher GAN (Mroueh & Sercu, arXiv 1705.09675). We differ in keeping the initial covariance, and a
running mean of painted windows. So the critic is optimal at every step, while heads trained by gradients lag
behind the painter, and its gradient vanishes where the means agree.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..core.process_group import ALONE, ProcessGroup
from .patch_statistics import WINDOW_PX, patch_statistics

RIDGE = 0.1  # relative to a column's variance; needed since there are more columns than windows
DECAY = 0.9  # per step, of the mean of painted windows


class FisherCritic(nn.Module):
    """Window statistics (N, K) -> logits (N,), above 0 for windows that look real.

    Initially they average 0.5 over real windows and -0.5 over painted ones. The mean of painted windows is
    the only state; everything else is computed from the initial windows.
    """

    def __init__(self, real: Tensor, painted: Tensor) -> None:
        """Fit the critic to the initial real (N, K) and painted (M, K) windows."""
        super().__init__()
        spread = torch.cat([real, painted]).std(0)
        scale = (spread + 0.05 * spread.mean() + 1e-6).reciprocal()  # dead columns are not amplified
        covariance = (torch.cov((real * scale).T) + torch.cov((painted * scale).T)) / 2
        ridge = RIDGE * torch.eye(len(scale), device=scale.device)
        precision = torch.linalg.inv(covariance + ridge) * scale * scale[:, None]
        gap = real.mean(0) - painted.mean(0)
        precision /= (gap @ precision @ gap).clamp_min(1e-12)
        self.register_buffer("real", real.mean(0), persistent=False)  # (K,)
        self.register_buffer("precision", precision, persistent=False)  # (K, K), of unscaled columns
        self.register_buffer("painted", painted.mean(0))  # (K,)

    @torch.no_grad()
    def update(self, painted: Tensor, processes: ProcessGroup = ALONE) -> None:
        """Move the mean of painted windows toward the latest ones (N, K) in all processes."""
        (latest,) = processes.mean(painted.mean(0))
        self.painted.lerp_(latest, 1 - DECAY)

    def forward(self, rows: Tensor) -> Tensor:
        towards_real = self.precision @ (self.real - self.painted)
        return (rows - (self.real + self.painted) / 2) @ towards_real

    @property
    def separation(self) -> float:
        """Squared distance between the means of painted and real windows: 1 initially, 0 if they agree."""
        gap = self.real - self.painted
        return (gap @ self.precision @ gap).item()


def window_statistics(features: Mapping[str, Tensor]) -> Tensor:
    """The critic's input: statistics (N, K) of windows half a side apart."""
    return patch_statistics(features, WINDOW_PX // 2)
