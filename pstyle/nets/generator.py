"""The generator: content features and a style's modulation -> picture.

Instance norm with per-style affine parameters follows Dumoulin et al., arXiv 1610.07629; a style encoder
predicts them from style statistics as in Ghiasi et al., arXiv 1705.06830. We differ in four places. Content
features come from three strided convolutions, in a seventh of the time of a slim VGG. They enter at every
resolution but the last, together with the picture's own colors at a quarter of it. Noise that depends on the
position alone gives flat areas something to turn into strokes (Ulyanov et al., arXiv 1603.03417); without it
they show the grid of the upsampling. A pixel shuffle (Shi et al., arXiv 1609.05158) brings the strokes to
full size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..core import checkpoint
from ..core.config import check_settings, from_json, setting, to_json
from ..core.shipped_weights import weights_folder
from .layers import Normalize, Statistics, conv, conv_exact, modulate, rectified
from .moments import Moments, moments
from .noise import position_noise
from .vgg import VGG, channels

GENERATOR_FILE = "generator.safetensors"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
STRIDE = 8  # pixels per position of the deepest content features
STEM_PX = 5  # side of the first convolution's kernel
NOISES = {"texture": (0, 1), "grain": (2,)}  # layers of position noise at 1/4 and 1/2 of the resolution
KEYS = ("config", "origin")  # metadata of a generator's file
MAX_NUMBERS = 20_000_000  # parameters of a generator from a file; the shipped one has about a 25th of that
LEVELS = 4  # latents per style: form (1/8), texture (1/4), grain (1/2), color
FORM, TEXTURE, GRAIN, COLOR = range(LEVELS)

Modulation = dict[str, Tensor]  # site name -> (B, 2C, 1, 1): scale and bias of a StyleMod layer


@dataclass(frozen=True)
class GeneratorConfig:
    """Architecture of a generator; saved with its weights."""

    latent: int = setting(256, 8, 1024, "size of the latent of each level")
    vgg_width: float = setting(0.25, 0.05, 1.0, "width of the VGG that provides the features")
    body: int = setting(64, 8, 512, "channels at 1/8 of the resolution")
    texture: int = setting(32, 8, 512, "channels at 1/4 of the resolution")
    grain: int = setting(32, 8, 512, "channels at 1/2 of the resolution")
    blocks: int = setting(2, 1, 16, "residual blocks at 1/8 of the resolution")

    def __post_init__(self) -> None:
        check_settings(self)


class StyleMod(nn.Module):
    """The style adjustment layer: instance norm, then x * (scale + 1) + bias from a linear map of a latent.

    The map's output (B, 2C) is split into scale and bias (B, C, 1, 1). It starts at zero, as instance norm.
    """

    def __init__(self, latent: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(latent, 2 * channels)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def modulation(self, latent: Tensor) -> Tensor:
        """Scale and bias (B, 2C, 1, 1) for latents (B, D)."""
        return self.linear(latent)[:, :, None, None]

    def forward(self, x: Tensor, latent: Tensor, frozen: Statistics | None = None) -> Tensor:
        """Adjust x (B, C, H, W) by latents (1 or B, D); `frozen` statistics replace x's own."""
        return modulate(x, *self.modulation(latent).chunk(2, dim=1), frozen)


