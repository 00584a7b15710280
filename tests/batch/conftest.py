"""A folder to paint, and the job that paints it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from pstyle.batch.job import Job
from pstyle.image.writing import save_image
from pstyle.style.style import save_style
from tests.conftest import random_picture
from tests.tiny_networks import random_style, ship, write_networks

SIZES = ((40, 56), (33, 47), (40, 56), (24, 31), (33, 47))
NAMES = ("a.png", "a.jpg", "b.webp", "-rf.png", "c d\n.png")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write_networks(folder)
    return folder


@pytest.fixture
def place(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a style, five pictures of odd sizes in `in`, and an empty folder `out`."""
    ship(weights, monkeypatch)
    save_style(tmp_path / "style.safetensors", random_style())
    save_style(tmp_path / "second.safetensors", random_style(1))
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    rng = torch.Generator().manual_seed(0)
    for name, size in zip(NAMES, SIZES, strict=True):
        pixels = random_picture(rng, *size)[0].mul(255).byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(tmp_path / "in" / name)
    save_image(tmp_path / "mask.png", (torch.arange(9) < 5).float().expand(1, 1, 9, 9))
    return tmp_path


@pytest.fixture
def job(place: Path) -> Job:
    return Job(place / "style.safetensors", device="cpu", dtype=torch.float32)
