"""The peer of the benchmarks: MicroAST (arXiv 2211.15313), run from its own files.

Give the folder of a checkout of EndyWon/MicroAST, trained weights included; none of it is copied.
"""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

PARTS = {
    "content_encoder": "Encoder",
    "style_encoder": "Encoder",
    "modulator": "Modulator",
    "decoder": "Decoder",
}


def load_microast(folder: Path, channels_last: bool = False) -> dict[str, nn.Module]:
    """Its four trained networks by name; channels_last is a memory format it does not use, but gains by.

    Raises ValueError for a folder that is not a checkout of it.
    """
    memory_format = torch.channels_last if channels_last else torch.contiguous_format
    definitions = _definitions(folder)
    networks = {}
    for part, name in PARTS.items():
        network = getattr(definitions, name)()
        # Its weights are published as torch files only; weights_only admits tensors and nothing that runs.
        path = folder / f"models/{part}_iter_160000.pth.tar"
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        networks[part] = network.eval().requires_grad_(False).to(memory_format=memory_format)
    return networks


@torch.inference_mode()
def microast_painter(networks: dict[str, nn.Module], style: Tensor) -> Callable[[Tensor], Tensor]:
    """paint(content) -> picture for one style (1, 3, H, W), whose own part is computed once.

    Its decoder takes mean and deviation of the style features each time it paints: it gets features of two
    pixels that have the same ones, which spares it that work.
    """
    features = networks["style_encoder"](style)
    weights, biases = networks["modulator"](features)
    features = [_two_pixels(level) for level in features]

    @torch.inference_mode()
    def paint(content: Tensor) -> Tensor:
        picture = networks["decoder"](networks["content_encoder"](content), features, weights, biases, 1.0)
        height, width = content.shape[2:]  # it paints multiples of 4, beyond the right and lower edge
        return picture[:, :, :height, :width].clamp(0, 1)

    return paint


def _two_pixels(features: Tensor) -> Tensor:
    """(1, C, H, W) -> (1, C, 1, 2) with the same mean and the same unbiased variance."""
    flat = features.flatten(2)
    mean, offset = flat.mean(2), flat.std(2) / math.sqrt(2)
    return torch.stack((mean - offset, mean + offset), dim=2)[:, :, None]


def _definitions(folder: Path) -> ModuleType:
    if not (folder / "net_microAST.py").is_file():
        raise ValueError(f"no net_microAST.py in {folder}; give the folder of a checkout of EndyWon/MicroAST")
    sys.path.insert(0, str(folder))  # it imports a neighbor by its plain name
    try:
        return importlib.import_module("net_microAST")
    finally:
        sys.path.remove(str(folder))
