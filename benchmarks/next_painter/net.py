"""The painter's network: content features and a style's modulation -> painting.

A transformation network after Johnson et al., arXiv 1603.08155, whose instance norms take scale and bias from
a style (Dumoulin et al., arXiv 1610.07629), predicted from style statistics (Ghiasi et al., arXiv 1705.06830).
We differ: most of the work is done at 1/8 and 1/4 of the resolution; only features at 1/4, blurred, pass the
body, so that shapes must be redrawn; noise that depends on the position alone gives flat areas something to
make strokes of (Ulyanov et al., arXiv 1603.03417); a pixel shuffle without a grid brings strokes to full size.
"""

# ruff: noqa: E501, E741, T201 (a trial)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pstyle.core.config import check_settings, setting
from pstyle.image.padding import pad
from pstyle.nets.generator import StyleEncoder, StyleMod, enlarge, shuffled, suppress_checkerboard
from pstyle.nets.layers import Normalize, conv, conv_exact, modulate, rectified
from pstyle.nets.moments import Moments
from pstyle.nets.noise import position_noise

STRIDE = 8  # pixels per position of the body
NOISES = {
    "body": (0, 1),
    "texture": (2, 3),
}  # layers of position noise at 1/8 and 1/4; at 1/2 they make a weave
LEVELS = 3  # latents per style: form (1/8), texture (1/4), grain (1/2)
FORM, TEXTURE, GRAIN = range(LEVELS)
SKIP = 0.5  # gain that the encoder's features at 1/4 start with beside the body's

Modulation = dict[str, Tensor]  # site name -> (B, 2C, 1, 1): scale and bias of a StyleMod layer


@dataclass(frozen=True)
class GeneratorConfig:
    """Architecture of a generator; saved with its weights."""

    latent: int = setting(256, 8, 1024, "numbers in the latent of one level")
    vgg_width: float = setting(0.25, 0.05, 1.0, "width of the VGG that styles are read with")
    body: int = setting(112, 8, 512, "channels at 1/8 of the resolution")
    texture: int = setting(64, 8, 512, "channels at 1/4 of the resolution")
    grain: int = setting(32, 8, 512, "channels at 1/2 of the resolution")
    blocks: int = setting(4, 1, 16, "residual blocks at 1/8 of the resolution")

    def __post_init__(self) -> None:
        check_settings(self)


