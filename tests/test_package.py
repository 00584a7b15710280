"""Protects the package's face: public names arrive on demand, and `import pstyle` costs nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from PIL import Image

import pstyle

ROOT = Path(__file__).resolve().parents[1]
BROUGHT_BY_COMFYUI = {"torch", "numpy", "pillow", "safetensors", "scipy", "tqdm"}
PUBLIC = sorted(set(pstyle.__all__) - {"__version__"})


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_its_modules_own(name: str) -> None:
    value = getattr(pstyle, name)
    assert callable(value)
    assert value.__module__.startswith("pstyle.")
    assert value is getattr(import_module(value.__module__), name)


def test_no_public_name_hides_a_module() -> None:
    modules = {path.stem for path in (ROOT / "pstyle").iterdir()}
    assert not modules & set(PUBLIC)


def test_an_unknown_name_is_refused_by_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'utils'"):
        _ = pstyle.utils


def test_dir_lists_what_can_be_asked_for() -> None:
    assert set(PUBLIC) <= set(dir(pstyle))


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, pstyle; raise SystemExit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0


def project() -> dict:
    tomllib = pytest.importorskip("tomllib", reason="it came with Python 3.11")
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_version_is_the_projects() -> None:
    assert project()["project"]["version"] == pstyle.__version__


def test_every_part_of_the_library_is_packaged() -> None:
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "pstyle").rglob("*.py")}
    parts = {".".join(folder.parts) for folder in folders}
    assert set(project()["tool"]["setuptools"]["packages"]) == parts | {"pstyle.weights"}


def test_the_pack_never_pins_what_the_host_brings() -> None:
    """A pin of torch in a pack replaces the host's and breaks every other pack."""
    wanted = [re.fullmatch(r"([a-z]+)>=[0-9.]+", line) for line in project()["project"]["dependencies"]]
    assert all(wanted) and {found[1] for found in wanted} == BROUGHT_BY_COMFYUI
    assert not (ROOT / "requirements.txt").exists()  # which managers of nodes would install


def test_the_registry_accepts_the_project() -> None:
    found = project()
    assert found["project"]["license"].keys() <= {"file", "text"}  # a plain string is refused there
    assert "comfyui" not in found["project"]["name"].lower()
    comfy = found["tool"]["comfy"]
    assert comfy["PublisherId"] and comfy["DisplayName"]
    assert re.fullmatch(r">=\d+\.\d+\.\d+", comfy["requires-comfyui"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", found["project"]["version"])
    with Image.open(ROOT / "docs" / "icon.png") as icon:
        assert icon.format == "PNG" and icon.width <= 800 and icon.height <= 400


def test_a_painter_is_loaded_without_torch_s_compiler():
    """Which takes longer to import than all else that a painting needs."""
    code = "import sys, pstyle.nets.generator as g; g.load_generator(); print('torch._dynamo' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
