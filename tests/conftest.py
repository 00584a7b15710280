"""What every test shares: the pack as ComfyUI loads it, with one copy of the library, and tiny pictures.

`import pstyle` gives the library; `import pstyle_pack.nodes` gives the nodes, through the root `__init__.py`.
The nodes reach the library by relative imports, as `pstyle_pack.pstyle`; the finder below answers those with
the very modules of `pstyle`, so that `isinstance` holds between nodes and library.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F

from pstyle.core.precision import number_format
from pstyle.nets.generator import Generator, GeneratorConfig, style_moments
from pstyle.nets.vgg import VGG
from pstyle.painting.painter import Painter
from pstyle.style.provenance import Provenance
from pstyle.style.styled_generator import StyledGenerator

ROOT = Path(__file__).resolve().parents[1]
PACK = "pstyle_pack"


class OneCopy:
    """Finds the pack in the checkout, whatever the folder is called, and its library in `pstyle`."""

    def __init__(self) -> None:
        self.specs: dict[str, ModuleSpec | None] = {}

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name == PACK:
            return spec_from_file_location(PACK, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
        if f"{name}.".startswith(f"{PACK}.pstyle."):
            return spec_from_loader(name, self)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(spec.name.removeprefix(f"{PACK}."))
        self.specs[spec.name] = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # It has run, as pstyle.*. The import system has just relabeled it, which its own imports would mind.
        module.__spec__ = self.specs[module.__spec__.name]


sys.meta_path.insert(0, OneCopy())


def pytest_configure(config: pytest.Config) -> None:
    """One thread for each worker of pytest-xdist and what it starts: more slow each other several times."""
    if hasattr(config, "workerinput"):
        os.environ["OMP_NUM_THREADS"] = "1"
        torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def in_float32(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Painters compute in float32 on every machine, so that results compare. A test marked `bfloat16` is left
    with the format of this machine's CPU, and skipped where that is float32.
    """
    if request.node.get_closest_marker("bfloat16") is None:
        monkeypatch.setattr("pstyle.core.precision.computes_bfloat16", lambda device: False)
    elif number_format(torch.device("cpu")) != torch.bfloat16:
        pytest.skip("this CPU has no instructions for bfloat16 (AVX512-BF16 or AMX)")


@pytest.fixture
def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def random_picture(rng: torch.Generator, height: int, width: int) -> torch.Tensor:
    """A picture (1, 3, H, W) with large shapes and fine grain: neither flat nor pure noise."""
    shapes = torch.rand(1, 3, 4, 4, generator=rng)
    shapes = F.interpolate(shapes, size=(height, width), mode="bicubic", align_corners=False)
    grain = 0.1 * torch.randn(1, 3, height, width, generator=rng)
    return (shapes + grain).clamp(0, 1)


@pytest.fixture
def picture(rng: torch.Generator) -> torch.Tensor:
    """One tiny picture (1, 3, 32, 40)."""
    return random_picture(rng, 32, 40)


@pytest.fixture
def pictures(rng: torch.Generator) -> list[torch.Tensor]:
    """Three tiny pictures of three sizes, odd ones among them."""
    return [random_picture(rng, height, width) for height, width in ((32, 40), (48, 33), (37, 37))]


@pytest.fixture
def tiny_vgg() -> VGG:
    """A VGG of 8 to 64 channels with random weights, ending at relu4_1."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VGG(0.125, "relu4_1").to(memory_format=torch.channels_last)  # as loaders give it


@pytest.fixture
def tiny_generator() -> Generator:
    """A generator of about 20,000 random weights that reads `tiny_vgg`."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        config = GeneratorConfig(latent=16, vgg_width=0.125, body=8, texture=8, grain=8, blocks=1)
        generator = Generator(config)
        for mod in generator.mods.values():
            torch.nn.init.normal_(mod.linear.weight, std=0.1)
        torch.nn.init.normal_(generator.convs["strokes"].weight, std=0.02)
        return generator.eval().requires_grad_(False).to(memory_format=torch.channels_last)


@pytest.fixture
def painter(tiny_generator, tiny_vgg, rng):
    style = torch.rand(1, 3, 48, 48, generator=rng)
    styled = StyledGenerator(tiny_generator, tiny_generator.encode(style_moments(tiny_vgg, style))[0])
    for weight in styled.generator.convs.parameters():
        weight.data += 0.05 * torch.randn(weight.shape, generator=rng)
    return Painter(styled.style(Provenance()), tiny_generator, tiny_vgg, "cpu")