class Generator(nn.Module):
    """Content features and a modulation -> picture (B, 3, H, W), H and W multiples of 8.

    `sites` maps every StyleMod layer to the level whose latent moves it. Statistics, padding and the place of
    the noise are arguments, so that tiles, panoramas and video can fix or wrap them.
    """

    def __init__(self, config: GeneratorConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or GeneratorConfig()
        self.encoder = StyleEncoder(c)
        self.contents = nn.ModuleDict(
            {
                "grain": _conv(12, c.grain),
                "texture": _conv(c.grain, c.texture),
                "body": _conv(c.texture, c.body),
            }
        )
        sizes = {"body_content": (FORM, c.body), "body_noise": (FORM, len(NOISES["body"]))}
        sizes |= {f"block{i}{part}": (FORM, c.body) for i in range(c.blocks) for part in ("_in", "_out")}
        sizes |= {f"texture_{part}": (TEXTURE, c.texture) for part in ("content", "up", "in", "out")}
        sizes |= {f"grain_{part}": (GRAIN, c.grain) for part in ("up", "0", "1")}
        sizes |= {"texture_noise": (TEXTURE, len(NOISES["texture"]))}
        self.sites = {name: level for name, (level, _) in sizes.items()}
        self.mods = nn.ModuleDict({name: StyleMod(c.latent, size) for name, (_, size) in sizes.items()})
        self.convs = nn.ModuleDict()
        for i in range(c.blocks):
            self.convs[f"block{i}_in"] = _conv(c.body, c.body, bias=False)
            self.convs[f"block{i}_out"] = _conv(c.body, c.body, bias=False)
        self.convs.update(
            {
                "body_noise": _conv(len(NOISES["body"]), c.body, 1, bias=False),
                "texture_up": _conv(c.body, c.texture, bias=False),
                "texture_noise": _conv(len(NOISES["texture"]), c.texture, 1, bias=False),
                "texture_in": _conv(c.texture, c.texture, bias=False),
                "texture_out": _conv(c.texture, c.texture, bias=False),
                "grain_up": _conv(c.texture, c.grain, bias=False),
                "grain_0": _conv(c.grain, c.grain, bias=False),
                "grain_1": _conv(c.grain, c.grain, bias=False),
                "strokes": _conv(c.grain, 12),
            }
        )
        with torch.no_grad():
            self.convs["strokes"].weight.mul_(0.15)
            self.convs["strokes"].bias.fill_(0.5)  # mid-gray: no pixel starts saturated
            self.mods["texture_content"].linear.bias[: c.texture].fill_(SKIP - 1)
            for name in NOISES:
                self.convs[f"{name}_noise"].weight.mul_(0.1)

    def level_of(self, conv: str) -> int:
        """The level that a convolution of `convs` belongs to."""
        return (
            GRAIN
            if conv.startswith(("grain", "strokes"))
            else TEXTURE
            if conv.startswith("texture")
            else FORM
        )

    def encode(self, style: Mapping[str, Moments]) -> Tensor:
        """Latents (B, L, D), one per level and equal until learning moves them, for moments of style pictures."""
        return self.encoder(style)[:, None].expand(-1, LEVELS, -1)

    def modulation(self, latent: Tensor) -> Modulation:
        """Scale and bias of every site for latents (B, L, D)."""
        return {name: mod.modulation(latent[:, self.sites[name]]) for name, mod in self.mods.items()}

    def content(self, image: Tensor, padding: str = "reflect") -> dict[str, Tensor]:
        """Content features of pictures (B, 3, H, W): "texture" (B, texture, H/4, W/4), blurred, and "body"
        (B, body, H/8, W/8).
        """
        layers = self.contents
        x = F.pixel_unshuffle(image, 2).contiguous(memory_format=torch.channels_last)  # (B, 12, H/2, W/2)
        x = F.relu_(conv(x, layers["grain"].weight, layers["grain"].bias, padding))
        x = F.relu_(conv(x, layers["texture"].weight, layers["texture"].bias, padding, stride=2))
        body = F.relu_(conv(x, layers["body"].weight, layers["body"].bias, padding, stride=2))
        return {"texture": F.avg_pool2d(pad(x, 1, padding), 3, stride=1), "body": body}

    def forward(
        self,
        image: Tensor,
        features: Mapping[str, Tensor],
        modulation: Modulation,
        padding: str = "reflect",
        normalize: Normalize | None = None,
        origin: tuple[int, int] = (0, 0),
        around_px: int | None = None,
    ) -> Tensor:
        """Paint pictures (B, 3, H, W) with their `content` features; may leave [0, 1] a little.

        `normalize` says which statistics each site takes in place of its features' own. `origin` is the row
        and column, multiples of 8, of a tile's corner in the whole; `around_px` is the width of a panorama.
        Of `image` only the width is read: no photographic detail passes but through `features`.
        """
        if padding == "circular":
            around_px = around_px or image.shape[3]

        def mod(x: Tensor, site: str) -> Tensor:
            found = normalize(site, x) if normalize else None
            return modulate(x, *modulation[site].chunk(2, dim=1), found)

        def convolve(x: Tensor, name: str, rectify: bool = False) -> Tensor:
            return conv(x, self.convs[name].weight, self.convs[name].bias, padding, rectify=rectify)

        def noise(like: Tensor, name: str, stride: int) -> Tensor:
            corner = (origin[0] // stride, origin[1] // stride)
            found = position_noise(like, NOISES[name], corner, around_px and around_px // stride)
            return F.conv2d(mod(found, f"{name}_noise"), self.convs[f"{name}_noise"].weight)

        def enlarged(x: Tensor) -> Tensor:
            return F.avg_pool2d(pad(enlarge(x), 1, padding), 3, stride=1)  # else edges are stairs of 8 px

        x = mod(features["body"], "body_content")  # (B, body, H/8, W/8)
        x = x + noise(x, "body", 8)
        for i in range(self.config.blocks):
            inner = mod(convolve(x, f"block{i}_in"), f"block{i}_in")
            x = x + mod(convolve(inner, f"block{i}_out", rectify=True), f"block{i}_out")
        x = mod(convolve(enlarged(x), "texture_up"), "texture_up")  # (B, texture, H/4, W/4)
        x = F.relu(x + mod(features["texture"], "texture_content") + noise(x, "texture", 4))
        inner = mod(convolve(x, "texture_in"), "texture_in")
        x = x + mod(convolve(inner, "texture_out", rectify=True), "texture_out")
        x = mod(convolve(enlarged(x), "grain_up"), "grain_up")  # (B, grain, H/2, W/2)
        x = mod(convolve(x, "grain_0", rectify=True), "grain_0")
        x = mod(convolve(x, "grain_1", rectify=True), "grain_1")
        # Never in less than float32: kernels rounded to bfloat16 bring the grid back.
        strokes, exact = self.convs["strokes"], torch.promote_types(x.dtype, torch.float32)
        kernels = suppress_checkerboard(strokes.weight.to(exact), strokes.bias.to(exact))
        return shuffled(conv_exact(rectified(x, kernels[0].shape[-1] // 2, padding), *kernels))


def _conv(inputs: int, outputs: int, size: int = 3, bias: bool = True) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, size, bias=bias)
    if not layer.weight.is_meta:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if bias:
            nn.init.zeros_(layer.bias)
    return layer
