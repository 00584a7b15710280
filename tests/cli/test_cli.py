"""Protects the command line: every command does its work, bad input is one sentence, nothing is lost."""

from __future__ import annotations

import io
import json
import re
import runpy
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import torch

from pstyle import cli
from pstyle.cli.demo_story import DemoConfig
from pstyle.cli.flags import Parser, settings_from
from pstyle.core.config import describe
from pstyle.core.folders import Folders, use_folders
from pstyle.core.progress import Progress
from pstyle.evaluation.scoring import ScaleConfig
from pstyle.finetuning.finetune_config import FinetuneConfig
from pstyle.image.reading import open_image
from pstyle.image.writing import save_image
from pstyle.nets.generator import GeneratorConfig, load_generator
from pstyle.nets.vgg import load_vgg, save_vgg
from pstyle.style.answers import read_history
from pstyle.style.paint_settings import PaintSettings
from pstyle.style.style import load_style, save_style
from pstyle.taste.taste import TasteConfig
from pstyle.training.base_run import BaseRunConfig, GeneratorStage
from pstyle.training.base_training import BaseConfig
from pstyle.training.distillation import DistillConfig
from pstyle.training.learning import LearnConfig
from pstyle.training.optimize import OptimizeConfig
from tests.conftest import random_picture
from tests.tiny_networks import random_style, ship, tiny_vgg, write_networks
from tests.workflow.pack_on_disk import api, make_pack

