"""LPIPS (Zhang et al., arXiv 1801.03924), if the package `lpips` and AlexNet's weights are installed.

Neither is part of this package, and nothing is downloaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import torch
from torch import Tensor

from ..nets.pretrained import import_torchvision_models

SMALLEST_SIDE_PX = 64  # AlexNet pools smaller pictures to nothing

Distance = Callable[[Tensor, Tensor], float]


class Absent(Exception):  # noqa: N818
    """A score cannot be computed on this machine; the message names what to install."""


def load_lpips() -> Distance:
    """The LPIPS distance between two pictures of one size, (1, 3, H, W) in [0, 1]: 0 if equal.

    Raises Absent if the package or its weights are missing, or do not load.
    """
    try:
        package = import_module("lpips")
    except (ImportError, RuntimeError, OSError, AttributeError) as error:  # torchvision may not match torch
        raise Absent(f"{_line(error)}: pip install lpips") from error
    weights = alexnet_file()
    if not weights.is_file():  # checked first: the package would download it
        raise Absent(f"it reads AlexNet's weights: put {weights.name} into {str(weights.parent)!r}")
    try:
        with torch.inference_mode(False):
            network = package.LPIPS(net="alex", verbose=False).eval().requires_grad_(False)
    except Exception as error:  # third-party code and file: whatever fails, the score is absent
        raise Absent(f"its weights do not load ({_line(error)})") from error

    @torch.inference_mode()
    def distance(output: Tensor, content: Tensor) -> float:
        if min(content.shape[2:]) < SMALLEST_SIDE_PX:
            raise Absent(f"it needs pictures of at least {SMALLEST_SIDE_PX} px a side")
        return network.to(output.device)(output, content, normalize=True).item()

    return distance


def alexnet_file() -> Path:
    """The path where torch caches the AlexNet of LPIPS.

    Raises Absent without torchvision, which defines the file's name.
    """
    try:
        url = import_torchvision_models().AlexNet_Weights.IMAGENET1K_V1.url
    except (ImportError, RuntimeError, AttributeError) as error:
        raise Absent(f"it needs torchvision 0.13 or newer ({_line(error)})") from error
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))
    return Path(home, "hub", "checkpoints", url.rpartition("/")[2]).expanduser()


def _line(error: Exception) -> str:
    return " ".join((str(error) or type(error).__name__).split())[:120]
