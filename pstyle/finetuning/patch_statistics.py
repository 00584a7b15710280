"""Windows of pictures in numbers: means and deviations of VGG features, which tell strokes, color, grain."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

LAYERS = ("relu1_1", "relu2_1", "relu3_1")
WINDOW_PX = 64
EPS = 1e-6  # of a variance: a flat window's deviation has a gradient, too


def patch_statistics(features: Mapping[str, Tensor], step_px: int = WINDOW_PX) -> Tensor:
    """The windows of pictures as rows (N, K), from those of LAYERS that `features` (B, C, h, w) have by name.

    Pictures are a multiple of 4 px a side and at least as large as a window; windows are `step_px` apart.
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
