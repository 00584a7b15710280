"""Contact sheets: rows of pictures of one height."""

# ruff: noqa: E501, E741, T201 (a trial)

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch.nn.functional as F
from PIL import Image
from torch import Tensor


def save_sheet(path, rows: Sequence[Sequence[Tensor]], height_px: int = 256, gap_px: int = 6) -> None:
    """Write rows of pictures, each (1, 3, H, W), as one PNG."""
    lines = [[_fitted(picture, height_px) for picture in row] for row in rows]
    width = max(sum(part.shape[1] + gap_px for part in line) for line in lines)
    sheet = np.full(((height_px + gap_px) * len(lines), width, 3), 255, np.uint8)
    for i, line in enumerate(lines):
        left = 0
        for part in line:
            sheet[i * (height_px + gap_px) :][:height_px, left : left + part.shape[1]] = part
            left += part.shape[1] + gap_px
    Image.fromarray(sheet).save(path)


def _fitted(picture: Tensor, height_px: int) -> np.ndarray:
    if picture.shape[2] != height_px:
        width = round(picture.shape[3] * height_px / picture.shape[2])
        picture = F.interpolate(picture, (height_px, width), mode="bicubic", antialias=True)
    return (picture[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