ROOT = Path(__file__).resolve().parents[2]
PHOTOS = ["--content", "photos"]
QUICK = ["--steps", "2", "--size-px", "128", "--crop-px", "64", "--batch", "1"]
CONFIGS = {
    "learn": (LearnConfig, ["a.png", "-o", "b"]),
    "finetune": (FinetuneConfig, ["style", "a.png", "-o", "b"]),
    "optimize": (OptimizeConfig, ["a.png", "b.png", "-o", "c"]),
    "paint": (PaintSettings, ["style", "a.png", "-o", "b"]),
    "taste": (TasteConfig, ["style", "a.png", "-o", "b"]),
    "score": (ScaleConfig, ["a.png", "b.png", "c.png"]),
    "demo": (DemoConfig, ["-o", "a"]),
    "train-base": (
        BaseRunConfig,
        ["--teacher", "a", "--photos", "b", "--paintings", "c", "-o", "d", "--state", "e"],
    ),
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write_networks(folder)
    return folder


@pytest.fixture(autouse=True)
def place(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with pictures, a style, a damaged picture, tiny shipped weights and a model folder."""
    ship(weights, monkeypatch)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    rng = torch.Generator().manual_seed(0)
    for folder in ("photos", "models/pstyle", "out"):
        (tmp_path / folder).mkdir(parents=True)
    for name, size in (("one", (64, 70)), ("two", (80, 66))):
        save_image(tmp_path / f"{name}.png", random_picture(rng, *size))
        save_image(tmp_path / "photos" / f"{name}.jpg", random_picture(rng, 72, 96))
    (tmp_path / "damaged.png").write_bytes((tmp_path / "one.png").read_bytes()[:300])
    (tmp_path / "text.txt").write_text("no picture")
    save_style(tmp_path / "style.safetensors", random_style())
    (tmp_path / "broken.safetensors").write_bytes((tmp_path / "style.safetensors").read_bytes()[:-5])
    save_vgg(tmp_path / "models" / "pstyle" / "shallow.safetensors", tiny_vgg(0.25, "relu2_1"), "random")
    folders = Folders(tmp_path / "input", tmp_path / "output", tmp_path / "temp", tmp_path / "models")
    with use_folders(folders):
        yield tmp_path


@pytest.fixture
def call(capsys: pytest.CaptureFixture):
    """Runs a command: (exit code, lines on stdout, text on stderr)."""

    def run(*argv: str) -> tuple[int, list[str], str]:
        code = cli.main(list(argv))
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return run


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- every command


def test_taste_takes_answers_from_a_file(call, place: Path) -> None:
    (place / "answers.txt").write_text("A\n\nB worst A\nundo\nsame\nC\n")
    given = ["--answers", "answers.txt", "--export", "a.json", "--pictures", "one.png", "--apart", "0"]
    code, out, err = call("taste", "style.safetensors", "one.png", "-o", "mine.safetensors", *given)
    assert (code, err) == (0, "") and out[-1] == "mine.safetensors" and len(out) == 7
    assert "chosen by 3 answers" in load_style(place / "mine.safetensors").provenance.note
    assert [a.best for a in read_history(place / "mine.taste").answers] == [0, None, 2]
    assert [a["best"] for a in json.loads((place / "a.json").read_text())["answers"]] == [0, None, 2]
    assert open_image(place / "mine.png").shape[1] == 3


def test_taste_goes_on_undoes_and_merges(call, place: Path) -> None:
    for name, answers in (("mine", "A\nB\n"), ("hers", "C\n")):
        (place / "answers.txt").write_text(answers)
        call(
            "taste",
            "style.safetensors",
            "one.png",
            "-o",
            f"{name}.safetensors",
            "--answers",
            "answers.txt",
            "--apart",
            "0",
        )
    (place / "answers.txt").write_text("D\n")
    more = ["--answers", "answers.txt", "--keep", "1", "--merge", "hers.taste", "--overwrite", "--apart", "0"]
    code, _, err = call("taste", "style.safetensors", "two.png", "-o", "mine.safetensors", *more)
    assert (code, err) == (0, "")
    assert [a.best for a in read_history(place / "mine.taste").answers] == [0, 2, 3]


def test_taste_asks_at_the_keyboard_until_quit(call, place: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("A\nbanana\nB\nquit\nA\n"))
    code, out, _ = call("taste", "style.safetensors", "one.png", "-o", "mine.safetensors", "--apart", "0")
    assert code == 0 and any("'banana' is no answer: choose A" in line for line in out)
    assert len(read_history(place / "mine.taste").answers) == 2


def test_a_wrong_answer_in_a_file_is_told_and_earlier_ones_stay(call, place: Path) -> None:
    (place / "answers.txt").write_text("A\nbanana\n")
    given = ["--answers", "answers.txt", "--apart", "0"]
    code, _, err = call("taste", "style.safetensors", "one.png", "-o", "mine.safetensors", *given)
    assert code == 2 and "'banana' is no answer" in err and not (place / "mine.safetensors").exists()
    assert len(read_history(place / "mine.taste").answers) == 1


def test_map_draws_styles_and_pictures(call, place: Path) -> None:
    code, out, _ = call("map", "style.safetensors", "--pictures", "one.png", "two.png", "-o", "map.png")
    assert (code, out) == (0, ["map.png"]) and open_image(place / "map.png").shape == (1, 3, 900, 900)
    code, _, err = call("map", "style.safetensors", "-o", "one_more.png")
    assert code == 2 and "a map needs two pictures or styles" in err


def test_stars_weigh_pictures_and_set_the_disliked_apart(call, place: Path) -> None:
    given = ["one.png", "two.png", "--content", "photos", *QUICK]
    code, _, _ = call("learn", *given, "-o", "starred.safetensors", "--stars", "5,0")
    assert code == 0 and load_style(place / "starred.safetensors").provenance.pictures == 1
    for stars in ("5", "6,1", "a,b", "0,0", "5,,3"):
        code, _, err = call("learn", *given, "-o", "other.safetensors", "--stars", stars)
        assert code == 2 and ("--stars must be" in err or "no picture is liked" in err)


def test_learn_writes_a_style(call, place: Path) -> None:
    code, out, err = call(
        "learn", "one.png", "two.png", "-o", "new.safetensors", "--content", "photos", *QUICK
    )
    assert (code, out, err) == (0, ["new.safetensors"], "")
    told = load_style(place / "new.safetensors").provenance
    assert (told.pictures, told.steps, told.sizes_px) == (2, 2, "70x64, 66x80")


def test_learn_practices_on_built_in_scenes(call, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int, int]] = []

    def scenes(count: int, size_px: int, seed: int) -> list[torch.Tensor]:
        asked.append((count, size_px, seed))
        return [random_picture(torch.Generator().manual_seed(seed), size_px, size_px)]

    monkeypatch.setattr("pstyle.cli.inputs.content_pictures", scenes)
    assert call("learn", "one.png", "-o", "new.safetensors", *QUICK, "--seed", "3")[0] == 0
    assert asked == [(12, 128, 3)]


def test_weights_belong_to_pictures_in_the_order_given(call, place: Path) -> None:
    common = ["--content", "photos", *QUICK[2:], "--steps", "0"]
    assert call("learn", "two.png", "one.png", "--weights", "1,0", "-o", "a.safetensors", *common)[0] == 0
    assert call("learn", "two.png", "-o", "b.safetensors", *common)[0] == 0
    assert call("learn", "one.png", "-o", "c.safetensors", *common)[0] == 0
    a, b, c = (load_style(place / f"{name}.safetensors").latent for name in "abc")
    assert torch.equal(a, b) and not torch.equal(a, c)


def test_the_loss_may_come_from_another_network(call, place: Path) -> None:
    """By name from the model folder or by path; layers that it does not reach come from the slim one."""
    common = ["learn", "one.png", "--content", "photos", *QUICK]
    for out, more in (
        ("shipped", []),
        ("slim", ["--vgg", "slim"]),
        ("name", ["--vgg", "shallow"]),
        ("path", ["--vgg", "models/pstyle/shallow.safetensors"]),
    ):
        assert call(*common, "-o", f"{out}.safetensors", *more)[0] == 0
    shipped, slim, name, path = (
        load_style(place / f"{out}.safetensors").weights["block0.weight"]
        for out in ("shipped", "slim", "name", "path")
    )
    assert torch.equal(name, path)
    assert not any(torch.equal(a, b) for a, b in ((name, slim), (name, shipped), (slim, shipped)))


def test_ctrl_c_keeps_the_style_so_far(call, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(self: object, progress: Progress) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pstyle.cli.console.Follower.__call__", stop)
    code, out, err = call("learn", "one.png", "-o", "new.safetensors", "--content", "photos", *QUICK)
    assert code == 130 and out == [] and err.count("\n") == 1 and "'new.safetensors'" in err
    assert load_style(place / "new.safetensors").provenance.steps == 1


def test_a_killed_learning_goes_on_from_its_state(call, place: Path) -> None:
    common = ["learn", "one.png", "--content", "photos", *QUICK, "--state", "state.safetensors"]
    assert call(*common, "-o", "a.safetensors")[0] == 0
    untouched = (place / "state.safetensors").read_bytes()
    assert call(*common, "-o", "b.safetensors")[0] == 0  # no step is left to do
    a, b = (load_style(place / f"{name}.safetensors") for name in "ab")
    assert all(torch.equal(a.weights[name], b.weights[name]) for name in a.weights)
    assert (place / "state.safetensors").read_bytes() == untouched
    code, _, err = call(*common, "--lr-latent", "0.5", "-o", "c.safetensors")
    assert code == 2 and "other settings" in err


def test_paint_writes_one_picture_for_each(call, place: Path) -> None:
    code, out, err = call("paint", "style.safetensors", "photos", "one.png", "-o", "same", "--strength", "0")
    assert code == 0 and err == ""
    assert sorted(out[:-1]) == ["same/one.png", "same/one_2.png", "same/two.png"]
    assert out[-1].startswith("painted 3 pictures in ")
    assert torch.equal(open_image("same/one.png"), open_image("one.png"))
    assert call("paint", "style.safetensors", "photos", "-o", "styled")[0] == 0
    assert (open_image("styled/two.png") - open_image("photos/two.jpg")).abs().mean() > 0.02


def test_paint_goes_around_what_a_mask_and_keep_color_spare(call, place: Path) -> None:
    save_image(place / "mask.png", (torch.arange(70) < 35).float().expand(1, 1, 64, 70))
    assert (
        call("paint", "style.safetensors", "one.png", "-o", "out", "--mask", "mask.png", "--keep-color")[0]
        == 0
    )
    change = (open_image("out/one.png") - open_image("one.png")).abs().mean((0, 1, 2))
    assert change[35:].max() == 0 and change[:35].min() > 0


def test_a_large_picture_is_painted_from_file_to_file_as_in_memory(call, place: Path, monkeypatch) -> None:
    pytest.importorskip("pyvips")
    save_image(place / "mask.png", torch.ones(1, 1, 4, 5))
    flags = ("--strength", "0.7", "--tile", "always", "--look-size-px", "16", "--mask", "mask.png")
    assert call("paint", "style.safetensors", "one.png", "-o", "memory", *flags)[0] == 0
    monkeypatch.setattr("pstyle.painting.streaming.LARGE_PIXELS", 1)
    assert call("paint", "style.safetensors", "one.png", "-o", "streamed", *flags)[0] == 0
    found, expected = open_image("streamed/one.png"), open_image("memory/one.png")
    assert (found - expected).abs().max() < 2 / 255
    assert [path.name for path in Path("streamed").iterdir()] == ["one.png"]


def test_paint_passes_over_a_damaged_picture(call, place: Path) -> None:
    code, out, err = call("paint", "style.safetensors", "damaged.png", "one.png", "two.png", "-o", "out")
    assert code == 2 and out == ["out/one.png", "out/two.png"]
    assert err.count("\n") == 1 and "'damaged.png'" in err and "1 of 3 pictures" in err


def test_finetune_writes_another_style(call, place: Path) -> None:
    before = (place / "style.safetensors").read_bytes()
    code, out, err = call(
        *(
            "finetune",
            "style.safetensors",
            "one.png",
            "two.png",
            "-o",
            "new.safetensors",
            "--content",
            "photos",
        ),
        *(*QUICK, "--warmup", "1", "--check-every", "2", "--few"),
    )
    assert code == 0 and err == "" and out[-1] == "new.safetensors" and len(out) == 3
    assert re.fullmatch(r"the discriminator tells \d\.\d\d of .* a logit gap of -?\d+\.\d\d", out[1])
    style, begun = load_style(place / "new.safetensors"), load_style(place / "style.safetensors")
    kept = "stays as it was" in out[0]
    assert kept == torch.equal(style.weights["block0.weight"], begun.weights["block0.weight"])
    assert (place / "style.safetensors").read_bytes() == before


def test_optimize_writes_one_picture(call, place: Path) -> None:
    quick = ["--steps", "2", "--size-px", "48", "--first-px", "48"]
    code, out, err = call("optimize", "one.png", "two.png", "photos", "-o", "best.png", *quick)
    assert (code, out, err) == (0, ["best.png"], "")
    assert open_image("best.png").shape == (1, 3, 48, 52)


def test_inspect_tells_what_a_style_holds(call) -> None:
    code, out, err = call("inspect", "style.safetensors")
    assert code == 0 and err == ""
    told = dict(line.split(": ", 1) for line in out)
    assert (told["pictures"], told["steps"], told["note"]) == ("3", "7", "random")
    assert len(told["generator"]) == 64 and "license" in told


def test_score_prints_each_score(call) -> None:
    code, out, err = call("score", "one.png", "one.png", "two.png")
    assert code == 0 and err == ""
    told = dict(line.split(": ", 1) for line in out)
    scores = {"style", "patch_swd", "color", "content", "ssim", "edge_f1", "copied"}
    assert told.keys() == scores | {"lpips", "judge"}
    assert float(told["ssim"]) == 1 and float(told["content"]) == 0 and float(told["style"]) > 0
    assert told["copied"] == "0.0000" and told["judge"] == "loss (shipped)"
    assert told["lpips"].startswith("absent (")


def test_score_places_a_picture_on_a_scale(call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pstyle.cli.score.SCORE_PX", 48)
    code, out, err = call("score", "one.png", "one.png", "two.png", "--scale", "--scale-steps", "2")
    assert code == 0 and err == ""
    told = dict(line.split(": ", 1) for line in out)
    assert told["style_percent"] == told["patch_swd_percent"] == "0 %"
    assert told["scale"].startswith("0 % is the content picture itself, 100 %")
    code, out, _ = call("score", "two.png", "one.png", "two.png", "--scale", "--scale-steps", "2")
    assert code == 0 and "copied: 1.0000" in out
    assert float(next(line for line in out if "style_percent" in line).split()[1]) > 100


def test_score_is_judged_by_imagenets_network_where_it_is(
    call, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pstyle.cli.score.SCORE_PX", 48)
    command = ("score", "one.png", "two.png", "photos/one.jpg")
    before = call(*command)[1]
    save_vgg(place / "models" / "pstyle" / "vgg19_imagenet.safetensors", tiny_vgg(0.125, seed=5), "random")
    after = call(*command)[1]
    assert after[-1] == "judge: vgg19_imagenet" and after[0] != before[0] and after[1] == before[1]
    assert call(*command, "--vgg", "loss")[1] == before
    assert call(*command, "--vgg", "models/pstyle/vgg19_imagenet.safetensors")[1] == after


def test_report_writes_a_page(call, place: Path) -> None:
    assert call("learn", "one.png", "-o", "new.safetensors", "--history", "new.json", *PHOTOS, *QUICK)[0] == 0
    assert [record["step"] for record in json.loads((place / "new.json").read_text())] == [1, 2]
    given = ["--pictures", "one.png", "--photos", "two.png", "photos", "--history", "new.json"]
    code, out, err = call("report", "new.safetensors", *given)
    assert (code, out, err) == (0, ["new.html"], "")
    page = (place / "new.html").read_text()
    assert all(f"<h2>{title}</h2>" in page for title in ("Learned from", "Scores", "Curves", "Settings"))
    assert page.count("<img") == 1 + 1 + 2 * 3 + 6 + 1 + 1  # with map and curves
    code, out, err = call("report", "new.safetensors")
    assert code == 2 and "exists already" in err
    code, out, err = call("report", "style.safetensors", "--photos", "one.png", "-o", "out/a.html")
    assert (code, out) == (0, ["out/a.html"]) and "<h2>Curves</h2>" not in (place / "out/a.html").read_text()


def test_a_stopped_learning_keeps_its_history(call, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(self: object, progress: Progress) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pstyle.cli.console.Follower.__call__", stop)
    command = ("learn", "one.png", "-o", "new.safetensors", "--history", "new.json", *PHOTOS, *QUICK)
    assert call(*command)[0] == 130
    assert [record["step"] for record in json.loads((place / "new.json").read_text())] == [1]


def test_run_runs_a_workflow(call, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pstyle.cli.run.PACK_ROOT", make_pack(place / "pack"))
    nodes = {
        "1": ("Color", {"width": 8, "seed": 7, "tint": "gray"}),
        "2": ("SaveImage", {"images": ("1", 0), "filename_prefix": "made"}),
    }
    (place / "flow.json").write_text(json.dumps(api(nodes)))
    code, out, err = call("run", "flow.json", "--output", "saved", "--set", "1.width=12")
    assert code == 0 and err == "" and out == [str(place / "saved" / "made_00001_.png")]
    assert open_image(out[0]).shape[3] == 12


def test_get_vgg_fetches_into_the_model_folder(call, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple] = []

    def fetch(folder: Path, url: str | None, on_progress: object, overwrite: bool) -> Path:
        asked.append((folder, url, overwrite))
        return Path(folder) / "vgg19_imagenet.safetensors"

    monkeypatch.setattr("pstyle.cli.get_vgg.fetch_vgg", fetch)
    code, out, _ = call("get-vgg", "--url", "http://127.0.0.1:9/vgg19-dcbb9e9d.pth", "--overwrite")
    assert code == 0 and "vgg19_imagenet.safetensors" in out[0] and "--vgg vgg19_imagenet" in out[1]
    assert asked == [(place / "models" / "pstyle", "http://127.0.0.1:9/vgg19-dcbb9e9d.pth", True)]


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
        *("--paintings", "painting", "--out", "made", "--state", "state", "--procedural", "0"),
    )
    told = [line.split("  ")[-1] for line in err.splitlines()]
    assert code == 0 and told == ["slim VGG", "loss VGG", "generator", "in all, as measured on a few steps"]
    names = ("vgg_slim.safetensors", "vgg_loss.safetensors", "generator.safetensors", "numbers.json")
    assert out == [f"made/{name}" for name in names]
    assert load_vgg(Path(out[0])).width == load_generator(Path(out[2])).config.vgg_width == 0.0625
    assert load_vgg(Path(out[1])).inner == 0.5
    assert json.loads(Path(out[3]).read_text())["photos"] == 1


# --- bad input

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
    (("learn", "one.png", "-o", "nowhere/new.safetensors"), "no folder"),
    ((*PAINT, "--strength", "1.6"), "strength must be a number from 0.0 to 1.5"),
    ((*PAINT, "--strength", "nan"), "strength must be a number from 0.0 to 1.5"),
    ((*PAINT, "--mask", "nowhere.png"), "'nowhere.png'"),
    (("paint", "nowhere", "one.png", "-o", "out"), "'nowhere'"),
    (("paint", "broken.safetensors", "one.png", "-o", "out"), "'broken.safetensors'"),
    (("paint", "models/pstyle/shallow.safetensors", "one.png", "-o", "out"), "pstyle.style file is needed"),
    (("paint", "style.safetensors", "one.png", "-o", "text.txt"), "'text.txt' is no folder"),
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
    ((*LEARN, "--history", "nowhere/new.json"), "no folder"),
    (("report", "one.png"), "'one.png'"),
    (("report", "broken.safetensors"), "'broken.safetensors'"),
    (("report", "style.safetensors", "-o", "new.pdf"), "must end with .html"),
    (("report", "style.safetensors", "--history", "text.txt"), "'text.txt' is no history"),
    (("report", "style.safetensors", "--photos", "damaged.png"), "'damaged.png' cannot be opened"),
    (("report", "style.safetensors", "--pictures", "nowhere"), "'nowhere'"),
    (("run", "nowhere.json"), "nowhere.json"),
    (("run", "text.txt"), "not valid JSON"),
    (("run", "text.txt", "--set", "width"), "NODE.INPUT=VALUE"),
    (("get-vgg", "--url", "ftp://somewhere/vgg19.pth"), "must be like https"),
    (("get-vgg", "--url", "http://127.0.0.1:9/vgg19-dcbb9e9d.pth"), "could not be fetched"),
    ((*TRAIN, "--teacher", "nowhere"), "'nowhere'"),
    ((*TRAIN, "--teacher", "models/pstyle/shallow.safetensors"), "no teacher reaches relu3_1"),
    (("demo", "-o", "text.txt"), "'text.txt' is no folder"),
    (("demo", "-o", "out", "--artist", "nobody"), "nobody"),
]


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


def test_a_workflow_with_several_faults_is_still_one_line(
    call, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pstyle.cli.run.PACK_ROOT", make_pack(place / "pack"))
    (place / "flow.json").write_text(json.dumps(api({"1": ("Nothing", {}), "2": ("Less", {})})))
    code, _, err = call("run", "flow.json")
    assert code == 2 and err.count("\n") == 1 and "'1'" in err and "'2'" in err


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
@pytest.mark.parametrize("argv", [LEARN, FINETUNE, (*TRAIN, "--teacher", "a"), ("run", "flow.json")])
def test_a_missing_device_is_told(argv: tuple[str, ...], call, place: Path) -> None:
    before = files_in(place)
    code, _, err = call(*argv, "--device", "cuda")
    assert code == 2 and "no CUDA device" in err and files_in(place) == before


def test_a_name_cannot_write_to_the_terminal(call, place: Path) -> None:
    code, _, err = call("inspect", "a\x1b[31m\nb")
    assert code == 2 and "\x1b" not in err and err.count("\n") == 1


def test_overwrite_replaces(call, place: Path) -> None:
    before = (place / "style.safetensors").read_bytes()
    assert (
        call(*("learn", "one.png", "-o", "style.safetensors", "--content", "photos"), *QUICK, "--overwrite")[
            0
        ]
        == 0
    )
    assert (place / "style.safetensors").read_bytes() != before


def test_a_fault_of_ours_is_not_called_bad_input(call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(arguments: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("pstyle.cli.inspect.inspect", fail)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        call("inspect", "style.safetensors")


# --- flags and help


@pytest.mark.parametrize("command", CONFIGS)
def test_flags_are_the_settings(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without flags the settings are the dataclass's own; each has a flag, whose help tells its range."""
    monkeypatch.setenv("COLUMNS", "1000")  # so that no line of the help is broken
    config_class, needed = CONFIGS[command]
    name = command.replace("-", "_")
    parser = Parser(prog="x")
    getattr(import_module(f"pstyle.cli.{name}"), f"{name}_flags")(parser)
    assert settings_from(parser.parse_args(needed), config_class) == config_class()
    shown = " ".join(parser.format_help().split())
    for name, declared in describe(config_class).items():
        flag = f"--{name.replace('_', '-')}"
        assert flag in shown
        if isinstance(declared["default"], bool):
            assert f"{declared['help']} (default {'on' if declared['default'] else 'off'})" in shown
            for argument, other in ((flag, True), (f"--no-{flag[2:]}", False)):
                found = settings_from(parser.parse_args([*needed, argument]), config_class)
                assert getattr(found, name) is other
            continue
        if declared["options"]:
            other = declared["options"][-1]
        else:
            other = declared["maximum"] if name not in ("crop_px", "steps") else declared["minimum"]
            assert f"({declared['minimum']} to {declared['maximum']}; default {declared['default']})" in shown
        found = getattr(settings_from(parser.parse_args([*needed, flag, str(other)]), config_class), name)
        assert found == other and type(found) is type(declared["default"])


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_help(command: str, call) -> None:
    code, out, err = call(command, "--help")
    assert code == 0 and err == "" and out[0].startswith(f"usage: pstyle {command}")


def test_help_and_version_come_without_torch() -> None:
    code = (
        "import sys; from pstyle.cli import main; codes = main(['--help']), main(['--version']); "
        "sys.exit(any(codes) or 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert all(f"\n  {name} " in done.stdout for name in cli.COMMANDS)


def test_python_dash_m_ends_with_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    for argv, code in ((["--version"], 0), (["bogus"], 2)):
        monkeypatch.setattr(sys, "argv", ["pstyle", *argv])
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("pstyle", run_name="__main__")
        assert ended.value.code == code
