"""Networks so small that a test may train them, and a way to have them in place of the shipped ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pstyle.nets.generator import GENERATOR_FILE, LEVELS, GeneratorConfig, load_generator, save_generator
from pstyle.nets.vgg import LOSS_FILE, SLIM_FILE, VGG, save_vgg
from pstyle.restoration.repair.restorer import RESTORER_FILE, save_restorer
from pstyle.style.provenance import Provenance
from pstyle.style.style import Style
from pstyle.style.styled_generator import StyledGenerator
from pstyle.training.base_run import new_generator
from tests.restoration.tiny_restorer import random_restorer

TINY = GeneratorConfig(latent=16, vgg_width=0.125, body=8, texture=8, grain=8, blocks=1)


def tiny_vgg(width: float = 0.125, last: str = "relu5_1", seed: int = 0, inner: float = 1.0) -> VGG:
    """A VGG whose random features neither vanish nor explode."""
    vgg, rng = VGG(width, last, inner), torch.Generator().manual_seed(seed)
    for layer in vgg.features.values():
        torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=rng)
        torch.nn.init.zeros_(layer.bias)
    return vgg


def write_networks(folder: Path) -> None:
    """A weights folder with a tiny VGG and a tiny generator that paints by its latent."""
    rng = torch.Generator().manual_seed(1)
    generator = new_generator(TINY, seed=0)
    for mod in generator.mods.values():
        torch.nn.init.normal_(mod.linear.weight, std=0.1, generator=rng)
    save_vgg(folder / SLIM_FILE, tiny_vgg(), "random")
    save_vgg(folder / LOSS_FILE, tiny_vgg(0.25, "relu3_1", seed=2, inner=0.5), "random")
    save_generator(folder / GENERATOR_FILE, generator, "random")
    save_restorer(folder / RESTORER_FILE, random_restorer(), "random")


def ship(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the networks of this folder in place of the shipped ones."""
    for module in ("nets.vgg", "nets.generator", "restoration.repair.restorer"):
        monkeypatch.setattr(f"pstyle.{module}.weights_folder", lambda: folder)


def random_style(seed: int = 0) -> Style:
    """A style of the generator that is shipped just now."""
    generator = load_generator()
    latent = torch.randn(LEVELS, TINY.latent, generator=torch.Generator().manual_seed(seed))
    return StyledGenerator(generator, latent).style(Provenance(pictures=3, steps=7, note="random"))
