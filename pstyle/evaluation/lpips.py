"""LPIPS (Zhang et al., arXiv 1801.03924) where the person has it: the package `lpips` and AlexNet's weights.

Neither is part of this package, and nothing is fetched. ArtFID (Wright & Ommer, arXiv 2207.12280) is
(1 + LPIPS) (1 + FID), and its FID compares the statistics of thousands of pictures in an Inception network
trained on paintings: of a few pictures it would be a number without meaning, so none is told.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import torch
from torch import Tensor

from ..nets.pretrained import import_torchvision_models

SMALLEST_SIDE_PX = 64  # AlexNet pools what is smaller to nothing
NO_ART_FID = "it needs thousands of pictures and its own network: pip install art-fid"

Distance = Callable[[Tensor, Tensor], float]


class Absent(Exception):  # noqa: N818
    """A score whose parts are not on this machine; says in a few words what would bring it."""


def load_lpips() -> Distance:
    """The LPIPS distance of two pictures of one size, (1, 3, H, W) in [0, 1]: 0 if equal.

    Raises Absent if the package or its weights are not here, or do not load.
    """
    try:
        package = import_module("lpips")
    except (ImportError, RuntimeError, OSError, AttributeError) as error:  # its torchvision may not fit torch
        raise Absent(f"{_line(error)}: pip install lpips") from error
    weights = alexnet_file()
    if not weights.is_file():  # asked first, because the package would fetch it
        raise Absent(f"it reads AlexNet's weights: put {weights.name} into {str(weights.parent)!r}")
    try:
        with torch.inference_mode(False):
            network = package.LPIPS(net="alex", verbose=False).eval().requires_grad_(False)
    except Exception as error:  # another's code and another's file: whatever it is, the score is absent
        raise Absent(f"its weights do not load ({_line(error)})") from error

    @torch.inference_mode()
    def distance(output: Tensor, content: Tensor) -> float:
        if min(content.shape[2:]) < SMALLEST_SIDE_PX:
            raise Absent(f"it needs pictures of at least {SMALLEST_SIDE_PX} px a side")
        return network.to(output.device)(output, content, normalize=True).item()

    return distance


def alexnet_file() -> Path:
    """Where torch keeps the AlexNet that LPIPS reads, once somebody has fetched it.

    Raises Absent if torchvision, which knows its name, is not there.
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
