"""Protects the taste test as a node: round by round under inference mode, kept answers, a map."""

from __future__ import annotations

import math

import pytest
import torch
from pstyle_pack.nodes import host
from pstyle_pack.nodes.files import shipped_networks
from pstyle_pack.nodes.widgets import widgets
from pstyle_pack.nodes.wires import BoundStyle, Rated

from pstyle.core.files import BadFile
from pstyle.core.folders import Folders
from pstyle.style.answers import read_history
from pstyle.style.style import load_style
from pstyle.taste.taste import TasteConfig
from tests.nodes.conftest import random_style


@pytest.fixture
def given() -> dict[str, object]:
    found = {name: options["default"] for name, (_, options) in widgets(TasteConfig).items()}
    return found | {"apart": 0.5, "worst": "-", "name": "mine"}


@pytest.fixture
def play(nodes, style, image, given):
    """One round: what the node gives for a choice."""

    def choose(choice: str, **more):
        found = nodes.PStyleTasteTest().choose(style, image, choice, **given | more)
        return found["result"], found["ui"]["text"][0]

    return choose


def test_rounds_lead_from_the_first_grid_to_a_style(nodes, play, style, image, folders: Folders):
    (same, grid, report, agreement, count), _ = play("-")
    assert torch.equal(same.style.latent, style.style.latent) and count == 0 and agreement == 0
    assert grid.ndim == 4 and grid.shape[-1] == 3
    for number in range(1, 6):
        (found, next_grid, report, agreement, count), text = play("B")
        assert count == number and report == text and not torch.equal(grid, next_grid)
        grid = next_grid
    assert not torch.equal(found.style.latent, style.style.latent) and 0 <= agreement <= 1
    nodes.PStyleSaveStyle().save(found, "chosen", False)
    kept = load_style(folders.style_models / "chosen.safetensors")
    assert "chosen by 5 answers" in kept.provenance.note and kept.taste
    assert [a.best for a in read_history(folders.style_models / "mine.taste").answers] == [1] * 5
    assert nodes.PStylePaint().paint(image, found)["result"][0].shape == image.shape


def test_wired_networks_are_borrowed(nodes, style, image, given, monkeypatch) -> None:
    networks, lent, borrow = shipped_networks(), [], host.borrowed
    monkeypatch.setattr(host, "borrowed", lambda module: lent.append(module) or borrow(module))
    nodes.PStyleTasteTest().choose(style, image, "-", generator=networks, **given)
    nodes.PStyleStyleMap().draw([Rated(image[:1].movedim(-1, 1), 1.0, 5)], BoundStyle(style.style, networks))
    assert [list(one) for one in lent] == [[networks.generator, networks.vgg]] * 2


def test_a_choice_before_anything_was_shown_is_no_answer(play):
    assert play("C")[0][4] == 0
    assert play("C")[0][4] == 1


def test_nothing_chosen_shows_the_same_again(play):
    first, second = play("-")[0], play("-")[0]
    assert torch.allclose(first[1], second[1], atol=0.01) and second[4] == 0


def test_undo_shows_the_question_before(play):
    first = play("-")[0]
    play("A")
    (_, grid, _, _, count), _ = play("undo")
    assert count == 0 and torch.allclose(grid, first[1], atol=0.01)


def test_the_worst_may_be_named(play, folders: Folders):
    play("-")
    play("A", worst="B")
    assert read_history(folders.style_models / "mine.taste").answers[0].worst == 1
    with pytest.raises(ValueError, match="the worst candidate must differ from the best"):
        play("A", worst="A")


def test_two_names_are_two_tastes(play):
    play("-")
    play("A")
    assert play("-", name="hers")[0][4] == 0


def test_another_style_under_the_same_name_is_refused(play, nodes, image, given):
    play("-")
    with pytest.raises(BadFile, match=r"mine\.taste.*taste of another style"):
        nodes.PStyleTasteTest().choose(random_style(5), image, "-", **given)


@pytest.mark.parametrize("name", ["../x", "", "a/b", "nul"])
def test_names_are_no_paths(nodes, name):
    assert "is not a usable name" in nodes.PStyleTasteTest.VALIDATE_INPUTS(name=name)


def test_every_queue_runs_it(nodes):
    assert math.isnan(nodes.PStyleTasteTest.IS_CHANGED())


def test_the_pictures_of_a_set_give_the_directions(play, style_set, folders: Folders):
    play("-", name="by preview")
    play("-", name="by pictures", style_set=style_set)
    found = [
        read_history(folders.style_models / f"by {what}.taste").directions for what in ("preview", "pictures")
    ]
    assert found[0].shape == found[1].shape and not torch.allclose(*found)


def test_a_map_shows_pictures_and_styles(nodes, style, image):
    pictures = [
        Rated(picture.movedim(-1, 0)[None], 1.0, stars) for picture, stars in zip(image, (5, 0), strict=True)
    ]
    (drawn,) = nodes.PStyleStyleMap().draw(pictures, style)
    assert drawn.shape == (1, 900, 900, 3)
    with pytest.raises(ValueError, match="two pictures or styles"):
        nodes.PStyleStyleMap().draw(pictures[:1])
