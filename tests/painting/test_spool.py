"""Protects pixels on a disk: any box of them, and nothing left behind."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from pstyle.core.files import BadFile
from pstyle.painting.boxes import Box
from pstyle.painting.sources import InMemory, copy, loaded
from pstyle.painting.spool import Spool


def test_a_spool_holds_bytes_anywhere_and_leaves_nothing(rng, tmp_path: Path):
    picture = torch.rand(1, 3, 45, 67, generator=rng)
    (tmp_path / "raw").write_bytes(b"left by a run that was killed")
    with Spool(tmp_path / "raw", 45, 67) as spool:
        copy(InMemory(picture), spool, 16)
        assert torch.allclose(loaded(spool, 20), picture, atol=0.5 / 255 + 1e-6)
        box = Box(3, 60, 40, 67)
        assert torch.allclose(spool.read(box), box.of(picture), atol=0.5 / 255 + 1e-6)
        os.truncate(spool.path, 500)
        with pytest.raises(BadFile, match="ends too early"):
            spool.read(box)
    assert not any(tmp_path.iterdir())


def test_a_disk_without_room_is_told_before(tmp_path: Path):
    with pytest.raises(BadFile, match="make room there"), Spool(tmp_path / "raw", 1 << 25, 1 << 25):
        pass
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (33, 5)])
def test_bytes_are_rounded_and_in_the_order_of_pixels(rng, tmp_path: Path, size):
    picture = 1.2 * torch.rand(1, 3, *size, generator=rng) - 0.1  # some too dark, some too light
    expected = np.clip(np.rint(picture[0].double().numpy() * 255), 0, 255).astype(np.uint8)
    with Spool(tmp_path / "raw", *size) as spool:
        copy(InMemory(picture), spool, 4)
        held = np.fromfile(spool.path, np.uint8).reshape(*size, 3)
    assert np.abs(held.transpose(2, 0, 1).astype(int) - expected).max() <= 1
    assert (held.transpose(2, 0, 1) == expected).mean() > 0.99  # float32 rounds a tie the other way


def test_a_disk_that_takes_less_than_it_is_given_gets_the_rest(rng, tmp_path: Path):
    picture = torch.randint(256, (1, 3, 9, 21), generator=rng) / 255

    class Slow:
        """A file that takes five bytes at a time."""

        def __init__(self, file) -> None:
            self.file, self.seek, self.readinto, self.close = file, file.seek, file.readinto, file.close

        def write(self, data: memoryview) -> int:
            return self.file.write(data[:5])

    with Spool(tmp_path / "raw", 9, 21) as spool:
        spool.file = Slow(spool.file)
        copy(InMemory(picture), spool, 8)
        assert torch.allclose(loaded(spool), picture)
