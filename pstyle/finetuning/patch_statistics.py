"""Statistics of windows: means and deviations of VGG features, which capture strokes, color and grain."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

LAYERS = ("relu1_1", "relu2_1", "relu3_1")
WINDOW_PX = 64
EPS = 1e-6  # added to variances, so that a flat window's deviation has a finite gradient


def patch_statistics(features: Mapping[str, Tensor], step_px: int = WINDOW_PX) -> Tensor:
    """Statistics (N, K) of all windows of pictures, from their features (B, C, h, w) by layer name.

    Layers that are missing are left out. The pictures' sides are multiples of 4 px and no smaller than a
    window; windows are `step_px` apart.
    """
    columns = []
    for name in LAYERS:
        if name in features:
            reduction = 2 ** (int(name[4]) - 1)
            windows = (WINDOW_PX // reduction, step_px // reduction)
            x = features[name].to(torch.promote_types(features[name].dtype, torch.float32))
            mean, square = F.avg_pool2d(x, *windows), F.avg_pool2d(x * x, *windows)
            columns += [mean, ((square - mean * mean).clamp_min(0) + EPS).sqrt()]
    return torch.cat([column.flatten(2) for column in columns], dim=1).transpose(1, 2).flatten(0, 1)
