"""Protects learning from nodes: it trains under inference mode, mixes as told, and a cancel loses nothing."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
import torch
from pstyle_pack.nodes import host, learn
from pstyle_pack.nodes.wires import disliked, liked

from pstyle.core.checkpoint import BadFile
from pstyle.core.folders import Folders
from pstyle.core.progress import Progress
from pstyle.image.writing import save_image
from pstyle.nets.vgg import VGG
from pstyle.style.style import load_style
from pstyle.training.style_pictures import MAX_PICTURES
from tests.conftest import random_picture
from tests.nodes.conftest import random_style, tiny_generator


def numbers(style) -> torch.Tensor:
    parts = [style.style.latent, *style.style.offsets.values(), *style.style.weights.values()]
    return torch.cat([part.float().flatten() for part in parts])


@pytest.fixture
def painted(folders: Folders, rng) -> Path:
    """A folder of the input folder with pictures of three sizes, and things that are no pictures."""
    folder = folders.input / "my paintings"
    folder.mkdir()
    for index, size in enumerate([(64, 70), (80, 64), (65, 65)]):
        save_image(folder / f"{index}.png", random_picture(rng, *size))
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_bytes(b"x")
    return folder


def test_a_set_holds_single_pictures_with_their_weights(nodes, image: torch.Tensor) -> None:
    collect = nodes.PStyleStyleSet().collect
    (first,) = collect([image], [2.0])
    assert [(one.picture.shape, one.weight, one.stars) for one in first] == [((1, 3, 72, 80), 2.0, 3)] * 2
    assert torch.equal(first[1][0], image[1:].movedim(-1, 1))
    (chained,) = collect([image[:1]], [0.5], [first])
    assert [one.weight for one in chained] == [2.0, 2.0, 0.5] and len(first) == 2


def test_a_list_of_any_sizes_makes_one_set(nodes, image: torch.Tensor) -> None:
    (found,) = nodes.PStyleStyleSet().collect([image, image[:, :66, :70], image[:1]], [1.0, 3.0])
    assert [one.weight for one in found] == [1.0, 1.0, 3.0, 3.0, 3.0]
    assert found[3][0].shape == (1, 3, 66, 70)


def test_stars_weigh_what_is_liked_and_set_apart_what_is_not(nodes, image: torch.Tensor, folders) -> None:
    pictures = [image[:1], image[1:], image[:1, :66]]
    (found,) = nodes.PStyleStyleSet().collect(pictures, [1.0, 1.0, 2.0], stars=[5, 3, 0])
    assert [one.stars for one in found] == [5, 3, 0]
    kept, weights = liked(found)
    assert [picture.shape[2] for picture in kept] == [72, 72] and weights[0] > weights[1] > 0
    assert [picture.shape[2] for picture in disliked(found)] == [66]
    with pytest.raises(ValueError, match="no picture is liked"):
        liked(found[2:])


def test_a_disliked_picture_changes_what_is_learned(nodes, style_set, image: torch.Tensor, settings) -> None:
    (both,) = nodes.PStyleStyleSet().collect([image[1:]], [1.0], [style_set], stars=[0])
    plain, kept_away = (nodes.PStyleLearn().learn(found, **settings) for found in (style_set, both))
    assert "dislike" in kept_away[2][0] and "dislike" not in plain[2][0]
    assert kept_away[0].style.provenance.pictures == 1


def test_an_empty_batch_is_refused(nodes, image: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"^style picture is an empty batch: give at least one picture$"):
        nodes.PStyleStyleSet().collect([image, image[:0]], [1.0])


def test_a_folder_makes_a_set(nodes, painted: Path, style_set: list) -> None:
    node = nodes.PStyleStyleSetFromFolder
    assert node.INPUT_TYPES()["required"]["folder"][0] == ["my paintings"]
    (found,) = node().collect("my paintings", 3.0, style_set)
    assert [one.picture.shape[2:] for one in found[1:]] == [(64, 70), (80, 64), (65, 65)]
    assert [one.weight for one in found] == [1.0, 3.0, 3.0, 3.0]


def test_a_changed_folder_is_read_again(nodes, painted: Path, rng) -> None:
    change = nodes.PStyleStyleSetFromFolder.IS_CHANGED
    first = change("my paintings", weight=1.0)
    assert change(folder="my paintings") == first
    save_image(painted / "4.png", random_picture(rng, 64, 64))
    second = change("my paintings")
    save_image(painted / "4.png", random_picture(rng, 66, 64), overwrite=True)
    assert len({first, second, change("my paintings")}) == 3


def test_only_the_content_of_a_folder_counts(nodes, painted: Path) -> None:
    """Neither is a touched picture learned anew, nor is one passed over whose size and time are as before."""
    change, path = nodes.PStyleStyleSetFromFolder.IS_CHANGED, painted / "1.png"
    first, times = change("my paintings"), path.stat()
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns + 10**9))
    assert change("my paintings") == first
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    again = path.stat()
    assert (again.st_size, again.st_mtime_ns) == (times.st_size, times.st_mtime_ns)
    assert change("my paintings") != first


@pytest.mark.parametrize(
    "name", ["..", ".", "", "../input", "/", "my paintings/..", "no such", ".secret", None, "a\n"]
)
def test_only_a_listed_folder_is_read(nodes, painted: Path, name: object) -> None:
    (painted.parent / ".secret").mkdir()
    with pytest.raises(BadFile, match="there is no folder") as raised:
        nodes.PStyleStyleSetFromFolder().collect(name, 1.0)
    assert str(raised.value).isprintable()


def test_a_folder_of_too_many_pictures_is_refused_before_they_are_read(nodes, folders: Folders) -> None:
    (folders.input / "all").mkdir()
    for index in range(MAX_PICTURES + 1):
        (folders.input / "all" / f"{index}.png").touch()  # empty: opening one would be another error
    with pytest.raises(ValueError, match="holds 51 pictures, at most 50 are allowed"):
        nodes.PStyleStyleSetFromFolder().collect("all", 1.0)


def test_no_input_folder_means_no_choices(nodes, folders: Folders) -> None:
    folders.input.rmdir()
    assert nodes.PStyleStyleSetFromFolder.INPUT_TYPES()["required"]["folder"][0] == []


def test_learning_moves_every_part_of_a_style_under_inference_mode(
    nodes, style_set: list, image: torch.Tensor, settings: dict
) -> None:
    assert torch.is_inference_mode_enabled()
    still = nodes.PStyleLearn().learn(style_set, contents=image, **settings | {"steps": 0})[0].style
    style, losses, history = nodes.PStyleLearn().learn(style_set, contents=image, **settings)
    assert not torch.equal(style.style.latent, still.latent)
    assert any(value.abs().sum() > 0 for value in style.style.offsets.values())
    assert any(not torch.equal(style.style.weights[key], value) for key, value in still.weights.items())
    assert losses == {"loss": [record["loss"] for record in history]} and len(history) == 3
    assert all(type(loss) is float for loss in losses["loss"])
    assert style.style.provenance.pictures == 1 and style.style.provenance.steps == 3
    assert torch.is_inference_mode_enabled() and not torch.is_grad_enabled()


def test_the_same_seed_learns_the_same_style(
    nodes, style_set: list, image: torch.Tensor, settings: dict
) -> None:
    first, again, other = (
        numbers(nodes.PStyleLearn().learn(style_set, contents=image, **settings | {"seed": seed})[0])
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_weights_count(nodes, image: torch.Tensor, settings: dict) -> None:
    collect, settings = nodes.PStyleStyleSet().collect, settings | {"steps": 0}
    one, other = image[:1], 1 - image[1:]

    def learned(*entries: tuple) -> torch.Tensor:
        found: list = []
        for picture, weight in entries:
            (found,) = collect([picture], [weight], [found])
        return numbers(nodes.PStyleLearn().learn(found, contents=image, **settings)[0])

    assert torch.equal(learned((one, 1.0), (other, 0.0)), learned((one, 2.0)))
    assert not torch.equal(learned((one, 1.0), (other, 3.0)), learned((one, 3.0), (other, 1.0)))
    with pytest.raises(ValueError, match="not all 0"):
        learned((one, 0.0))


def test_without_contents_drawn_scenes_are_learned_on(
    nodes, style_set: list, settings: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learn, "BUILT_IN_CONTENTS", 2)
    style, losses, _ = nodes.PStyleLearn().learn(style_set, **settings | {"steps": 1})
    assert len(losses["loss"]) == 1 and style.networks is None


def test_the_given_networks_are_used(nodes, style_set: list, image: torch.Tensor, settings: dict) -> None:
    with torch.inference_mode(False):
        judge = VGG(0.25, "relu3_1")
    generator = learn.Networks(tiny_generator(1), nodes.PStyleLoadVGG().load("slim (shipped)")[0])
    plain, _, slim_history = nodes.PStyleLearn().learn(style_set, contents=image, **settings)
    style, _, history = nodes.PStyleLearn().learn(
        style_set, contents=image, generator=generator, vgg=judge, **settings
    )
    assert style.networks is generator and style.style.generator_id != plain.style.generator_id
    assert history[0]["style"] != slim_history[0]["style"]
    assert not any(value.requires_grad for value in judge.parameters())
    assert nodes.PStylePaint().paint(image, style)["result"][0].shape == image.shape


@pytest.mark.parametrize(
    ("settings_given", "said"),
    [
        ({"steps": -1}, "steps must be an integer from 0"),
        ({"style_weight": float("nan")}, "style_weight must be"),
    ],
)
def test_linked_values_are_checked_again(
    nodes, style_set: list, image: torch.Tensor, settings: dict, settings_given: dict, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        nodes.PStyleLearn().learn(style_set, contents=image, **settings | settings_given)


class Canceling(host.Watch):
    """Stands for the cancel button, pressed after the second step."""

    def __call__(self, progress: Progress) -> None:
        super().__call__(progress)
        if progress.step == 2:
            raise host.Interrupted


def test_a_canceled_learning_keeps_its_style(
    nodes, style_set, image, settings, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "Watch", Canceling)
    with pytest.raises(host.Interrupted):
        nodes.PStyleLearn().learn(style_set, contents=image, **settings)
    kept = load_style(folders.style_models / "interrupted.safetensors")
    assert kept.provenance.steps == 2
    style = nodes.PStyleLoadStyle().load("interrupted.safetensors")[0]
    assert torch.isfinite(nodes.PStylePaint().paint(image, style)["result"][0]).all()


def test_a_canceled_learning_takes_no_other_file_s_place(
    nodes, style_set, image, settings, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "Watch", Canceling)
    own = folders.style_models / "interrupted_2.safetensors"
    own.write_bytes(b"the user's")
    (folders.style_models / "interrupted_4.safetensors").symlink_to(folders.style_models / "nowhere")
    for seed in (5, 6, 7):
        with pytest.raises(host.Interrupted):
            nodes.PStyleLearn().learn(style_set, contents=image, **settings | {"seed": seed})
    kept = [folders.style_models / f"interrupted{end}.safetensors" for end in ("", "_3", "_5")]
    assert [load_style(path).provenance.seed for path in kept] == [5, 6, 7]
    assert own.read_bytes() == b"the user's" and len(list(folders.style_models.iterdir())) == 5


def test_a_cancel_comes_through_even_if_nothing_can_be_kept(
    nodes, style_set, image, settings, folders: Folders, monkeypatch, caplog
) -> None:
    monkeypatch.setattr(host, "Watch", Canceling)
    folders.style_models.rmdir()
    folders.style_models.write_text("in the way")
    with caplog.at_level(logging.WARNING, "pstyle"), pytest.raises(host.Interrupted):
        nodes.PStyleLearn().learn(style_set, contents=image, **settings)
    assert "could not be kept" in caplog.text


def test_another_fault_is_not_taken_for_a_cancel(
    nodes, style_set, image, settings, folders: Folders, monkeypatch
) -> None:
    def fail(self: host.Watch, progress: Progress) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(host.Watch, "__call__", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        nodes.PStyleLearn().learn(style_set, contents=image, **settings)
    assert not list(folders.style_models.iterdir())


def test_a_blend_goes_from_one_style_to_the_other(nodes) -> None:
    first, second = random_style(1), random_style(2)
    mixed = [numbers(nodes.PStyleBlend().blend(first, second, share)[0]) for share in (0.0, 0.5, 1.0)]
    assert torch.equal(mixed[0], numbers(first)) and torch.equal(mixed[2], numbers(second))
    middle = (numbers(first) + numbers(second)) / 2
    assert torch.allclose(mixed[1], middle, atol=2e-3)


@pytest.mark.parametrize("share", [2.0, -0.1, float("nan"), float("inf")])
def test_a_linked_share_is_checked_again(nodes, share: float) -> None:
    with pytest.raises(ValueError, match=rf"^share must be a number from 0 to 1, got {share}$"):
        nodes.PStyleBlend().blend(random_style(1), random_style(2), share)
