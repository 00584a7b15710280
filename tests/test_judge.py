"""Protects the benchmark's judge: its numbers are those of the judge that measured the targets."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from benchmarks.judge import judge, load_judge_vgg, main, open_picture
from pstyle.nets.vgg import VGG

SHARED = os.environ.get("PSTYLE_SHARED")


@pytest.fixture
def vgg_folder(tmp_path) -> Path:
    folder = tmp_path / "vgg"
    folder.mkdir()
    save_file(VGG(width=1.0, last="relu3_1").state_dict(), folder / "vgg19_relu3_1.safetensors")
    return folder


def write_picture(path: Path, width: int, height: int, seed: int) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((width, height)).save(path)
    return path


def test_pictures_open_at_the_short_side_asked_for(tmp_path):
    path = write_picture(tmp_path / "wide.png", 160, 80, seed=0)
    image = open_picture(path, short_side_px=40)
    assert image.shape == (1, 3, 40, 80) and image.dtype == torch.float32
    assert 0 <= image.min() < image.max() <= 1


def test_judge_rounds_and_tells_a_copy_from_another_picture(tmp_path, vgg_folder):
    content, style = (
        open_picture(write_picture(tmp_path / f"{seed}.png", 96, 64, seed), short_side_px=64)
        for seed in (1, 2)
    )
    vgg = load_judge_vgg(vgg_folder)
    photo, copy = judge(content, content, [style], vgg), judge(style, content, [style], vgg)
    assert photo["content_vgg"] == 0 and photo["ssim"] == 1 and photo["edge_f1"] == 1
    assert copy["style_vgg"] == 0 and copy["style_swd"] == 0 and copy["color"] == 0
    assert photo["style_vgg"] > 0 and photo["style_swd"] > 0 and copy["ssim"] < 0.9
    assert all(value == round(value, 4) for value in {**photo, **copy}.values())


@pytest.mark.parametrize(("width", "last"), [(1.0, "relu2_1"), (0.25, "relu3_1")])
def test_another_vgg_is_refused(vgg_folder, width, last):
    save_file(VGG(width, last).state_dict(), vgg_folder / "vgg19_relu3_1.safetensors")
    with pytest.raises(ValueError, match=f"holds a VGG of width {width} up to {last}"):
        load_judge_vgg(vgg_folder)


@pytest.mark.slow
@pytest.mark.skipif(
    SHARED is None, reason="PSTYLE_SHARED names no folder with the reference judge and pictures"
)
@pytest.mark.parametrize("other", ["paintings/monet/garden.jpg", "photos/kodim03.jpg"])
def test_agrees_with_the_reference_judge(other):
    shared = Path(SHARED)
    spec = importlib.util.spec_from_file_location("reference_judge", shared / "tools/judge.py")
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    output, content, style = (
        shared / "images" / name
        for name in (other, "photos/kodim02.jpg", "paintings/bosch/garden_of_earthly_delights.jpg")
    )
    expected = reference.judge(reference.load(output), reference.load(content), [reference.load(style)])
    ours = judge(
        open_picture(output), open_picture(content), [open_picture(style)], load_judge_vgg(shared / "vgg")
    )
    assert {name: ours[name] for name in expected} == pytest.approx(expected, abs=1e-3)


def test_the_command_prints_one_json_line(tmp_path, vgg_folder, monkeypatch, capsys):
    paths = [str(write_picture(tmp_path / f"{seed}.png", 64, 64, seed)) for seed in (1, 2, 3)]
    monkeypatch.setattr(sys, "argv", ["judge.py", "--vgg", str(vgg_folder), *paths])
    monkeypatch.setattr("benchmarks.judge.open_picture", lambda path: open_picture(path, short_side_px=32))
    main()
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert set(json.loads(printed)) == {"style_vgg", "style_swd", "color", "content_vgg", "ssim", "edge_f1"}
