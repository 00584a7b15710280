"""Protects the nodes of damage: what they give is the library's, files and seeds hold, bad scans are told."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from pstyle.core.checkpoint import BadFile
from pstyle.core.folders import Folders, use_folders
from pstyle.core.seeding import generator_of
from pstyle.restoration.damage.damage import Damage
from pstyle.restoration.damage.damage_style import DamageStyle
from pstyle.restoration.damage.fitting import damaged_alike
from pstyle.samples import content_pictures

HARSH = DamageStyle(Damage(grain=0.08, saturation=0.0, black=(0.2, 0.1, 0.1), dust_per_mp=900.0, dust_px=5.0))
SETTINGS = {"rounds": [1], "practice": [2], "practice_px": [160], "residue_steps": [0], "seed": [0]}


@pytest.fixture
def folders(tmp_path):
    with use_folders(Folders(*[tmp_path] * 4)):
        yield tmp_path


def test_scans_of_a_list_are_learned_under_inference_mode(nodes: SimpleNamespace) -> None:
    scans = damaged_alike(content_pictures(2, 160, seed=3), HARSH.damage, 0)
    with torch.inference_mode():
        found = nodes.PStyleLearnDamage().learn([scan.movedim(1, -1) for scan in scans], **SETTINGS)
    style, report = found["result"]
    assert style.damage.grain == pytest.approx(0.08, rel=0.3) and style.provenance.pictures == 2
    assert f"grain: {style.damage.grain:.3f}".rstrip("0") in report and found["ui"]["text"] == [report]


def test_a_small_scan_is_told(nodes: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match="scan 1 is 40x40 px, at least 128 px"):
        nodes.PStyleLearnDamage().learn([torch.rand(1, 40, 40, 3)], **SETTINGS)


def test_pictures_get_the_librarys_damage_and_its_marks(nodes: SimpleNamespace) -> None:
    image = torch.rand(2, 50, 47, 3, generator=generator_of(1))
    made, marks = nodes.PStyleDamagePicture().damage(image, HARSH, 5, 1.0)
    wanted = HARSH.damage_pictures(image[1:].movedim(-1, 1), generator_of(5, 1))
    assert made.shape == image.shape and marks.shape == (2, 50, 47)
    assert torch.equal(made[1:].movedim(-1, 1), wanted.image) and torch.equal(marks[1:], wanted.marks[:, 0])
    same, none = nodes.PStyleDamagePicture().damage(image, HARSH, 5, 0.0)
    assert torch.equal(same, image) and not none.any()
    for seed, strength in ((-1, 1.0), (0, float("nan"))):  # wired numbers pass no widget
        with pytest.raises(ValueError, match="DamagingConfig"):
            nodes.PStyleDamagePicture().damage(image, HARSH, seed, strength)


def test_what_is_saved_is_listed_and_loaded(nodes: SimpleNamespace, folders) -> None:
    saved = nodes.PStyleSaveDamage().save(HARSH, "old album", False)
    assert saved["result"] == ("old album.safetensors",)
    assert nodes.PStyleLoadDamage.INPUT_TYPES()["required"]["name"][0] == ["old album.safetensors"]
    style, about = nodes.PStyleLoadDamage().load("old album.safetensors")
    assert style.damage == HARSH.damage and "dust per mp: 900.0" in about
    first = nodes.PStyleLoadDamage.IS_CHANGED("old album.safetensors")
    nodes.PStyleSaveDamage().save(DamageStyle(Damage(grain=0.2)), "old album", True)
    assert nodes.PStyleLoadDamage.IS_CHANGED("old album.safetensors") != first
    with pytest.raises(BadFile, match="exists already"):
        nodes.PStyleSaveDamage().save(HARSH, "old album", False)


@pytest.mark.parametrize("name", ["../up", "a/b", "", "nul"])
def test_names_are_never_paths(nodes: SimpleNamespace, folders, name: str) -> None:
    assert "usable name" in nodes.PStyleSaveDamage.VALIDATE_INPUTS(name)
    with pytest.raises(BadFile, match="usable name"):
        nodes.PStyleSaveDamage().save(HARSH, name, False)
