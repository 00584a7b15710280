"""Protects files that workflows name: nothing outside the model folder is reached, no good file is lost."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pstyle_pack.nodes import files
from pstyle_pack.nodes.wires import BoundStyle
from safetensors.torch import save_file

from pstyle.core.checkpoint import BadFile, path_in
from pstyle.core.folders import Folders
from pstyle.nets.generator import Generator, save_generator
from pstyle.nets.vgg import VGG, save_vgg
from pstyle.style.style import load_style
from tests.nodes.conftest import tiny_generator
from tests.tiny_networks import TINY

HOSTILE = [
    "", ".", "..", "../escaped", "../../escaped", "/tmp/escaped", "~/x", "a/b", "a\\b", "C:\\x", "C:x",
    "\\\\host\\x", "nul", "CON", "com1.x", "x:ads", "-rf", ".hidden", "a\nb", "a\x00b", "\u202egnp",
    "x" * 300, "trailing.", "trailing ", "file://x", "%2e%2e%2fx", "..%2fx", "a\x1b[31m", "é", "*", "?", "|",
    "<x>", '"x"', "$HOME", "`x`", None, 7,
]  # fmt: skip


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def save(nodes, style: BoundStyle, name: str = "mine", overwrite: bool = False) -> dict:
    return nodes.PStyleSaveStyle().save(style, name, overwrite)


def test_a_style_comes_back_as_it_was_saved(nodes, style: BoundStyle, folders: Folders) -> None:
    saved = save(nodes, style)
    assert saved["result"] == ("mine.safetensors",) and saved["ui"]["text"] == ["mine.safetensors"]
    assert nodes.PStyleLoadStyle.INPUT_TYPES()["required"]["name"][0] == ["mine.safetensors"]
    loaded, about = nodes.PStyleLoadStyle().load("mine.safetensors")
    assert torch.equal(loaded.style.latent, style.style.latent)
    assert all(torch.equal(loaded.style.weights[key], value) for key, value in style.style.weights.items())
    assert "pictures: 3" in about and "license:" in about
    assert (folders.style_models / "mine.safetensors").stat().st_size < 1_000_000


def test_the_folder_is_made_when_it_is_first_needed(nodes, style: BoundStyle, folders: Folders) -> None:
    folders.style_models.rmdir()
    folders.models.rmdir()
    assert nodes.PStyleLoadStyle.INPUT_TYPES()["required"]["name"][0] == []
    save(nodes, style)
    assert load_style(folders.style_models / "mine.safetensors")


def test_a_file_is_replaced_only_when_asked(nodes, style: BoundStyle, folders: Folders) -> None:
    path = folders.style_models / "mine.safetensors"
    path.write_bytes(b"precious")
    with pytest.raises(BadFile, match="exists already"):
        save(nodes, style)
    assert path.read_bytes() == b"precious"
    save(nodes, style, overwrite=True)
    assert load_style(path)


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_a_hostile_name_writes_nothing(nodes, style: BoundStyle, tmp_path: Path, name: object) -> None:
    before = snapshot(tmp_path)
    with pytest.raises(BadFile) as raised:
        save(nodes, style, name, overwrite=True)
    assert str(raised.value).isprintable()
    assert isinstance(nodes.PStyleSaveStyle.VALIDATE_INPUTS(name), str)
    assert snapshot(tmp_path) == before


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=80))
def test_no_name_leads_out_of_the_folder(nodes, folders: Folders, name: str) -> None:
    answer = nodes.PStyleSaveStyle.VALIDATE_INPUTS(name)
    if answer is True:
        path = path_in(folders.style_models, name, ".safetensors")
        assert path.resolve().parent == folders.style_models.resolve()
    with pytest.raises(BadFile):
        files.model_file(name)


@pytest.mark.parametrize(
    "name", [*HOSTILE, "outside.safetensors", "../outside.safetensors", "folder.safetensors"]
)
def test_a_name_that_is_not_listed_is_not_read(nodes, folders: Folders, name: object) -> None:
    (folders.models / "outside.safetensors").write_bytes(b"secret")
    (folders.style_models / "folder.safetensors").mkdir()
    for node in (nodes.PStyleLoadStyle, nodes.PStyleLoadVGG, nodes.PStyleLoadGenerator):
        with pytest.raises(BadFile, match="there is no file") as raised:
            node().load(name)
        assert str(raised.value).isprintable()


def test_a_link_is_read_through_and_never_written_through(nodes, style: BoundStyle, folders: Folders) -> None:
    save(nodes, style)
    outside = folders.models / "outside.safetensors"
    os.replace(folders.style_models / "mine.safetensors", outside)
    (folders.style_models / "linked.safetensors").symlink_to(outside)
    before = outside.read_bytes()
    assert nodes.PStyleLoadStyle().load("linked.safetensors")
    with pytest.raises(BadFile, match="link"):
        save(nodes, style, "linked", overwrite=True)
    assert outside.read_bytes() == before


def test_each_loader_lists_its_own_kind(nodes, style: BoundStyle, folders: Folders) -> None:
    save(nodes, style)
    save_generator(folders.style_models / "other.safetensors", tiny_generator(1), "random")
    with torch.inference_mode(False):
        network = VGG(0.125)
    save_vgg(folders.style_models / "slim.safetensors", network, "random")
    save_file(network.state_dict(), folders.style_models / "foreign.safetensors")
    (folders.style_models / "broken.safetensors").write_bytes(b"x" * 50)
    (folders.style_models / "notes.txt").write_text("no model")
    lists = {
        "PStyleLoadStyle": ["mine.safetensors"],
        "PStyleLoadGenerator": ["shipped", "other.safetensors"],
        "PStyleLoadVGG": [
            *("slim (shipped)", "loss (shipped)"),
            *("broken.safetensors", "foreign.safetensors", "slim.safetensors"),
        ],
    }
    for name, expected in lists.items():
        node = getattr(nodes, name)
        assert node.INPUT_TYPES()["required"]["name"][0] == expected
        for choice in set(expected) - {"broken.safetensors"}:
            assert node().load(choice)
    with pytest.raises(BadFile, match="broken"):
        nodes.PStyleLoadVGG().load("broken.safetensors")


def test_a_list_follows_the_file(nodes, style: BoundStyle, folders: Folders) -> None:
    """Formats are remembered by a file's time and size: another file under the name must be read anew."""
    save_generator(folders.style_models / "mine.safetensors", tiny_generator(1), "random")
    assert nodes.PStyleLoadStyle.INPUT_TYPES()["required"]["name"][0] == []
    save(nodes, style, overwrite=True)
    assert nodes.PStyleLoadStyle.INPUT_TYPES()["required"]["name"][0] == ["mine.safetensors"]


