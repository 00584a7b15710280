"""Protects what ComfyUI counts: its own numbers of what this pack holds, and that it gets all of it back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import load_vgg
from tests.conftest import ROOT
from tests.host.comfy import python_of

PROBE = Path(__file__).with_name("memory_probe.py")
NO_CACHE = {"models": [], "kept": 0}


@pytest.fixture(scope="module")
def seen(checkout: Path) -> dict[str, Any]:
    """What a ComfyUI's own process told."""
    command = [python_of(checkout), PROBE, checkout, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, cwd=checkout)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("when", ["painted", "again"])
def test_comfyui_counts_the_networks_and_what_is_remembered(seen: dict[str, Any], when: str) -> None:
    [[whole, loaded]], kept = seen[when]["models"], seen[when]["kept"]
    networks = sum(
        x.nbytes for module in (load_generator(), load_vgg()) for x in module.state_dict().values()
    )
    print(f"{loaded} bytes, {kept} of them remembered of a picture")  # noqa: T201
    assert whole == loaded == networks + kept and kept > 2**20


@pytest.mark.parametrize("when", ["before", "asked", "unloaded"])
def test_comfyui_gets_all_of_it_back(seen: dict[str, Any], when: str) -> None:
    assert seen[when] == NO_CACHE
