"""Protects the package's face: public names arrive on demand, and `import pstyle` costs nothing."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import pstyle

ROOT = Path(__file__).resolve().parents[1]
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


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_the_version_is_the_projects() -> None:
    import tomllib

    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == pstyle.__version__
