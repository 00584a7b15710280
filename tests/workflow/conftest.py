"""What tests of the runner share: a pack of dummy nodes, and a runner on empty folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from pstyle.workflow import Runner
from tests.workflow.pack_on_disk import make_pack, open_runner


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pack(tmp_path_factory.mktemp("custom nodes.x") / "pack-1.0")


@pytest.fixture
def runner(pack: Path, tmp_path: Path) -> Runner:
    return open_runner(pack, tmp_path)
