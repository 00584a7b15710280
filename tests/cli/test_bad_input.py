"""Protects against bad input: every command refuses it in one sentence and changes no file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.workflow.pack_on_disk import make_pack

LEARN = ("learn", "one.png", "-o", "new.safetensors", "--content", "photos")
PAINT = ("paint", "style.safetensors", "one.png", "-o", "out")
FINETUNE = ("finetune", "style.safetensors", "one.png", "-o", "new.safetensors", "--content", "photos")
OPTIMIZE = ("optimize", "one.png", "two.png", "-o", "new.png")
TRAIN = ("train-base", "--photos", "photos", "--paintings", "photos", "-o", "made", "--state", "state")
BAD = [
    ((), "give a command"),
    (("bogus",), "no command 'bogus'"),
    (("learn",), "required: PICTURE"),
    (("learn", "one.png"), "required: -o"),
    ((*LEARN, "--frobnicate"), "--frobnicate"),
    ((*LEARN, "--device", "tpu"), "tpu"),
    ((*LEARN, "--steps", "many"), "--steps must be an integer from 0 to 10000, got 'many'"),
    ((*LEARN, "--steps", "10001"), "--steps must be an integer from 0 to 10000, got 10001"),
    ((*LEARN, "--style-weight", "nan"), "--style-weight must be a number from 0.0 to 1000.0, got nan"),
    ((*LEARN, "--crop-px", "68"), "--crop-px must be a multiple of 8"),
    ((*LEARN, "--weights", "1,2"), "2 weights for 1 pictures"),
    ((*LEARN, "--weights", "x"), "--weights"),
    ((*LEARN, "--weights", "nan"), "finite"),
    ((*LEARN, "--vgg", "nowhere"), "no file 'nowhere.safetensors'"),
    ((*LEARN, "--vgg", "../style"), "no file '../style.safetensors'"),
    ((*LEARN, "--vgg", "style.safetensors"), "where a pstyle.vgg file is needed"),
    ((*LEARN, "--state", "style.safetensors"), "pstyle.training"),
    (("learn", "nowhere.png", "-o", "new.safetensors"), "no file or folder 'nowhere.png'"),
    (("learn", "damaged.png", "-o", "new.safetensors"), "'damaged.png' cannot be opened"),
    (("learn", "text.txt", "-o", "new.safetensors"), "not a picture file"),
    (("learn", "out", "-o", "new.safetensors"), "no pictures in the folder"),
    (("learn", "one.png", "-o", "style.safetensors"), "exists already"),
    (("learn", "one.png", "-o", "new.pt"), "must end with .safetensors"),
    (("learn", "one.png", "-o", "nowhere/new.safetensors"), "not a folder"),
    ((*PAINT, "--strength", "1.6"), "strength must be a number from 0.0 to 1.5"),
    ((*PAINT, "--strength", "nan"), "strength must be a number from 0.0 to 1.5"),
    ((*PAINT, "--mask", "nowhere.png"), "'nowhere.png'"),
    (("paint", "nowhere", "one.png", "-o", "out"), "'nowhere'"),
    (("paint", "broken.safetensors", "one.png", "-o", "out"), "'broken.safetensors'"),
    (("paint", "models/pstyle/shallow.safetensors", "one.png", "-o", "out"), "pstyle.style file is needed"),
    (("paint", "style.safetensors", "one.png", "-o", "text.txt"), "'text.txt' is not a folder"),
    (("paint", "style.safetensors", "damaged.png", "-o", "out"), "'damaged.png' cannot be opened"),
    (("paint", "style.safetensors", "one.png", "-o", "."), "'one.png' exists already"),
    ((*FINETUNE, "--crop-px", "512", "--size-px", "512"), "at most half of size_px"),
    (("finetune", "one.png", "one.png", "-o", "new.safetensors"), "'one.png'"),
    (("finetune", "style.safetensors", "one.png", "-o", "style.safetensors"), "exists already"),
    ((*OPTIMIZE, "--loss", "l2"), "l2"),
    ((*OPTIMIZE, "--steps", "0"), "--steps must be an integer from 1"),
    (("optimize", "text.txt", "two.png", "-o", "new.png"), "'text.txt' cannot be opened"),
    (("optimize", "one.png", "two.png", "-o", "new.gif"), "must end with .png"),
    (("optimize", "one.png", "two.png", "-o", "two.png"), "exists already"),
    (("inspect", "one.png"), "'one.png'"),
    (("inspect", "out"), "not a regular file"),
    (("score", "one.png", "nowhere.png", "two.png"), "'nowhere.png'"),
    (("score", "one.png", "one.png", "two.png", "--scale-steps", "0"), "--scale-steps must be an integer"),
    ((*LEARN, "--history", "new.txt"), "must end with .json"),
    ((*LEARN, "--history", "nowhere/new.json"), "not a folder"),
    (("report", "one.png"), "'one.png'"),
    (("report", "broken.safetensors"), "'broken.safetensors'"),
    (("report", "style.safetensors", "-o", "new.pdf"), "must end with .html"),
    (("report", "style.safetensors", "--history", "text.txt"), "'text.txt' is not a history"),
    (("report", "style.safetensors", "--photos", "damaged.png"), "'damaged.png' cannot be opened"),
    (("report", "style.safetensors", "--pictures", "nowhere"), "'nowhere'"),
    (("run", "nowhere.json"), "nowhere.json"),
    (("run", "text.txt"), "not valid JSON"),
    (("run", "text.txt", "--set", "width"), "NODE.INPUT=VALUE"),
    (("get-vgg", "--url", "ftp://somewhere/vgg19.pth"), "must be like https"),
    (("get-vgg", "--url", "http://127.0.0.1:9/vgg19-dcbb9e9d.pth"), "could not be downloaded"),
    ((*TRAIN, "--teacher", "nowhere"), "'nowhere'"),
    ((*TRAIN, "--teacher", "models/pstyle/shallow.safetensors"), "no teacher reaches relu3_1"),
    (("demo", "-o", "text.txt"), "'text.txt' is not a folder"),
    (("demo", "-o", "out", "--artist", "nobody"), "nobody"),
]


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("argv", "fragment"), BAD, ids=[" ".join(argv) for argv, _ in BAD])
def test_bad_input_is_one_sentence_and_changes_nothing(
    argv: tuple[str, ...], fragment: str, call, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pstyle.cli.inputs.content_pictures", lambda count, size_px, seed: [])
    monkeypatch.setattr("pstyle.cli.run.PACK_ROOT", place / "pack")
    if argv[:1] == ("run",):
        make_pack(place / "pack")
    before = files_in(place)
    code, _, err = call(*argv)
    assert code == 2 and fragment in err
    assert err.startswith("pstyle: ") and err.endswith("\n") and err.count("\n") == 1
    assert files_in(place) == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
@pytest.mark.parametrize("argv", [LEARN, FINETUNE, (*TRAIN, "--teacher", "a"), ("run", "flow.json")])
def test_a_missing_device_is_told(argv: tuple[str, ...], call, place: Path) -> None:
    before = files_in(place)
    code, _, err = call(*argv, "--device", "cuda")
    assert code == 2 and "no CUDA device" in err and files_in(place) == before
