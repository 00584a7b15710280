"""Protects the node that writes a report: into the output folder, under a plain name, never over a file."""

from __future__ import annotations

import pytest
import torch

from pstyle.core.folders import Folders


@pytest.fixture
def photos(image: torch.Tensor) -> torch.Tensor:
    return image[1:]


def test_it_writes_a_page(nodes, style, photos, style_set: list, folders: Folders) -> None:
    history = {"loss": [2.0, 1.0]}
    found = nodes.PStyleReport().write(style, "a b.html", False, photos, style_set, history)
    assert found["result"] == ("a b.html",) and found["ui"]["text"] == ["a b.html"]
    page = (folders.output / "a b.html").read_text()
    assert (
        "<h1>a b</h1>" in page and "photograph 1" in page and "judged by the network loss (shipped)" in page
    )
    assert page.count("<img") == 1 + 2 + 6 + 1 + 1  # style picture, pair, strengths, curves


def test_little_is_enough(nodes, style, photos, folders: Folders) -> None:
    nodes.PStyleReport().write(style, "less", False, photos)
    assert "none were given" in (folders.output / "less.html").read_text()


def test_another_judge_and_generator_are_taken(
    nodes, style, photos, style_set: list, folders: Folders
) -> None:
    from pstyle_pack.nodes.wires import Networks

    from pstyle.nets.vgg import load_vgg
    from tests.nodes.conftest import tiny_generator

    with torch.inference_mode(False):
        vgg = load_vgg()
    nodes.PStyleReport().write(style, "a", False, photos, style_set, vgg=vgg)
    assert "judged by the network the wired VGG" in (folders.output / "a.html").read_text()
    with pytest.raises(ValueError, match="learned with another generator"):
        nodes.PStyleReport().write(style, "b", False, photos, generator=Networks(tiny_generator(9), vgg))


def test_a_file_is_replaced_only_when_asked(nodes, style, photos, folders: Folders) -> None:
    folders.output.mkdir()
    (folders.output / "kept.html").write_text("kept")
    with pytest.raises(ValueError, match="exists already"):
        nodes.PStyleReport().write(style, "kept", False, photos)
    assert (folders.output / "kept.html").read_text() == "kept"
    nodes.PStyleReport().write(style, "kept", True, photos)
    assert (folders.output / "kept.html").read_text() != "kept"


@pytest.mark.parametrize("name", ["../a", "/tmp/a", "a/b", "", "nul", ".hidden", "a\n"])
def test_no_name_leads_elsewhere(nodes, style, photos, name: str, folders: Folders) -> None:
    assert "not a usable name" in nodes.PStyleReport.VALIDATE_INPUTS(name)
    with pytest.raises(ValueError, match="not a usable name"):
        nodes.PStyleReport().write(style, name, True, photos)
    assert nodes.PStyleReport.VALIDATE_INPUTS("my_style") is True
    assert list(folders.output.iterdir()) == []


def test_too_many_photographs_are_refused(nodes, style, photos) -> None:
    with pytest.raises(ValueError, match="got 13 photographs, at most 12 are allowed"):
        nodes.PStyleReport().write(style, "a", False, photos.expand(13, -1, -1, -1))
