"""A new restorer: one run makes it, and killed anywhere it ends with the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pstyle.image.writing import save_image
from pstyle.nets.vgg import VGG
from pstyle.restoration.repair import restorer_run
from pstyle.restoration.repair.restorer import RestorerConfig, load_restorer
from pstyle.restoration.repair.restorer_run import RestorerRunConfig, make_restorer, new_restorer
from pstyle.restoration.repair.restorer_training import RestoreConfig
from pstyle.restoration.repair.tone_training import ToneConfig
from tests.conftest import random_picture
from tests.restoration.tiny_restorer import TINY
from tests.tiny_networks import tiny_vgg

STAGES = {"tones": 2, "tones of worn pictures": 3, "repair": 3}


class TinyRun(RestorerRunConfig):
    """The stages of a real run, each of them tiny; the last step of repair has a discriminator."""

    def architecture(self) -> RestorerConfig:
        return TINY

    def tones(self) -> ToneConfig:
        return replace(super().tones(), batch=2)

    def worn_tones(self) -> ToneConfig:
        return replace(super().worn_tones(), batch=2)

    def repair(self) -> RestoreConfig:
        return replace(super().repair(), feature_share=0.5, adversarial_share=0.4)


CONFIG = TinyRun(steps=3, tone_steps=2, batch=1, size_px=64, scenes=1)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder, rng = tmp_path_factory.mktemp("clean"), torch.Generator().manual_seed(0)
    paths = [folder / "one.png", folder / "two.png"]
    for path in paths:
        save_image(path, random_picture(rng, 110, 120))
    return paths


@pytest.fixture(scope="module")
def vgg() -> VGG:
    return tiny_vgg(last="relu3_1").requires_grad_(False)


@pytest.fixture(scope="module", autouse=True)
def small_scenes():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(restorer_run, "SCENE_PX", 128)
        yield


@pytest.fixture(scope="module")
def whole(files: list[Path], vgg: VGG, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    make_restorer(files, vgg, folder / "restorer.safetensors", folder / "state", CONFIG)
    return folder


def test_every_part_has_learned(whole: Path) -> None:
    found, start = load_restorer(whole / "restorer.safetensors"), new_restorer(TINY, seed=0)
    assert found.config == TINY
    for part in ("tone_reader.fresh.out", "tone_reader.worn.2", "last"):
        one, other = (network.get_submodule(part).weight.half() for network in (found, start))
        assert not torch.equal(one, other)


def test_the_numbers_tell_what_was_done(whole: Path) -> None:
    numbers = json.loads((whole / "state" / "numbers.json").read_text())
    assert {name: stage["steps"] for name, stage in numbers["stages"].items()} == STAGES
    assert numbers["pictures"] == 2 and numbers["scenes"] == 1 and numbers["sha256"]
    assert {"features", "discriminator"} <= numbers["stages"]["repair"]["losses"].keys()


def killed_at(stage: str, step: int, seen: list[str]) -> Callable[[str, int, dict], None]:
    def on_step(name: str, steps: int, record: dict[str, float]) -> None:
        seen.append(name)
        if (name, record["step"]) == (stage, step):
            raise KeyboardInterrupt

    return on_step


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_run_goes_on_to_the_same_bytes(
    stage: str, files: list[Path], vgg: VGG, whole: Path, tmp_path: Path
) -> None:
    out, seen = tmp_path / "restorer.safetensors", []
    with pytest.raises(KeyboardInterrupt):
        make_restorer(files, vgg, out, tmp_path / "state", CONFIG, killed_at(stage, 2, []))
    assert not out.exists()
    make_restorer(files, vgg, out, tmp_path / "state", CONFIG, killed_at("", 0, seen))
    finished = list(STAGES)[: list(STAGES).index(stage)]
    assert seen and not set(seen) & set(finished)
    assert out.read_bytes() == (whole / out.name).read_bytes()


def test_a_trial_tells_how_long_it_takes_and_changes_nothing(
    files: list[Path], vgg: VGG, whole: Path, tmp_path: Path
) -> None:
    told: list[dict[str, float]] = []
    out, state = tmp_path / "restorer.safetensors", tmp_path / "state"
    make_restorer(files, vgg, out, state, CONFIG, on_estimate=told.append)
    assert told[0].keys() == STAGES.keys() and min(told[0].values()) > 0
    assert out.read_bytes() == (whole / out.name).read_bytes() and not (state / "trial").exists()


def test_other_settings_and_small_pictures_are_refused(
    files: list[Path], vgg: VGG, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "restorer.safetensors"
    with pytest.raises(ValueError, match="other settings"):
        make_restorer(files, vgg, out, whole / "state", replace(CONFIG, seed=1))
    with pytest.raises(ValueError, match="one.png' is 120x110 px, at least 128 px a side"):
        make_restorer(files, vgg, out, tmp_path / "state", replace(CONFIG, size_px=128))


def test_nothing_is_overwritten(files: list[Path], vgg: VGG, whole: Path) -> None:
    out = whole / "restorer.safetensors"
    before = out.read_bytes()
    with pytest.raises(ValueError, match="exists already"):
        make_restorer(files, vgg, out, whole / "state", CONFIG)
    assert out.read_bytes() == before
