"""Protects the way to the shipped weights: one call finds them in a checkout and in an installed package, and
they are those that their model card describes.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import torch

from pstyle.core import shipped_weights
from pstyle.core.precision import psnr_db
from pstyle.nets.generator import load_generator, style_moments
from pstyle.nets.vgg import load_vgg
from pstyle.painting.painter import Painter
from pstyle.style.provenance import Provenance
from pstyle.style.styled_generator import StyledGenerator
from tests.conftest import random_picture

ROOT = Path(__file__).resolve().parents[2]


def weights_folder_at(package: Path) -> Path:
    """What `weights_folder` says from a copy of the module in the folder `package`."""
    (package / "core").mkdir(parents=True, exist_ok=True)
    shutil.copy(shipped_weights.__file__, package / "core")
    spec = spec_from_file_location("shipped_elsewhere", package / "core" / "shipped_weights.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.weights_folder()


def test_a_checkout_keeps_its_weights_at_the_root() -> None:
    assert shipped_weights.weights_folder() == ROOT / "weights"


def test_an_installed_package_carries_its_weights_inside(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()  # someone else's, beside the package: must not be taken
    (tmp_path / "pstyle" / "weights").mkdir(parents=True)
    assert weights_folder_at(tmp_path / "pstyle") == tmp_path / "pstyle" / "weights"


def test_a_checkout_elsewhere_finds_its_own(tmp_path: Path) -> None:
    assert weights_folder_at(tmp_path / "ComfyUI-x.y" / "pstyle") == tmp_path / "ComfyUI-x.y" / "weights"


def test_the_build_maps_the_weights_into_the_package() -> None:
    tomllib = pytest.importorskip("tomllib", reason="it came with Python 3.11")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert settings["package-dir"]["pstyle.weights"] == "weights"
    assert "pstyle.weights" in settings["packages"]
    assert "*.safetensors" in settings["package-data"]["pstyle.weights"]


def test_the_model_card_names_the_very_files() -> None:
    card = (ROOT / "weights" / "README.md").read_text(encoding="utf-8")
    named = dict(re.findall(r"^\* `([\w.]+)`: `([0-9a-f]{64})`$", card, re.MULTILINE))
    files = (ROOT / "weights").glob("*.safetensors")
    assert named == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_shipped_painter_returns_the_picture_at_strength_zero(rng: torch.Generator) -> None:
    generator, vgg = load_generator(), load_vgg()
    picture, painting = random_picture(rng, 64, 64), random_picture(rng, 64, 64)
    latent = generator.encode(style_moments(vgg, painting))[0]
    style = StyledGenerator(generator, latent).style(Provenance())
    painter = Painter(style, generator, vgg, "cpu")
    assert psnr_db(painter(picture, strength=0.0), picture) >= 30
    assert psnr_db(painter(picture, strength=1.0), picture) < 30
