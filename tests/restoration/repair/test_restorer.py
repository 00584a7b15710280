"""A new restorer is the identity; files are checked; a tile is repaired as in the whole."""

from __future__ import annotations

import pytest
import torch

from pstyle.core import checkpoint
from pstyle.core.checkpoint import BadFile
from pstyle.core.config import to_json
from pstyle.restoration.repair.restorer import Restorer, RestorerConfig, load_restorer, save_restorer, visible
from tests.restoration.tiny_restorer import TINY, new_restorer, random_restorer


def test_it_starts_as_the_identity(rng) -> None:
    image = torch.rand(2, 3, 32, 48, generator=rng)
    found = new_restorer()(image, torch.zeros(2, 1, 32, 48))
    assert torch.equal(found.image, image)


def test_the_shipped_size_is_under_two_million() -> None:
    with torch.device("meta"):
        assert sum(weight.numel() for weight in Restorer().parameters()) < 2_000_000


def test_what_is_lost_cannot_be_seen(rng) -> None:
    restorer, image = random_restorer(), torch.rand(1, 3, 64, 64, generator=rng)
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 20:40, 10:30] = 1
    other = torch.where(mask > 0, torch.rand(1, 3, 64, 64, generator=rng), image)
    assert torch.equal(restorer(image, mask).image, restorer(other, mask).image)


def test_a_tile_is_repaired_as_in_the_whole(rng) -> None:
    restorer, image = random_restorer(), torch.rand(1, 3, 64, 320, generator=rng)
    mask = torch.zeros(1, 1, 64, 320)
    whole = restorer(image, mask).image
    tones = restorer.tones(image, mask)
    tile = restorer(image[..., :192], mask[..., :192], tones).image
    assert torch.allclose(tile[..., :64], whole[..., :64], atol=1e-5)


def test_changes_that_nobody_would_see_are_not_made() -> None:
    change = torch.zeros(1, 3, 32, 64)
    change[..., :32], change[..., 32:] = 0.5 / 255, 20 / 255
    found = visible(change) / change
    assert (found[..., :28] < 0.07).all() and (found[..., 36:] > 0.98).all()
    assert torch.equal(visible(torch.zeros(1, 3, 16, 16)), torch.zeros(1, 3, 16, 16))


def test_a_file_gives_the_same_restorer(tmp_path, rng) -> None:
    restorer = random_restorer()
    save_restorer(tmp_path / "r.safetensors", restorer, "random")
    image, mask = torch.rand(1, 3, 32, 32, generator=rng), torch.zeros(1, 1, 32, 32)
    found = load_restorer(tmp_path / "r.safetensors")(image, mask).image
    assert torch.allclose(found, restorer(image, mask).image, atol=5e-3)


def test_a_file_of_another_kind_or_size_is_refused(tmp_path) -> None:
    restorer = random_restorer()
    tensors = {name: value.half() for name, value in restorer.state_dict().items()}
    metadata = {"format": "pstyle.restorer", "config": to_json(TINY), "origin": "x"}
    wrong = {
        "kind": (tensors, metadata | {"format": "pstyle.style"}),
        "shape": (tensors, metadata | {"config": to_json(RestorerConfig(half=16))}),
        "huge": (tensors, metadata | {"config": to_json(RestorerConfig(256, 256, 256, 256, 8))}),
    }
    for name, (tensors, entries) in wrong.items():
        checkpoint.save(tmp_path / f"{name}.safetensors", tensors, entries)
        with pytest.raises(BadFile, match=name):
            load_restorer(tmp_path / f"{name}.safetensors")
