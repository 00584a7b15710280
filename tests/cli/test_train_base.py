"""Protects `pstyle train-base`: one command makes every weight file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pstyle.image.writing import save_image
from pstyle.nets.generator import GeneratorConfig, load_generator
from pstyle.nets.vgg import load_vgg, save_vgg
from pstyle.training.base_run import BaseRunConfig, GeneratorStage
from pstyle.training.base_training import BaseConfig
from pstyle.training.distillation import DistillConfig
from tests.conftest import random_picture
from tests.tiny_networks import tiny_vgg


def test_train_base_makes_weights(call, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = BaseConfig(steps=1, styles=1, contents=1, size_px=48, style_px=48)
    small = GeneratorConfig(latent=8, vgg_width=0.0625, body=8, texture=8, grain=8, blocks=1)
    slim = DistillConfig(steps=1, batch=1, size_px=32, width=0.0625)
    narrow = replace(slim, width=0.125, inner=0.5, last="relu3_1", embed=False)
    stages = [GeneratorStage("generator", ("teacher",), quick)]
    monkeypatch.setattr(BaseRunConfig, "loss_distillation", lambda self, width: narrow)
    monkeypatch.setattr("pstyle.training.base_run.PROCEDURAL_PX", 128)
    for name, value in (("distillation", slim), ("architecture", small), ("generator_stages", stages)):
        monkeypatch.setattr(BaseRunConfig, name, lambda self, value=value: value)
    rng = torch.Generator().manual_seed(0)
    for name in ("photo", "painting"):
        (place / name / "deeper").mkdir(parents=True)
        save_image(place / name / "deeper" / "a.png", random_picture(rng, 130, 140))
    (place / "photos.txt").write_text("photo/deeper/a.png\n")
    save_vgg(place / "teacher.safetensors", tiny_vgg(), "random")
    code, out, err = call(
        *("train-base", "--teacher", "teacher.safetensors", "--photos", "photos.txt"),
        *(
            "--paintings",
            "painting",
            "--out",
            "made",
            "--state",
            "state",
            "--procedural",
            "0",
            "--scenes",
            "1",
        ),
    )
    told = [line.split("  ")[-1] for line in err.splitlines()]
    assert code == 0 and told == ["slim VGG", "loss VGG", "generator", "in all, as measured on a few steps"]
    names = ("vgg_slim.safetensors", "vgg_loss.safetensors", "generator.safetensors", "numbers.json")
    assert out == [f"made/{name}" for name in names]
    assert load_vgg(Path(out[0])).width == load_generator(Path(out[2])).config.vgg_width == 0.0625
    assert load_vgg(Path(out[1])).inner == 0.5
    assert json.loads(Path(out[3]).read_text())["photos"] == 1
