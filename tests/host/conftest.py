"""A running ComfyUI for the tests of this folder; without COMFYUI_DIR they skip (see CONTRIBUTING.md)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.examples import write_pictures
from tests.host.comfy import Comfy


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The ComfyUI that COMFYUI_DIR names."""
    folder = Path(os.environ.get("COMFYUI_DIR", ""))
    if not (folder / "main.py").is_file():
        pytest.skip("COMFYUI_DIR names no checkout of ComfyUI")
    return folder.absolute()


@pytest.fixture(scope="session")
def comfy(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comfy]:
    """Its server, with this pack and with the pictures that the example workflows load."""
    base = tmp_path_factory.mktemp("comfy")
    server = Comfy(checkout, base, ROOT)
    try:
        write_pictures(base / "input")
        yield server
    finally:
        server.stop()
