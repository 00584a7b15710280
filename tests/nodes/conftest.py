"""What tests of nodes share: inference mode as in ComfyUI, folders of their own, tiny shipped networks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import torch

from pstyle.core.folders import Folders, use_folders
from pstyle.nets.generator import Generator
from pstyle.training.base_run import new_generator
from tests import tiny_networks
from tests.conftest import random_picture

if TYPE_CHECKING:
    from pstyle_pack.nodes.wires import BoundStyle


@pytest.fixture(autouse=True)
def inference_mode() -> Iterator[None]:
    """ComfyUI runs every node so; what a test makes are inference tensors, as on a wire."""
    with torch.inference_mode():
        yield


def tiny_generator(seed: int) -> Generator:
    """A generator that is not the shipped one."""
    with torch.inference_mode(False):
        return new_generator(tiny_networks.TINY, seed).eval().requires_grad_(False)


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with tiny random networks."""
    folder = tmp_path_factory.mktemp("weights")
    with torch.inference_mode(False):
        tiny_networks.write_networks(folder)
    return folder


@pytest.fixture(autouse=True)
def shipped(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny networks in place of the shipped ones."""
    tiny_networks.ship(tiny_weights, monkeypatch)


@pytest.fixture(autouse=True)
def folders(tmp_path: Path) -> Iterator[Folders]:
    """Input, output, temp and model folders below this test's own."""
    found = Folders(*(tmp_path / name for name in ("input", "output", "temp", "models")))
    for folder in (found.input, found.style_models):
        folder.mkdir(parents=True)
    with use_folders(found):
        yield found


@pytest.fixture
def image(rng: torch.Generator) -> torch.Tensor:
    """Two tiny pictures on a wire, (2, 72, 80, 3)."""
    pictures = torch.cat([random_picture(rng, 72, 80), random_picture(rng, 72, 80)])
    return pictures.movedim(1, -1)


@pytest.fixture
def settings() -> dict[str, float]:
    """Settings of a learning that takes no time, as widgets give them: all of them."""
    from pstyle_pack.nodes.widgets import widgets

    from pstyle.training.learning import LearnConfig

    found = {name: options["default"] for name, (_, options) in widgets(LearnConfig).items()}
    return found | {"steps": 3, "size_px": 128, "crop_px": 64, "batch": 1}


@pytest.fixture
def nodes() -> SimpleNamespace:
    """Every node class by its name."""
    from pstyle_pack.nodes import NODE_CLASS_MAPPINGS

    return SimpleNamespace(**NODE_CLASS_MAPPINGS)


@pytest.fixture
def style_set(nodes: SimpleNamespace, image: torch.Tensor) -> list:
    """A set of one style picture."""
    return nodes.PStyleStyleSet().collect([image[:1]], [1.0])[0]


@pytest.fixture
def style(shipped: None) -> BoundStyle:
    """A random style of the tiny generator, on a wire."""
    return random_style(0)


def random_style(seed: int) -> BoundStyle:
    """A style of the tiny generator, with a latent drawn by the seed."""
    from pstyle_pack.nodes.wires import BoundStyle

    with torch.inference_mode(False):
        return BoundStyle(tiny_networks.random_style(seed))
