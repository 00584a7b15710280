"""VGG-19 (Simonyan & Zisserman, arXiv 1409.1556) and its slim version: picture -> features by layer name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..core import checkpoint
from ..core.checkpoint import BadFile
from ..core.shipped_weights import weights_folder
from .layers import conv

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
BLOCKS = (
    (64, 2),
    (128, 2),
    (256, 4),
    (512, 4),
    (512, 4),
)  # (channels at width 1, convolutions), pooled between
SLIM_FILE = "vgg_slim.safetensors"  # reads styles: every layer at a quarter of the width
LOSS_FILE = "vgg_loss.safetensors"  # for losses and scores: full width up to relu3_1, narrower between
KEYS = ("origin", "made_from", "width", "inner", "last")  # metadata its file may have beside the format
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def channels(width: float, layer: str, inner: float = 1.0) -> int:
    """Number of feature maps of a layer such as "relu3_1"; `inner` narrows all but the first of a block."""
    share = width if layer.endswith("_1") else width * inner
    return max(1, round(BLOCKS[int(layer[4]) - 1][0] * share))


def convolutions(last: str = "relu5_1") -> list[tuple[str, int]]:
    """(layer name, torchvision's index in `features`) of every convolution up to and including `last`."""
    plan, index = [], 0
    for block, (_, depth) in enumerate(BLOCKS, start=1):
        for position in range(1, depth + 1):
            plan.append((f"relu{block}_{position}", index))
            index += 2
            if plan[-1][0] == last:
                return plan
        index += 1  # the pooling layer
    raise ValueError(f"unknown last layer {last!r}: name one such as {', '.join(LAYERS)}")


class VGG(nn.Module):
    """VGG-19's convolutions, frozen, at `width` times their usual number of channels.

    It differs from torchvision's in two ways: it takes pictures in [0, 1] and normalizes them itself, and
    padding is an argument of the call, reflection by default (zeros darken the borders of stylized pictures).
    With `inner` below 1, the convolutions between style layers are narrower, which gives features of full
    width in a fraction of the time.
    """

    def __init__(self, width: float = 1.0, last: str = "relu5_1", inner: float = 1.0) -> None:
        super().__init__()
        self.width, self.last, self.inner = width, last, inner
        self.plan = convolutions(last)
        self.features = nn.ModuleDict()
        previous = 3
        for name, index in self.plan:
            current = channels(width, name, inner)
            self.features[str(index)] = nn.Conv2d(previous, current, 3, padding=1)
            previous = current
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)
        self.eval().requires_grad_(False)

    @property
    def layers(self) -> tuple[str, ...]:
        """The style layers that this network reaches."""
        reached = {name for name, _ in self.plan}
        return tuple(name for name in LAYERS if name in reached)

    def forward(
        self,
        image: Tensor,
        layers: Iterable[str] | None = None,
        padding: str = "reflect",
        isolate: bool = False,
    ) -> dict[str, Tensor]:
        """Features of pictures (B, 3, H, W) in [0, 1] by layer name, each (B, C, H / 2^k, W / 2^k).

        They have the dtype of the weights. With `isolate`, the gradient of each layer ends at the requested
        layer before it. Raises ValueError for a layer this network does not reach.
        """
        wanted = self._wanted(layers)
        x = ((image - self.mean) / self.std).to(self.features["0"].weight.dtype)
        found: dict[str, Tensor] = {}
        for name, index in self.plan:
            if name.endswith("_1") and name != "relu1_1":
                x = F.max_pool2d(x, 2)
            layer = self.features[str(index)]
            x = F.relu(conv(x, layer.weight, layer.bias, padding))
            if name in wanted:
                found[name] = x
                x = x.detach() if isolate else x
            if len(found) == len(wanted):
                break
        return found

    def _wanted(self, layers: Iterable[str] | None) -> set[str]:
        wanted = set(self.layers if layers is None else layers)
        unknown = sorted(wanted - {name for name, _ in self.plan})
        if unknown:
            raise ValueError(
                f"this VGG ends at {self.last}: no layer {', '.join(unknown)}; choose among {self.layers}"
            )
        return wanted


def save_vgg(path: Path, vgg: VGG, origin: str) -> None:
    """Write a VGG in half precision, with one line on the origin of its weights."""
    tensors = {name: value.half() for name, value in vgg.state_dict().items()}
    shape = {"width": repr(vgg.width), "inner": repr(vgg.inner), "last": vgg.last}
    checkpoint.save(path, tensors, {"format": "pstyle.vgg", "origin": origin} | shape)


def load_loss_vgg() -> VGG:
    """The shipped network for losses and scores."""
    return load_vgg(weights_folder() / LOSS_FILE)


def load_vgg(path: Path | None = None) -> VGG:
    """The shipped slim VGG, or any VGG-19 in our layout or torchvision's from a .safetensors file.

    Width and depth are read off the file's shapes; every name and shape must then agree. Raises BadFile.
    """
    path = Path(path) if path is not None else weights_folder() / SLIM_FILE
    tensors, _ = checkpoint.load(
        path, lambda _: None, kind="pstyle.vgg", keys=(), optional=KEYS, foreign=True
    )
    vgg = _fitting(tensors, str(path))
    vgg.load_state_dict({name: value.float() for name, value in tensors.items()})
    return vgg.to(memory_format=torch.channels_last)


def _fitting(tensors: Mapping[str, Tensor], name: str) -> VGG:
    shapes = {key: tuple(value.shape) for key, value in tensors.items()}
    indices = {index: layer for layer, index in convolutions("relu5_4")}
    found = [layer for index, layer in indices.items() if f"features.{index}.weight" in shapes]
    first = shapes.get("features.0.weight", ())
    if not found or len(first) != 4 or not 1 <= first[0] <= 64:
        raise BadFile(
            f"{name!r} is not a VGG-19: it needs tensors named features.0.weight, features.0.bias and so on"
        )
    for key, value in tensors.items():
        if not value.is_floating_point():
            raise BadFile(
                f"{name!r} is not a VGG-19: tensor {key[:80]!r} must hold floats, got {value.dtype}"
            )
    second = shapes.get("features.2.weight", first)  # the first convolution that `inner` narrows
    inner = min(second[0] / first[0], 1.0) if len(second) == 4 else 1.0
    with torch.device("meta"):
        expected = {
            key: tuple(value.shape)
            for key, value in VGG(first[0] / 64, found[-1], inner).state_dict().items()
        }
    for key in sorted(expected.keys() ^ shapes.keys()):
        raise BadFile(
            f"{name!r} is not a VGG-19: tensor {key[:80]!r} is {'missing' if key in expected else 'not one'}"
        )
    for key, shape in expected.items():
        if shapes[key] != shape:
            raise BadFile(f"{name!r} is not a VGG-19: tensor {key!r} must be {shape}, got {shapes[key]}")
    with torch.random.fork_rng(devices=[]):  # initial weights are random: leave the global state alone
        return VGG(first[0] / 64, found[-1], inner)