class StyleEncoder(nn.Module):
    """Statistics of a style picture -> latent (B, D): a perceptron on z-scored means and log-deviations."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        size = 2 * (3 + sum(channels(config.vgg_width, name) for name in STYLE_LAYERS))
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("std", torch.ones(size))
        self.layers = nn.Sequential(
            nn.Linear(size, config.latent),
            nn.SiLU(),
            nn.Linear(config.latent, config.latent),
            nn.LayerNorm(config.latent),
        )

    def forward(self, style: Mapping[str, Moments]) -> Tensor:
        """Latents (B, D) for the moments of "image" and of every style layer."""
        return self.layers((self.code(style) - self.mean) / self.std)

    @staticmethod
    def code(style: Mapping[str, Moments]) -> Tensor:
        """The statistics themselves, (B, K): means and log-deviations, pixels first."""
        parts = [style[name] for name in ("image", *STYLE_LAYERS)]
        return torch.cat([value for part in parts for value in (part.mean, part.std.log())], dim=1)


def style_moments(vgg: VGG, image: Tensor) -> dict[str, Moments]:
    """Moments of pictures (B, 3, H, W): of the pixels ("image") and of every style layer."""
    found = {name: moments(value) for name, value in vgg(image, STYLE_LAYERS).items()}
    return {"image": moments(image)} | found


class Generator(nn.Module):
    """Content features and a modulation -> picture (B, 3, H, W), H and W multiples of 8.

    `sites` maps every StyleMod layer to the level whose latent controls it. Normalization and padding are
    arguments, so that tiles, panoramas and video can freeze statistics or wrap borders.
    """

    def __init__(self, config: GeneratorConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or GeneratorConfig()
        self.encoder = StyleEncoder(c)
        self.contents = nn.ModuleDict(
            {
                "grain": _conv(3, c.grain, STEM_PX),
                "texture": _conv(c.grain, c.texture),
                "body": _conv(c.texture, c.body),
            }
        )
        sizes = {"body_content": (FORM, c.body)} | {f"block{i}": (FORM, c.body) for i in range(c.blocks)}
        sizes |= {f"texture{part}": (TEXTURE, c.texture) for part in ("_content", "0", "1")}
        sizes |= {f"grain{part}": (GRAIN, c.grain) for part in ("_content", "0", "1")} | {"color": (COLOR, 3)}
        sizes |= {"texture_noise": (TEXTURE, len(NOISES["texture"]))}
        sizes |= {"grain_noise": (GRAIN, len(NOISES["grain"]))}
        self.sites = {name: level for name, (level, _) in sizes.items()}
        self.mods = nn.ModuleDict({name: StyleMod(c.latent, size) for name, (_, size) in sizes.items()})
        self.convs = nn.ModuleDict()
        for i in range(c.blocks):
            self.convs.update(
                {f"block{i}": _conv(c.body, c.body, bias=False), f"block{i}_out": _conv(c.body, c.body)}
            )
        self.convs.update(
            {
                "to_texture": _conv(c.body, c.texture),
                "texture_in": _conv(3 + len(NOISES["texture"]), c.texture, 1, bias=False),
                "texture0": _conv(c.texture, c.texture, bias=False),
                "texture1": _conv(c.texture, c.texture, bias=False),
                "to_grain": _conv(c.texture, c.grain),
                "grain_in": _conv(len(NOISES["grain"]), c.grain, 1, bias=False),
                "grain0": _conv(c.grain, c.grain, bias=False),
                "grain1": _conv(c.grain, c.grain, bias=False),
                "strokes": _conv(c.grain, 12),
            }
        )
        with torch.no_grad():
            self.convs["strokes"].weight.mul_(0.15)
            self.convs["strokes"].bias.fill_(0.5)  # mid-gray: no pixel starts saturated

    def level_of(self, conv: str) -> int:
        """The level of a convolution of `convs`, by its name."""
        if conv.startswith("texture") or conv == "to_grain":
            return TEXTURE
        return GRAIN if conv.startswith("grain") or conv == "strokes" else FORM

    def encode(self, style: Mapping[str, Moments]) -> Tensor:
        """Latents (B, L, D) for the moments of style pictures: one per level, equal until learned."""
        return self.encoder(style)[:, None].expand(-1, LEVELS, -1)

    def modulation(self, latent: Tensor) -> Modulation:
        """Scale and bias of every site for latents (B, L, D)."""
        return {name: mod.modulation(latent[:, self.sites[name]]) for name, mod in self.mods.items()}

    def content(self, image: Tensor, padding: str = "reflect") -> dict[str, Tensor]:
        """Content features of pictures (B, 3, H, W), H and W multiples of 8.

        "grain" (B, grain, H/2, W/2), "texture" (B, texture, H/4, W/4) and "body" (B, body, H/8, W/8).
        """
        found, x = {}, image
        for name, layer in self.contents.items():
            x = found[name] = F.relu_(conv(x, layer.weight, layer.bias, padding, stride=2))
        return found

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
        """Paint pictures (B, 3, H, W) with their `content` features; the result may slightly leave [0, 1].

        `normalize` returns the statistics that each site uses in place of its features' own
        (`layers.RecordedStatistics` records those; with global ones, a tile paints as in the whole). `origin`
        is the row and column, multiples of 8, of a tile's corner in the whole picture. `around_px` is the
        width of a panorama, where columns start over; by default the picture's, if padded circularly.
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
            return mod(found, f"{name}_noise")

        # In place where autograd allows it: new memory costs more than the arithmetic.
        x = mod(features["body"], "body_content")  # (B, body, H/8, W/8)
        for i in range(self.config.blocks):
            inner = mod(convolve(x, f"block{i}"), f"block{i}")
            x = convolve(inner, f"block{i}_out", rectify=True).add_(x)
        x = enlarge(convolve(x, "to_texture"))  # (B, texture, H/4, W/4)
        x = x.add_(mod(features["texture"], "texture_content"))
        colors = mod(F.avg_pool2d(image, 4), "color")  # (B, 3, H/4, W/4): colors without detail
        inputs = torch.cat([colors, noise(x, "texture", 4)], dim=1)
        x = x.add_(convolve(inputs, "texture_in"))
        x = mod(convolve(x, "texture0", rectify=True), "texture0")
        x = mod(convolve(x, "texture1", rectify=True), "texture1")
        x = enlarge(convolve(x, "to_grain", rectify=True))  # (B, grain, H/2, W/2)
        x = x.add_(mod(features["grain"], "grain_content"))
        # Not a convolution: with one input channel that would lose channels_last, which costs 30 ms.
        x = x.addcmul_(noise(x, "grain", 2), self.convs["grain_in"].weight.view(1, -1, 1, 1))
        x = mod(convolve(x, "grain0", rectify=True), "grain0")
        x = mod(convolve(x, "grain1", rectify=True), "grain1")
        # Always in float32: kernels rounded to bfloat16 bring the grid back.
        strokes, exact = self.convs["strokes"], torch.promote_types(x.dtype, torch.float32)
        kernels = suppress_checkerboard(strokes.weight.to(exact), strokes.bias.to(exact))
        return shuffled(conv_exact(rectified(x, kernels[0].shape[-1] // 2, padding), *kernels))


def save_generator(path: Path, generator: Generator, origin: str) -> None:
    """Write a generator in half precision with its architecture and one line on how it was made."""
    metadata = {"format": "pstyle.generator", "config": to_json(generator.config), "origin": origin}
    checkpoint.save(path, half(generator.state_dict()), metadata)


def load_generator(path: Path | None = None) -> Generator:
    """Load the shipped generator, or one that base training saved. Raises BadFile."""
    path = Path(path) if path is not None else weights_folder() / GENERATOR_FILE
    tensors, metadata = checkpoint.load(path, _expected, kind="pstyle.generator", keys=KEYS)
    with torch.random.fork_rng(devices=[]):  # initial weights are random: leave the global state alone
        generator = Generator(from_json(GeneratorConfig, metadata["config"]))
    generator.load_state_dict({name: value.float() for name, value in tensors.items()})
    return generator.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def fingerprint(generator: Generator) -> str:
    """A hash of the weights as stored, which binds a style file to its generator."""
    return checkpoint.digest(half(generator.state_dict()))


def half(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors in half precision, as weights are stored."""
    return {name: value.half() for name, value in tensors.items()}


def outline(config: GeneratorConfig) -> Generator:
    """A generator on the meta device, without memory, for a config from an untrusted file.

    Raises ValueError above MAX_NUMBERS parameters.
    """
    with torch.device("meta"):
        generator = Generator(config)
    numbers = sum(value.numel() for value in generator.state_dict().values())
    if numbers > MAX_NUMBERS:
        raise ValueError(f"a generator of {numbers} numbers is above the {MAX_NUMBERS} allowed")
    return generator


def _expected(metadata: dict[str, str]) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    state = outline(from_json(GeneratorConfig, metadata["config"])).state_dict()
    return {name: (tuple(value.shape), torch.float16) for name, value in state.items()}


def enlarge(x: Tensor) -> Tensor:
    """Double height and width by repetition, without a checkerboard (Odena et al., Distill 2016)."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


def suppress_checkerboard(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Adjust the convolution before a pixel shuffle so that flat areas and linear ramps show no grid.

    Weights are (4C, D, k, k) with k at least 3, biases (4C,). The kernels of a color's four subpixels must
    have equal sums, and centers of mass as far apart as the subpixels: a quarter of a position to each side.
    The deviation is subtracted, a constant plus a ramp. Aitken et al., arXiv 1707.02937, initialize with
    equal sums, which training does not preserve; here both conditions always hold.
    """
    size = weight.shape[-1]
    taps = torch.arange(size, dtype=weight.dtype, device=weight.device) - size // 2
    side = taps.new_tensor([-0.25, 0.25])
    kernels = weight.unflatten(0, (-1, 2, 2))  # (C, row, column, D, k, k)
    sums = kernels.sum((4, 5), keepdim=True)
    common = sums.mean((1, 2), keepdim=True)
    kernels = kernels - (sums - common) / size**2
    for place, offset in ((taps.view(-1, 1), side.view(2, 1, 1, 1, 1)), (taps, side.view(2, 1, 1, 1))):
        moment = (kernels * place).sum((4, 5), keepdim=True)
        excess = moment - moment.mean((1, 2), keepdim=True) - common * offset
        kernels = kernels - excess / (size * taps.square().sum()) * place
    return kernels.flatten(0, 2), bias.unflatten(0, (-1, 4)).mean(1).repeat_interleave(4)


def shuffled(x: Tensor) -> Tensor:
    """Shuffle (B, 4C, H, W) to (B, C, 2H, 2W), contiguous.

    Same result as F.pixel_shuffle in half its time for a channels_last input.
    """
    batch, channels, height, width = x.shape
    parts = x.permute(0, 2, 3, 1).reshape(batch, height, width, channels // 4, 2, 2)
    return parts.permute(0, 3, 1, 4, 2, 5).reshape(batch, channels // 4, 2 * height, 2 * width)


def _conv(inputs: int, outputs: int, size: int = 3, bias: bool = True) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, size, bias=bias)
    if not layer.weight.is_meta:  # on meta, torch would first import its compiler, for three seconds
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return layer
