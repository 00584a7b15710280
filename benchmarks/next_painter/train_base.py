"""Train the base: one generator for any style, from photographs and paintings; resumes where it stopped.

usage: train_base.py --images images --vgg vgg --state runs/base.safetensors
"""

# ruff: noqa: E501, E741, T201 (a trial)

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
from data import ScaledCrops, StyleEntry, StylePool, joined
from losses import LossConfig, Perceptual, load_perceptual, painting_terms
from net import Generator
from sheet import save_sheet
from torch import Tensor

from pstyle.core.config import check_settings, setting
from pstyle.image.reading import open_image
from pstyle.image.resizing import resize_short_side
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import load_vgg
from pstyle.training.ema import update_ema
from pstyle.training.guarded_optimizer import GuardedOptimizer
from pstyle.training.training_state import TrainingState


@dataclass(frozen=True)
class BaseConfig:
    """Settings of base training."""

    steps: int = setting(1_000_000, 1, 10_000_000, "optimization steps")
    styles: int = setting(2, 1, 64, "different styles per step")
    contents: int = setting(2, 1, 64, "content crops per style and step")
    size_px: int = setting(128, 64, 1024, "side of the content crops")
    style_px: int = setting(256, 64, 1024, "side of the style crops")
    lr: float = setting(1.5e-3, 0.0, 1.0, "learning rate of Adam")
    warmup: int = setting(100, 1, 100_000, "steps over which the learning rate rises")
    ema: float = setting(0.998, 0.0, 1.0, "decay per step of the averaged weights")
    recolored: float = setting(0.15, 0.0, 1.0, "share of style crops with exchanged color channels")
    pool: int = setting(48, 1, 4096, "style crops at hand")
    renew_every: int = setting(3, 1, 1000, "steps from one new style crop to the next")
    seed: int = setting(0, 0, 2**31 - 1, "seed of weights and crops")

    def __post_init__(self) -> None:
        check_settings(self)


