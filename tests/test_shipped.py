"""Protects the way to the shipped weights: one call finds them in a checkout and in an installed package."""

from __future__ import annotations

import shutil
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from pstyle import shipped

ROOT = Path(__file__).resolve().parents[1]


def weights_folder_at(package: Path) -> Path:
    """What `weights_folder` says from a copy of the module in the folder `package`."""
    package.mkdir(parents=True, exist_ok=True)
    shutil.copy(shipped.__file__, package)
    spec = spec_from_file_location("shipped_elsewhere", package / "shipped.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.weights_folder()


def test_a_checkout_keeps_its_weights_at_the_root() -> None:
    assert shipped.weights_folder() == ROOT / "weights"


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
