"""The restorer: a damaged picture, and where it is known to be lost -> the picture repaired.

Two parts. `ToneCorrection` looks at a small copy of the whole picture and undoes fading and casts with one
map of colors; a U-Net after Ronneberger et al. (arXiv 1505.04597) repairs what is near a pixel: grain, blur,
marks, blocks. It has residual blocks without normalization, as Zhang et al. (DRUNet, arXiv 2008.13751), so a
tile is repaired as in the whole. We differ in working from half the resolution on, for time, and in a fourth
output: a logit of what is a mark or a hole. Both parts start as the identity.
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
VISIBLE = 2 / 255  # root mean square of a change that is made by half
VISIBLE_PX = 9  # side of the squares over which it is taken
DETAIL_PX = 9  # side of the surroundings whose mean is not detail
KEYS = ("config", "origin")  # metadata of a restorer's file
MAX_NUMBERS = 20_000_000  # in a restorer that a file describes: ten times as many as in the shipped one


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
    """Repaired pictures (B, 3, H, W) that may leave [0, 1] a little, and logits (B, 1, H, W) of where marks
    and holes are.
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
    """Pictures (B, 3, H, W) with a mask (B, 1, H, W) of what is known to be lost -> `Repair`.

    H and W are multiples of STRIDE. `tones` gives the map of colors, of the whole where pictures are tiles.
    After training, changes too small to see are not made.
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
        """Weights that keep the size of features from layer to layer, and change no picture."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        calm = [layer.second for layer in self.modules() if isinstance(layer, Block)]  # no norm calms the sum
        for layer in (*calm, self.last, self.tone_reader.fresh.out, self.tone_reader.worn[-1]):
            nn.init.zeros_(layer.weight)

    def tones(self, image: Tensor, mask: Tensor) -> Tensor:
        """The map of colors (B, 3, 1 + 3 * POWERS) for whole pictures with what is lost already dark."""
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
    """A change of pictures (B, 3, H, W) without what nobody would see: clean ones stay as they are."""
    power = F.avg_pool2d(
        change.square().mean(1, keepdim=True), VISIBLE_PX, 1, VISIBLE_PX // 2, count_include_pad=False
    )
    return change * (power / (power + VISIBLE**2))


def detail(change: Tensor) -> Tensor:
    """A change of pictures (B, C, H, W) without its surroundings' mean, which is one of tones."""
    return change - F.avg_pool2d(change, DETAIL_PX, 1, DETAIL_PX // 2, count_include_pad=False)


def save_restorer(path: Path, restorer: Restorer, origin: str, overwrite: bool = False) -> None:
    """Write a restorer in half precision with its architecture and one line on how it was made."""
    metadata = {"format": "pstyle.restorer", "config": to_json(restorer.config), "origin": origin}
    tensors = {name: value.half() for name, value in restorer.state_dict().items()}
    checkpoint.save(path, tensors, metadata, overwrite=overwrite)


def load_restorer(path: Path | None = None) -> Restorer:
    """The shipped restorer, or one from a file that training made. Raises BadFile."""
    path = Path(path) if path is not None else weights_folder() / RESTORER_FILE
    tensors, metadata = checkpoint.load(path, _expected, kind="pstyle.restorer", keys=KEYS)
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, and others' numbers must not feel it
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
