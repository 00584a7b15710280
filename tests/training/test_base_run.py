"""Protects the making of weights: one run makes all, and killed anywhere it ends as if it were not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pstyle.core.process_group import ALONE
from pstyle.image.writing import save_image
from pstyle.nets.generator import GeneratorConfig, load_generator
from pstyle.nets.vgg import load_vgg, save_vgg
from pstyle.training import base_run
from pstyle.training.base_run import (
    RESULTS,
    BaseRunConfig,
    GeneratorStage,
    Material,
    make_weights,
    new_generator,
)
from pstyle.training.base_training import BaseConfig
from pstyle.training.distillation import DistillConfig
from tests.conftest import random_picture
from tests.tiny_networks import tiny_vgg

SMALL = GeneratorConfig(latent=8, vgg_width=0.0625, body=8, texture=8, grain=8, blocks=1)
STAGES = {"slim VGG": 2, "loss VGG": 2, "generator, first": 3, "generator, last": 2}


class TinyRun(BaseRunConfig):
    """The stages of a real run, each of them tiny."""

    def distillation(self) -> DistillConfig:
        return DistillConfig(steps=2, batch=1, size_px=32, width=0.0625, seed=self.seed)

    def loss_distillation(self, width: float) -> DistillConfig:
        return replace(super().loss_distillation(width), steps=2, batch=1, size_px=32)

    def architecture(self) -> GeneratorConfig:
        return SMALL

    def generator_stages(self) -> list[GeneratorStage]:
        first = BaseConfig(steps=3, styles=1, contents=1, size_px=48, style_px=48, seed=self.seed)
        last = BaseConfig(steps=2, styles=2, contents=1, size_px=56, style_px=48, seed=self.seed + 1)
        return [
            GeneratorStage("generator, first", ("deep", "slim"), first),
            GeneratorStage("generator, last", ("loss", "deep", "slim"), last),
        ]


CONFIG = TinyRun(procedural=1, scenes=1)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    folder, rng = tmp_path_factory.mktemp("material"), torch.Generator().manual_seed(0)
    files = {name: folder / f"{name}.png" for name in ("photo", "painting", "print")}
    for file in files.values():
        save_image(file, random_picture(rng, 130, 140))
    teachers = [folder / "first.safetensors", folder / "second.safetensors"]
    save_vgg(teachers[0], tiny_vgg(0.125, "relu3_1"), "random")
    save_vgg(teachers[1], tiny_vgg(0.0625, "relu5_1", seed=1), "random")
    return Material(teachers, [files["photo"]], [files["painting"], files["print"]])


@pytest.fixture(autouse=True)
def small_procedural_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_run, "PROCEDURAL_PX", 128)


@pytest.fixture(scope="module")
def whole(material: Material, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The results of a run that nothing disturbed, by name."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base_run, "PROCEDURAL_PX", 128)
        paths = make_weights(material, folder / "out", folder / "state", CONFIG)
    assert [path.name for path in paths] == list(RESULTS)
    return {path.name: path.read_bytes() for path in paths}


def test_a_run_makes_networks_that_fit_each_other(whole: dict[str, bytes], tmp_path: Path) -> None:
    for name, data in whole.items():
        (tmp_path / name).write_bytes(data)
    slim, loss = (load_vgg(tmp_path / name) for name in RESULTS[:2])
    generator = load_generator(tmp_path / RESULTS[2])
    assert (slim.width, slim.last, slim.inner) == (0.0625, "relu5_1", 1) and generator.config == SMALL
    assert (loss.width, loss.last, loss.inner) == (0.125, "relu3_1", 0.5)  # as wide as its teacher
    start = new_generator(SMALL, seed=0).convs["block0"].weight.half().float()  # as a file would hold it
    assert not torch.equal(generator.convs["block0"].weight, start) and generator.encoder.mean.any()


def test_the_numbers_tell_what_was_done(whole: dict[str, bytes]) -> None:
    numbers = json.loads(whole["numbers.json"])
    counts = [numbers[kind] for kind in ("photos", "scenes", "paintings", "procedural")]
    assert counts == [1, 1, 2, 1]
    explained = {name: sorted(layers) for name, layers in numbers["explained"].items()}
    reached = [f"relu{level}_1" for level in range(1, 6)]
    assert explained == {"slim VGG": reached, "loss VGG": reached[:3]}
    assert {name: stage["steps"] for name, stage in numbers["stages"].items()} == STAGES
    for name, stage in numbers["stages"].items():
        assert (
            stage["losses"]["step"] == STAGES[name] and stage["losses"]["loss"] > 0 and stage["seconds"] > 0
        )
    for name, told in numbers["sha256"].items():
        assert told == hashlib.sha256(hashlib.sha256(whole[name]).digest()).hexdigest()
    assert numbers["parameters"] == sum(value.numel() for value in new_generator(SMALL, 0).parameters())


def killed_at(stage: str, step: int, told: list[tuple[str, int]]) -> Callable[[str, int, dict], None]:
    def on_step(name: str, steps: int, record: dict[str, float]) -> None:
        told.append((name, int(record["step"])))
        if (name, record["step"]) == (stage, step):
            raise KeyboardInterrupt

    return on_step


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_run_goes_on_to_the_same_weights(
    stage: str, material: Material, whole: dict[str, bytes], tmp_path: Path
) -> None:
    told: list[tuple[str, int]] = []
    with pytest.raises(KeyboardInterrupt):
        make_weights(material, tmp_path / "out", tmp_path / "state", CONFIG, killed_at(stage, 2, told))
    assert told[-1] == (stage, 2) and not list((tmp_path / "out").iterdir())
    again: list[tuple[str, int]] = []
    paths = make_weights(material, tmp_path / "out", tmp_path / "state", CONFIG, killed_at("", 0, again))
    finished = list(STAGES)[: list(STAGES).index(stage)]
    assert again and not {name for name, _ in again} & set(finished)
    for path in paths[:3]:
        assert path.read_bytes() == whole[path.name]


def test_other_settings_or_files_are_another_run(material: Material, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with pytest.raises(KeyboardInterrupt):
        make_weights(material, tmp_path / "out", state, CONFIG, killed_at("slim VGG", 1, []))
    others = Material(material.teachers, material.photos, material.paintings[:1])
    for given, config, fragment in (
        (material, TinyRun(procedural=1, scenes=1, seed=1), "other settings"),
        (others, CONFIG, "other paintings"),
    ):
        with pytest.raises(ValueError, match=fragment):
            make_weights(given, tmp_path / "out", state, config)


def test_nothing_is_overwritten(material: Material, tmp_path: Path) -> None:
    out, state = tmp_path / "out", tmp_path / "state"
    for folder in (out, state):
        folder.mkdir()
    (out / "generator.safetensors").write_bytes(b"precious")
    with pytest.raises(ValueError, match="exists already"):
        make_weights(material, out, state, CONFIG)
    (state / "holiday.png").write_bytes(b"precious too")
    with pytest.raises(ValueError, match="not the state of a run"):
        make_weights(material, tmp_path / "other", state, CONFIG)
    with pytest.raises(ValueError, match="two folders"):
        make_weights(material, out, out, CONFIG)
    assert (out / "generator.safetensors").read_bytes() == b"precious"
    assert [path.name for path in state.iterdir()] == ["holiday.png"]


def test_unusable_material_is_named(material: Material, tmp_path: Path) -> None:
    small = tmp_path / "small.png"
    save_image(small, torch.zeros(1, 3, 100, 200))
    shallow = Material(material.teachers[:1], material.photos, material.paintings)
    with pytest.raises(ValueError, match="no teacher reaches relu4_1, relu5_1"):
        make_weights(shallow, tmp_path / "a", tmp_path / "b", CONFIG)
    tiny = Material(material.teachers, material.photos, [*material.paintings, small])
    with pytest.raises(ValueError, match="small.png' is 200x100 px, at least 128 px a side"):
        make_weights(tiny, tmp_path / "c", tmp_path / "d", CONFIG)


def test_a_new_generator_depends_on_its_seed_alone() -> None:
    before = torch.get_rng_state()
    first, same, other = (new_generator(SMALL, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["convs.block0.weight"], other["convs.block0.weight"])


def test_a_trial_comes_first_and_changes_nothing(
    material: Material, whole: dict[str, bytes], tmp_path: Path
) -> None:
    told: list[dict[str, float]] = []
    state, listen = tmp_path / "state", {"on_estimate": told.append}
    with pytest.raises(KeyboardInterrupt):
        make_weights(
            material, tmp_path / "out", state, CONFIG, killed_at("generator, first", 2, []), **listen
        )
    assert told[0].keys() == STAGES.keys() and min(told[0].values()) > 0
    assert not (state / "trial").exists() and not (state / "generator_1.safetensors").exists()
    make_weights(material, tmp_path / "out", state, CONFIG, **listen)
    assert told[1]["slim VGG"] == told[1]["loss VGG"] == 0
    assert told[1]["generator, first"] == pytest.approx(told[0]["generator, first"] / 3)
    for name in RESULTS[:3]:
        assert (tmp_path / "out" / name).read_bytes() == whole[name]


def test_a_run_killed_while_it_writes_its_results_goes_on(
    material: Material, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out, state = tmp_path / "out", tmp_path / "state"
    make_weights(material, out, state, CONFIG)
    for name in RESULTS[1:]:
        (out / name).unlink()
    make_weights(material, out, state, CONFIG)
    assert (out / RESULTS[2]).read_bytes() == whole[RESULTS[2]]


@pytest.mark.parametrize("kept", [0.0, 0.25, 1.0])
def test_a_stage_keeps_a_share_of_the_weights_before_it(
    kept: float, material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = new_generator(SMALL, seed=1)
    monkeypatch.setattr(base_run, "train_base", lambda generator, *given, **more: deepcopy(after))
    stage = GeneratorStage("any", (), BaseConfig(), kept)
    before = new_generator(SMALL, seed=0)
    found = base_run.train_stage(stage, before, None, None, None, None, ALONE, stage.config)
    one, other, mean = (network.convs["block0"].weight for network in (before, after, found))
    assert torch.allclose(mean, kept * one + (1 - kept) * other, atol=1e-6)


def test_a_short_trial_shortens_every_stage() -> None:
    trial = BaseRunConfig(steps=7, seed=2**31 - 2)
    stages = trial.generator_stages()
    assert {trial.distillation().steps, *(stage.config.steps for stage in stages)} == {7}
    assert len({stage.config.seed for stage in stages}) == len(stages) == 4


def test_the_stage_for_a_gpu_can_be_left_out() -> None:
    whole, short = BaseRunConfig(), BaseRunConfig(large_crops=False)
    assert short.generator_stages() == whole.generator_stages()[:-1]
    assert short.largest_crop_px() < whole.largest_crop_px()
