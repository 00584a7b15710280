"""The restorer: a damaged picture and a mask of known losses -> the repaired picture.

It has two parts. `ToneCorrection` reads a small copy of the whole picture and undoes fading and casts with
one color map; a U-Net after Ronneberger et al. (arXiv 1505.04597) repairs local damage: grain, blur, marks,
blocks. Its residual blocks have no normalization, as in Zhang et al. (DRUNet, arXiv 2008.13751), so a tile is
repaired as in the whole. We differ in starting at half the resolution, for speed, and in a fourth output, a
logit of marks and holes. Both parts are initialized to the identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...core import checkpoint
from ...core.config import check_settings, from_json, setting, to_json
from ...core.shipped_weights import weights_folder
from .tone_correction import TONES_PX, ToneCorrection, with_tones

RESTORER_FILE = "restorer.safetensors"
STRIDE = 16  # pixels per position of the deepest features
UNSHUFFLE = 2
VISIBLE = 2 / 255  # root mean square at which half of a change is applied
VISIBLE_PX = 9  # side of the squares over which it is measured
DETAIL_PX = 9  # side of the surroundings whose mean is not detail
KEYS = ("config", "origin")  # metadata of a restorer's file
MAX_NUMBERS = 20_000_000  # parameters of a restorer from a file, ten times as many as in the shipped one


@dataclass(frozen=True)
class RestorerConfig:
    """Architecture of a restorer; saved with its weights."""

    half: int = setting(48, 8, 256, "channels at 1/2 of the resolution")
    quarter: int = setting(64, 8, 256, "channels at 1/4 of the resolution")
    eighth: int = setting(96, 8, 256, "channels at 1/8 of the resolution")
    sixteenth: int = setting(128, 8, 256, "channels at 1/16 of the resolution")
    blocks: int = setting(2, 1, 8, "residual blocks at each resolution, going down and coming up")
    tones: int = setting(20, 4, 128, "channels of the tone correction")

    def __post_init__(self) -> None:
        check_settings(self)


class Repair(NamedTuple):
    """Repaired pictures (B, 3, H, W), which may slightly leave [0, 1], and logits (B, 1, H, W) of marks and
    holes.
    """

    image: Tensor
    marks: Tensor


class Block(nn.Module):
    """x + conv(relu(conv(x)))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(F.relu_(self.first(x))).add_(x)


class Restorer(nn.Module):
    """Pictures (B, 3, H, W) and masks (B, 1, H, W) of known losses -> `Repair`.

    H and W are multiples of STRIDE. `tones` computes the color map, which tiles take from the whole picture.
    In evaluation mode, invisibly small changes are suppressed.
    """

    def __init__(self, config: RestorerConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or RestorerConfig()
        sizes = (c.half, c.quarter, c.eighth, c.sixteenth)
        steps = list(zip(sizes, sizes[1:], strict=False))
        pixels = UNSHUFFLE**2
        self.tone_reader = ToneCorrection(c.tones)
        self.first = nn.Conv2d(7 * pixels, c.half, 3, padding=1)
        self.down = nn.ModuleList(_blocks(size, c.blocks) for size in sizes[:-1])
        self.narrower = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in steps)
        self.body = _blocks(c.sixteenth, c.blocks)
        self.wider = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in steps)
        self.up = nn.ModuleList(_blocks(size, c.blocks) for size in sizes[:-1])
        self.last = nn.Conv2d(c.half, 4 * pixels, 3, padding=1)
        self._start()

    def _start(self) -> None:
        """Initialize to the identity, with weights that keep the scale of features from layer to layer."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        calm = [
            layer.second for layer in self.modules() if isinstance(layer, Block)
        ]  # no norm limits the sum
        for layer in (*calm, self.last, self.tone_reader.fresh.out, self.tone_reader.worn[-1]):
            nn.init.zeros_(layer.weight)

    def tones(self, image: Tensor, mask: Tensor) -> Tensor:
        """The color map (B, 3, 1 + 3 * POWERS) of whole pictures whose lost pixels are already black."""
        both = torch.cat([image, mask], dim=1)
        shrink = max(1, round(min(image.shape[2:]) / TONES_PX))
        return self.tone_reader(F.avg_pool2d(both, shrink))

    def forward(self, image: Tensor, mask: Tensor, tones: Tensor | None = None) -> Repair:
        image = image * (1 - mask)
        toned = with_tones(image, self.tones(image, mask) if tones is None else tones)
        x = F.pixel_unshuffle(torch.cat([image - 0.5, toned - 0.5, mask], dim=1), UNSHUFFLE)
        x = self.first(x.contiguous(memory_format=torch.channels_last))  # (B, half, H/2, W/2)
        skips = []
        for blocks, narrower in zip(self.down, self.narrower, strict=True):
            x = blocks(x)
            skips.append(x)
            x = narrower(x)
        x = self.body(x)  # (B, sixteenth, H/16, W/16)
        for blocks, wider in zip(reversed(self.up), reversed(self.wider), strict=True):
            x = blocks(wider(x).add_(skips.pop()))
        out = F.pixel_shuffle(self.last(x).float(), UNSHUFFLE)  # (B, 4, H, W)
        found = toned + out[:, :3]
        return Repair(found if self.training else image + visible(found - image), out[:, 3:])


def visible(change: Tensor) -> Tensor:
    """Suppress invisible parts of a change of pictures (B, 3, H, W), so that clean ones stay unchanged."""
    power = F.avg_pool2d(
        change.square().mean(1, keepdim=True), VISIBLE_PX, 1, VISIBLE_PX // 2, count_include_pad=False
    )
    return change * (power / (power + VISIBLE**2))


def detail(change: Tensor) -> Tensor:
    """A change of pictures (B, C, H, W) minus its local mean, which is a change of tones."""
    return change - F.avg_pool2d(change, DETAIL_PX, 1, DETAIL_PX // 2, count_include_pad=False)


def save_restorer(path: Path, restorer: Restorer, origin: str, overwrite: bool = False) -> None:
    """Write a restorer in half precision with its architecture and one line on how it was made."""
    metadata = {"format": "pstyle.restorer", "config": to_json(restorer.config), "origin": origin}
    tensors = {name: value.half() for name, value in restorer.state_dict().items()}
    checkpoint.save(path, tensors, metadata, overwrite=overwrite)


def load_restorer(path: Path | None = None) -> Restorer:
    """Load the shipped restorer, or one that training saved. Raises BadFile."""
    path = Path(path) if path is not None else weights_folder() / RESTORER_FILE
    tensors, metadata = checkpoint.load(path, _expected, kind="pstyle.restorer", keys=KEYS)
    with torch.random.fork_rng(devices=[]):  # initial weights are random: leave the global state alone
        restorer = Restorer(from_json(RestorerConfig, metadata["config"]))
    restorer.load_state_dict({name: value.float() for name, value in tensors.items()})
    return restorer.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Block(channels) for _ in range(count)))


def _expected(metadata: Mapping[str, str]) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    with torch.device("meta"):
        state = Restorer(from_json(RestorerConfig, metadata["config"])).state_dict()
    if sum(value.numel() for value in state.values()) > MAX_NUMBERS:
        raise ValueError(f"a restorer of more than {MAX_NUMBERS} numbers is not allowed")
    return {name: (tuple(value.shape), torch.float16) for name, value in state.items()}
