"""Protects the demo: it tells the whole story in one folder, on real photographs, and harms nothing in it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pstyle import cli
from pstyle.cli import demo_story
from pstyle.cli.demo_story import DemoConfig, file_names, photographs, run_demo
from pstyle.finetuning.finetune_config import FinetuneConfig
from pstyle.image.reading import open_image
from pstyle.image.writing import save_image
from pstyle.samples import ARTISTS
from pstyle.style.style import load_style
from pstyle.training.learning import LearnConfig
from tests.tiny_networks import ship, write_networks


@pytest.fixture(autouse=True)
def quick(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny networks, small pictures and few steps."""
    folder = tmp_path_factory.mktemp("weights")
    write_networks(folder)
    ship(folder, monkeypatch)
    common = {"size_px": 128, "crop_px": 64, "batch": 1}
    learning = LearnConfig(steps=3, **common)
    finetuning = FinetuneConfig(steps=2, warmup=1, check_every=1, **common)
    monkeypatch.setattr(demo_story, "SIZE_PX", 128)
    monkeypatch.setattr(demo_story, "SCENES", 1)
    monkeypatch.setattr(DemoConfig, "learning", lambda self: learning)
    monkeypatch.setattr(DemoConfig, "finetuning", lambda self: finetuning)


def test_the_demo_tells_the_whole_story(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    target = tmp_path / "made" / "here"
    assert cli.main(["demo", "-o", str(target), "--device", "cpu"]) == 0
    out, err = capsys.readouterr()
    verdict, *paths = out.splitlines()
    assert err == "" and "patch distance" in verdict
    assert paths == [str(target / name) for name in file_names()]
    assert sorted(path.name for path in target.iterdir()) == sorted(file_names())
    assert load_style(target / "style.safetensors").provenance.pictures == 3
    assert open_image(target / "painted_astronaut.png").shape == (1, 3, 512, 512)
    assert open_image(target / "before_after.png").shape[2] > 3 * 384  # three rows of pictures
    for name in ("losses.png", "discriminator.png"):
        assert open_image(target / name).std() > 0.01  # something is drawn


def test_nothing_is_overwritten_unless_asked(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    save_image(tmp_path / "losses.png", torch.zeros(1, 3, 8, 8))
    before = (tmp_path / "losses.png").read_bytes()
    assert cli.main(["demo", "-o", str(tmp_path)]) == 2
    assert "losses.png' exists already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["losses.png"]
    assert (tmp_path / "losses.png").read_bytes() == before
    told = run_demo(tmp_path, device="cpu", overwrite=True)
    assert (tmp_path / "losses.png").read_bytes() != before and len(told.files) == len(file_names())


def test_without_scikit_image_it_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_story, "find_spec", lambda name: None)
    assert cli.main(["demo", "-o", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "pip install scikit-image" in err
    assert list(tmp_path.iterdir()) == []


def test_the_photographs_are_real_and_those_painted_are_not_those_learned_from() -> None:
    assert not set(demo_story.PAINTED_BY_THE_ARTIST) & set(demo_story.UNSEEN)
    found = photographs(demo_story.PAINTED_BY_THE_ARTIST + demo_story.UNSEEN)
    assert list(found) == ["coffee", "rocket", "motorcycle_left", "astronaut", "chelsea"]
    assert all(image.shape[1] == 3 and image.unique().numel() > 100 for image in found.values())


@pytest.mark.parametrize("steps", [4, 20, LearnConfig.steps, 10_000])
def test_any_number_of_steps_makes_usable_settings(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    config = DemoConfig(steps=steps)
    finetuning = config.finetuning()
    assert config.learning().steps == steps and config.artist in ARTISTS
    assert finetuning.warmup < finetuning.steps and finetuning.check_every <= finetuning.steps
