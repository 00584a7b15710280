"""The folder of the shipped weights, in a checkout and after installation."""

from __future__ import annotations

from pathlib import Path


def weights_folder() -> Path:
    """The folder of the shipped `*.safetensors`: `weights` in an installed `pstyle`, else beside `pstyle`.

    The folder is not created: if an installation lacks it, the returned path does not exist.
    """
    package = Path(__file__).resolve().parents[1]
    installed = package / "weights"  # pyproject.toml maps the root's weights/ to the package pstyle.weights
    return installed if installed.is_dir() else package.parent / "weights"