def base_terms(
    generator: Generator,
    perceptual: Perceptual,
    image: Tensor,
    styles: list[StyleEntry],
    config: LossConfig,
    rng: torch.Generator,
) -> dict[str, Tensor]:
    """Loss terms of content crops (S * K, 3, H, W) painted in S styles."""
    latent = generator.encode(joined([style.code for style in styles]))
    latent = latent.repeat_interleave(len(image) // len(styles), dim=0)
    output = generator(image, generator.content(image), generator.modulation(latent))
    return painting_terms(output, image, [style.target for style in styles], perceptual, config, rng)


def main() -> None:
    """Train until killed or done."""
    args = arguments()
    torch.set_num_threads(1)
    config = BaseConfig(
        size_px=args.size_px, styles=args.styles, contents=args.contents, lr=args.lr, steps=args.steps
    )
    loss_config = LossConfig(**json.loads(args.loss))
    split = split_of(args.images)
    rng = torch.Generator().manual_seed(config.seed)
    torch.manual_seed(config.seed)
    generator = Generator()
    # A style encoder that already tells styles apart: that of the generator before.
    generator.encoder.load_state_dict(load_generator().encoder.state_dict())
    generator = generator.to(memory_format=torch.channels_last)
    average = deepcopy(generator).requires_grad_(False)
    vgg, perceptual = load_vgg(), load_perceptual(args.vgg, is_fast=args.fast)
    photos = ScaledCrops(split["photos"], 480, (128, 400))
    paintings = ScaledCrops(split["paintings"], 900, (256, 900))
    print(len(photos.pictures), "photographs", len(paintings.pictures), "paintings", flush=True)
    optimizer = torch.optim.Adam(generator.parameters(), lr=config.lr, betas=(0.9, 0.99))
    modules = {"generator": generator, "average": average}
    state = TrainingState(modules, {"adam": optimizer}, rng, "painter base")
    if args.start and not args.state.exists():
        load_weights(generator, args.start)
        average.load_state_dict(generator.state_dict())
    state.resume(args.state)
    guarded = GuardedOptimizer(optimizer)
    pool = StylePool(config.pool, paintings, vgg, perceptual)
    while len(pool.entries) < config.pool:
        pool.renew(config.style_px, config.recolored, rng)
    shown = Shown(args.images, vgg)
    saved = begun = time.time()
    while state.step < config.steps:
        # batch
        if state.step % config.renew_every == 0:
            pool.renew(config.style_px, config.recolored, rng)
        styles = pool.draw(config.styles, rng)
        crops = [photos.draw(config.size_px, rng) for _ in range(config.styles * config.contents)]
        image = torch.cat(crops).contiguous(memory_format=torch.channels_last)
        # forward, losses
        terms = base_terms(generator, perceptual, image, styles, loss_config, rng)
        loss = loss_config.total(terms)
        # backward, guard, step
        if guarded.step(loss, min(1.0, (state.step + 1) / config.warmup), terms):
            update_ema(average, generator, min(config.ema, (state.step + 1) / (state.step + 10)))
        # record
        state.step += 1
        if state.step % 10 == 0:
            record = {"step": state.step, "seconds": round(time.time() - begun), "loss": loss.item()}
            record |= {name: round(value.item(), 4) for name, value in terms.items()}
            with args.state.with_suffix(".jsonl").open("a") as log:
                log.write(json.dumps(record) + "\n")
        if time.time() - saved > args.save_seconds or state.step == config.steps:
            state.save(args.state)
            shown.save(average, args.state.with_suffix(".png"))
            saved = time.time()


class Shown:
    """Three held-out paintings and photographs, painted by the averaged weights without learning."""

    STYLES = ("kuniyoshi/skeleton_spectre", "munch/kissing_couple", "seurat/grande_jatte")
    PHOTOS = ("kodim04", "two_people_portrait", "lake_cliff")

    def __init__(self, images: Path, vgg) -> None:
        self.vgg = vgg
        self.styles = [resize_short_side(open_image(images / f"paintings/{n}.jpg"), 320) for n in self.STYLES]
        found = [resize_short_side(open_image(images / f"photos/{n}.jpg"), 256) for n in self.PHOTOS]
        self.photos = [p[:, :, : p.shape[2] // 8 * 8, : p.shape[3] // 8 * 8] for p in found]

    @torch.no_grad()
    def save(self, generator: Generator, path: Path) -> None:
        """Write a sheet: a style a row, its painting first."""
        from pstyle.nets.generator import style_moments

        rows = [[torch.ones(1, 3, 256, 256), *self.photos]]
        for style in self.styles:
            modulation = generator.modulation(generator.encode(style_moments(self.vgg, style)))
            rows.append([style, *(generator(p, generator.content(p), modulation) for p in self.photos)])
        save_sheet(path, rows)


def split_of(images: Path) -> dict[str, list[Path]]:
    """Training pictures after benchmarks/split.py: "paintings" with textures and large ones, "photos"."""
    spec = importlib.util.spec_from_file_location("split", Path(__file__).parents[1] / "split.py")
    split = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(split)
    large = sorted((images / "paintings_large").rglob("*.jpg"))
    large = [path for path in large if path.parent.name not in split.HELD_OUT_PAINTERS]
    paintings = split.training_paintings(images) + split.textures(images) + large
    return {"paintings": paintings, "photos": split.training_photos(images)}


def load_weights(generator: Generator, path: Path, module: str = "average") -> None:
    """Weights of one module of a training state; sites that the generator no longer has are left out."""
    from safetensors.torch import load_file

    prefix = f"module.{module}."
    tensors = load_file(path)
    found = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    generator.load_state_dict({k: found[k] for k in generator.state_dict()})


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, default=Path("images"))
    parser.add_argument("--vgg", type=Path, default=Path("vgg"))
    parser.add_argument("--state", type=Path, default=Path("runs/base.safetensors"))
    parser.add_argument("--start", type=Path, help="a training state whose averaged weights are the start")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--size-px", type=int, default=128)
    parser.add_argument("--styles", type=int, default=2)
    parser.add_argument("--contents", type=int, default=2)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--loss", default="{}", help="weights of the loss as JSON")
    parser.add_argument(
        "--fast", action="store_true", help="the narrower network for shallow layers of the loss"
    )
    parser.add_argument("--save-seconds", type=float, default=300)
    return parser.parse_args()


if __name__ == "__main__":
    main()