def test_is_changed_follows_the_content(nodes, style: BoundStyle, folders: Folders) -> None:
    save(nodes, style)
    path = folders.style_models / "mine.safetensors"
    first = nodes.PStyleLoadStyle.IS_CHANGED("mine.safetensors")
    os.utime(path, ns=(0, 0))
    assert nodes.PStyleLoadStyle.IS_CHANGED("mine.safetensors") == first
    entry = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(entry.st_atime_ns, entry.st_mtime_ns))
    assert nodes.PStyleLoadStyle.IS_CHANGED("mine.safetensors") != first
    for node in (nodes.PStyleLoadVGG, nodes.PStyleLoadGenerator):
        shipped = node.INPUT_TYPES()["required"]["name"][1]["default"]
        assert node.IS_CHANGED(shipped) == node.IS_CHANGED(shipped) != node.IS_CHANGED("mine.safetensors")


def test_loaded_networks_can_be_trained_with(nodes, image: torch.Tensor) -> None:
    vgg = nodes.PStyleLoadVGG().load("slim (shipped)")[0]
    networks = nodes.PStyleLoadGenerator().load("shipped")[0]
    modules = (vgg, networks.generator, networks.vgg)
    assert not any(value.is_inference() for module in modules for value in module.state_dict().values())


def test_a_generator_for_another_vgg_is_refused(nodes, folders: Folders) -> None:
    with torch.inference_mode(False):
        wide = Generator(replace(TINY, vgg_width=0.25))
    save_generator(folders.style_models / "wide.safetensors", wide, "random")
    with pytest.raises(ValueError, match=r"needs a VGG of width 0.25, the shipped one has 0.125"):
        nodes.PStyleLoadGenerator().load("wide.safetensors")
