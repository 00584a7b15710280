"""Protects the nodes of restoration: what they give is the library's, files hold, bad masks are told."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from pstyle.core.checkpoint import BadFile
from pstyle.core.folders import Folders
from pstyle.restoration.damage.damage import Damage
from pstyle.restoration.damage.damage_style import DamageStyle
from pstyle.restoration.repair.restorer import Restorer, load_restorer
from pstyle.restoration.repair.restoring import RepairConfig, RestorationPipeline

MASK_ONLY = {"strength": 0.0, "seed": 0}
QUICK = {"steps": [2], "batch": [1], "size_px": [64], "lr": [0.001], "seed": [0]}


@pytest.fixture
def mask() -> torch.Tensor:
    found = torch.zeros(1, 72, 80)
    found[:, 20:40, 30:50] = 1
    return found


def restore(nodes: SimpleNamespace, image: torch.Tensor, **more) -> torch.Tensor:
    return nodes.PStyleRestore().restore(image, **{"strength": 1.0, "seed": 0, **more})["result"][0]


def test_a_batch_is_restored_as_the_library_does(nodes, image: torch.Tensor, mask: torch.Tensor) -> None:
    expected = RestorationPipeline(load_restorer(), "cpu")(
        image.movedim(-1, 1), mask[None], RepairConfig(0.5, 3)
    )
    node = nodes.PStyleRestore()
    found = [node.restore(image, mask, strength=0.5, seed=3)["result"] for _ in range(2)]
    assert torch.equal(found[0][0], expected.movedim(1, -1)) and torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], torch.cat([image, found[0][0]], dim=2))


def test_only_the_mask_changes(nodes, image: torch.Tensor, mask: torch.Tensor, style) -> None:
    kept = (1 - mask)[..., None]
    plain, styled = (restore(nodes, image, mask=mask, style=one, **MASK_ONLY) for one in (None, style))
    assert torch.equal(plain * kept, image * kept) and torch.equal(styled * kept, image * kept)
    assert not torch.equal(plain, styled)


def test_a_mask_of_zeros_means_none(nodes, image: torch.Tensor) -> None:
    zeros = torch.zeros(1, 64, 64)
    assert torch.equal(restore(nodes, image, mask=zeros), restore(nodes, image))


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (torch.ones(1, 9, 5), "the mask is 5x9 px, the picture 80x72 px"),
        (torch.ones(1, 72, 80), "covers the whole picture"),
        (torch.ones(3, 72, 80), "3 masks for 2 pictures"),
    ],
)
def test_bad_masks_are_told(nodes, image: torch.Tensor, mask: torch.Tensor, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        restore(nodes, image, mask=mask)


def test_marks_come_as_a_mask_that_restore_takes(nodes, image: torch.Tensor) -> None:
    found, share = nodes.PStyleDetectDamage().detect(image)
    assert found.shape == (2, 72, 80) and share == pytest.approx(found.mean().item())
    assert torch.equal(
        found[:, None], RestorationPipeline(load_restorer(), "cpu").find_marks(image.movedim(-1, 1))
    )


@pytest.mark.parametrize("damage", [None, DamageStyle(Damage(grain=0.1))])
def test_a_restorer_is_trained_on_and_its_start_stays(nodes, image: torch.Tensor, damage) -> None:
    (start,) = nodes.PStyleLoadRestorer().load("shipped")
    before = {name: value.clone() for name, value in start.state_dict().items()}
    more = {} if damage is None else {"damage": [damage]}
    found, losses, history = nodes.PStyleLearnRestorer().learn([image], restorer=[start], **more, **QUICK)
    assert isinstance(found, Restorer) and len(history) == len(losses["loss"]) == 2
    assert all(torch.equal(value, start.state_dict()[name]) for name, value in before.items())
    assert any(not torch.equal(value, found.state_dict()[name]) for name, value in before.items())
    assert not torch.equal(restore(nodes, image, restorer=found), restore(nodes, image))


def test_small_pictures_are_told(nodes, image: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="clean picture 1 is 30x72 px, at least 64 px"):
        nodes.PStyleLearnRestorer().learn([image[:, :, :30]], **QUICK)


def test_a_saved_restorer_restores_alike(nodes, folders: Folders, image: torch.Tensor) -> None:
    (restorer,) = nodes.PStyleLoadRestorer().load("shipped")
    (name,) = nodes.PStyleSaveRestorer().save(restorer, "mine", False)["result"]
    assert name == "mine.safetensors" and (folders.style_models / name).is_file()
    assert nodes.PStyleLoadRestorer.INPUT_TYPES()["required"]["name"][0] == ["shipped", name]
    (again,) = nodes.PStyleLoadRestorer().load(name)
    assert torch.allclose(restore(nodes, image, restorer=again), restore(nodes, image), atol=1e-3)
    with pytest.raises(BadFile, match="exists already"):
        nodes.PStyleSaveRestorer().save(restorer, "mine", False)
    assert "not a usable name" in nodes.PStyleSaveRestorer.VALIDATE_INPUTS("../x")
