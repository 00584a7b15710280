"""Learn one style from the base: latents, modulation offsets and convolutions move until it paints so.

usage: learn.py --base runs/base.safetensors --style STYLE.jpg --out styles/NAME.safetensors [--steps 150]
"""

# ruff: noqa: E501, E741, T201 (a trial)

from __future__ import annotations

import argparse
import json
import math
import time
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
from data import ScaledCrops
from losses import LossConfig, load_perceptual, painting_terms
from net import Generator, Modulation
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from train_base import load_weights, split_of

from pstyle.core.config import check_settings, setting
from pstyle.image.reading import open_image
from pstyle.image.resizing import resize_short_side
from pstyle.nets.generator import style_moments
from pstyle.nets.vgg import load_vgg
from pstyle.training.guarded_optimizer import GuardedOptimizer


@dataclass(frozen=True)
class LearnConfig:
    """Settings of learning a style."""

    steps: int = setting(150, 0, 10_000, "optimization steps; 0 only encodes the picture")
    size_px: int = setting(
        600, 64, 2048, "short side at which the style picture is seen: sets the stroke size"
    )
    crop_px: int = setting(128, 64, 512, "side of the content crops")
    batch: int = setting(4, 1, 32, "content crops per step; their statistics are taken together")
    lr_latent: float = setting(0.02, 0.0, 1.0, "learning rate of the latents")
    lr_offset: float = setting(0.01, 0.0, 1.0, "learning rate of the modulation offsets")
    lr_weight: float = setting(0.003, 0.0, 1.0, "learning rate of the convolutions")
    lr_content: float = setting(0.001, 0.0, 1.0, "learning rate of the content encoder; 0 keeps the base's")
    warmup: int = setting(10, 1, 1000, "steps over which the learning rates rise")
    seed: int = setting(0, 0, 2**31 - 1, "seed of the crops")

    def __post_init__(self) -> None:
        check_settings(self)


class StyledGenerator(nn.Module):
    """A generator with one style's parameters; style encoder and StyleMod heads stay the base's."""

    def __init__(self, generator: Generator, latent: Tensor) -> None:
        super().__init__()
        self.generator = deepcopy(generator).requires_grad_(False)
        self.latent = nn.Parameter(latent.detach().clone())  # (L, D)
        sizes = {name: mod.linear.out_features for name, mod in self.generator.mods.items()}
        self.offsets = nn.ParameterDict(
            {name: nn.Parameter(torch.zeros(size)) for name, size in sizes.items()}
        )

    def modulation(self) -> Modulation:
        """Scale and bias of every site, (1, 2C, 1, 1)."""
        heads = self.generator.modulation(self.latent[None])
        return {name: value + self.offsets[name][None, :, None, None] for name, value in heads.items()}

    def forward(self, image: Tensor) -> Tensor:
        """Paint pictures (B, 3, H, W), H and W multiples of 8."""
        return self.generator(image, self.generator.content(image), self.modulation())

    def groups(self, config: LearnConfig) -> list[dict]:
        """Optimizer groups of what learning moves."""
        groups = [
            {"params": [self.latent], "lr": config.lr_latent},
            {"params": list(self.offsets.parameters()), "lr": config.lr_offset},
            {"params": list(self.generator.convs.requires_grad_(True).parameters()), "lr": config.lr_weight},
        ]
        if config.lr_content:
            contents = list(self.generator.contents.requires_grad_(True).parameters())
            groups.append({"params": contents, "lr": config.lr_content})
        return groups

    def save(self, path: Path) -> None:
        """Write what learning moved, in half precision."""
        tensors = {"latent": self.latent} | {f"offset.{k}": v for k, v in self.offsets.items()}
        tensors |= {f"conv.{k}": v for k, v in self.generator.convs.state_dict().items()}
        tensors |= {f"content.{k}": v for k, v in self.generator.contents.state_dict().items()}
        save_file({k: v.detach().half().contiguous() for k, v in tensors.items()}, path)

    def load(self, path: Path) -> None:
        """Read what `save` wrote."""
        tensors = {k: v.float() for k, v in load_file(path).items()}
        self.latent.data.copy_(tensors["latent"])
        for name, value in self.offsets.items():
            value.data.copy_(tensors[f"offset.{name}"])
        for prefix, module in (("conv.", self.generator.convs), ("content.", self.generator.contents)):
            module.load_state_dict(
                {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            )


def load_base(path: Path) -> Generator:
    """The averaged weights of a base training."""
    generator = Generator()
    load_weights(generator, path)
    return generator.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def encoded(base: Generator, style: Tensor) -> StyledGenerator:
    """The base with the style of a picture (1, 3, H, W), not yet learned."""
    with torch.no_grad():
        return StyledGenerator(base, base.encode(style_moments(load_vgg(), style))[0])


def learn(
    styled: StyledGenerator,
    style: Tensor,
    photos: ScaledCrops,
    vgg: Path,
    config: LearnConfig,
    loss_config: LossConfig,
    is_fast: bool,
) -> list[dict[str, float]]:
    """Move a style towards its picture (1, 3, H, W); returns the losses of each step."""
    perceptual = load_perceptual(vgg, is_fast)
    rng = torch.Generator().manual_seed(config.seed)
    target = perceptual.target(style, rng)
    guarded = GuardedOptimizer(torch.optim.Adam(styled.groups(config), betas=(0.9, 0.99)))
    history = []
    for step in range(config.steps):
        # batch
        crops = [photos.draw(config.crop_px, rng) for _ in range(config.batch)]
        image = torch.cat(crops).contiguous(memory_format=torch.channels_last)
        # forward, losses
        terms = painting_terms(styled(image), image, [target], perceptual, loss_config, rng)
        loss = loss_config.total(terms)
        # backward, guard, step
        fall = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / config.steps))
        guarded.step(loss, min(1.0, (step + 1) / config.warmup) * fall, terms)
        # record
        history.append({"step": step + 1, "loss": loss.item()} | {k: v.item() for k, v in terms.items()})
    return history


def main() -> None:
    """Learn one style and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, default=Path("runs/base.safetensors"))
    parser.add_argument("--style", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--images", type=Path, default=Path("images"))
    parser.add_argument("--vgg", type=Path, default=Path("vgg"))
    parser.add_argument("--photos", type=int, default=72, help="training photographs to practice on")
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--loss", default="{}", help="weights of the loss as JSON")
    parser.add_argument("--settings", default="{}", help="LearnConfig as JSON")
    args = parser.parse_args()
    torch.set_num_threads(1)
    config, loss_config = LearnConfig(**json.loads(args.settings)), LossConfig(**json.loads(args.loss))
    paths = split_of(args.images)["photos"]
    photos = ScaledCrops(paths[:: max(1, len(paths) // args.photos)], 512, (224, 512))
    style = resize_short_side(open_image(args.style)[:, :3], config.size_px)
    styled = encoded(load_base(args.base), style)
    begun = time.time()
    history = learn(styled, style, photos, args.vgg, config, loss_config, args.fast)
    args.out.parent.mkdir(exist_ok=True)
    styled.save(args.out)
    for part in (history[:10], history[-10:]):
        if part:
            print({k: round(sum(h[k] for h in part) / len(part), 4) for k in part[0]})
    print(args.out, f"{time.time() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
