"""Protects training in several processes: it is the training of one with all their crops, decided alike, and
a killed process loses nothing.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from pstyle.core.checkpoint import load
from pstyle.core.process_group import ALONE, ProcessGroup, process_group_from_environment
from pstyle.finetuning.finetune_config import FinetuneConfig
from pstyle.image.writing import save_image
from pstyle.nets.generator import load_generator
from pstyle.style.provenance import Provenance
from pstyle.style.style import load_style, save_style
from pstyle.style.styled_generator import StyledGenerator
from tests.conftest import ROOT, random_picture

QUICK = ["second_killed", "first_killed", "two", "one"]


def run_groups(folder: Path, *groups: str) -> dict[str, list[int | None]]:
    """How the processes of each group ended; see several_processes.py."""
    command = [sys.executable, "-m", "tests.core.several_processes", str(folder), *groups]
    threads = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(command, cwd=ROOT, env=threads, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]) | {"stderr": done.stderr}


class Found:
    """What processes left: tensors and notes by case, number of processes and rank."""

    def __init__(self, folder: Path, codes: Mapping[str, list[int | None]]) -> None:
        self.folder, self.codes = folder, codes

    def tensors(self, case: str, size: int = 2, rank: int = 0) -> dict[str, Tensor]:
        return load_file(self.folder / f"{case}.{size}.{rank}.st")

    def notes(self, case: str, size: int = 2, rank: int = 0) -> dict:
        return json.loads((self.folder / f"{case}.{size}.{rank}.json").read_text())

    def both(self, case: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        return self.tensors(case), self.tensors(case, rank=1)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    folder = tmp_path_factory.mktemp("processes")
    return Found(folder, run_groups(folder, *QUICK))


def farthest(one: Mapping[str, Tensor], other: Mapping[str, Tensor], part: str = "") -> float:
    assert one.keys() == other.keys() and any(name.startswith(part) for name in one)
    return max((one[name] - other[name]).abs().max().item() for name in one if name.startswith(part))


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


# --- two processes


def test_processes_end_as_they_should(found: Found) -> None:
    codes = {name: found.codes[name] for name in QUICK}
    kill = -9
    assert codes == {
        "second_killed": [1, kill],  # the other one ends at once, with an error
        "first_killed": [kill, 1],
        "two": [0, 0],
        "one": [0],
    }, found.codes["stderr"]


@pytest.mark.parametrize("player", ["painter", "discriminator"])
def test_two_batches_of_two_have_the_gradient_of_one_of_four(found: Found, player: str) -> None:
    alone = found.tensors("gradients_together", size=1)
    together, second = found.both("gradients_together")
    assert max(value.abs().max() for name, value in alone.items() if name.startswith(player)) > 0.1
    assert farthest(together, alone, player) < 1e-6
    assert same(together, second)


def test_losses_and_adversarial_weight_are_those_of_all_crops(found: Found) -> None:
    alone = found.notes("gradients_together", size=1)["history"]
    del alone["patches"]  # of each process's own crops; they have no weight here
    for rank in (0, 1):
        history = found.notes("gradients_together", rank=rank)["history"]
        del history["patches"]
        assert history == pytest.approx(alone, rel=1e-6) and history["adversarial_weight"] > 0


def test_statistics_of_each_process_alone_would_give_another_gradient(found: Found) -> None:
    alone = found.tensors("gradients_together", size=1)
    assert farthest(found.tensors("gradients_apart"), alone, "painter") > 1e-3
    assert same(found.tensors("gradients_apart", size=1), alone)


def test_a_step_that_is_not_finite_in_one_process_is_skipped_in_both(found: Found) -> None:
    one, other = (found.notes("faults", rank=rank) for rank in (0, 1))
    assert one == other
    assert one["skipped"] == {"painter": 2, "discriminator": 1}
    assert one["history"].count("nan") and one["checks"].count("patch_swd") == 2


def test_after_several_steps_both_have_the_same_bits_from_other_crops(found: Found) -> None:
    one, other = found.both("faults")
    drawn = one.pop("drawn"), other.pop("drawn")
    assert not torch.equal(*drawn)
    assert same(one, other) and all(torch.isfinite(value.double()).all() for value in one.values())


def test_decisions_are_taken_alike(found: Found) -> None:
    one, other = (found.notes("decisions", rank=rank) for rank in (0, 1))
    assert one == other
    assert one["moved"] == [True] * 4 + [False] * 3  # alone, one would wait from step 2 on, the other never
    assert one["ending"] == "stopped: the discriminator memorized its pictures" and one["ended"] == 2
    assert one["lost"].endswith("10 steps in a row had no finite gradient; not finite: content")
    assert one["gave_up"] == 9


@pytest.mark.parametrize(("killed", "step"), [("second_killed", 2), ("first_killed", 2)])
def test_a_killed_run_goes_on_to_the_same_bits(found: Found, killed: str, step: int) -> None:
    for rank, (resumed, whole) in enumerate(zip(found.both(killed), found.both("whole"), strict=True)):
        assert found.notes(killed, rank=rank)["steps"] == list(range(step + 1, 5))
        assert same(resumed, whole)
    one, other = found.both("whole")
    assert not torch.equal(one.pop("rng"), other.pop("rng")) and same(one, other)


def test_the_state_of_two_processes_is_one_whole_file(found: Found) -> None:
    tensors, _ = load(found.folder / "second_killed.safetensors", lambda _: None, kind="pstyle.training")
    ends = [found.tensors("whole", rank=rank)["rng"] for rank in (0, 1)]
    assert torch.equal(tensors["rng"], ends[0]) and torch.equal(tensors["rng.1"], ends[1])


def test_a_state_that_processes_cannot_share_is_refused(found: Found) -> None:
    for rank in (0, 1):
        assert "is not the same for all processes" in found.notes("refused", rank=rank)["said"]
    assert "from a run with world size 2, but this run has 1" in found.notes("refused", size=1)["said"]


def test_a_step_of_base_training_is_that_of_all_styles(found: Found) -> None:
    alone, (one, other) = found.tensors("base_gradients", size=1), found.both("base_gradients")
    largest = max(value.abs().max().item() for value in alone.values())
    assert farthest(one, alone) < 5e-6 * largest  # in float32
    assert same(one, other)


def test_base_training_has_the_same_bits_in_both_and_after_a_kill(found: Found) -> None:
    one, other = found.both("base_whole")
    assert same(one, other) and same(found.tensors("base_resumed"), one)
    records = [found.notes("base_whole", rank=rank)["records"] for rank in (0, 1)]
    assert records[0] == records[1]
    assert ["patches" in record for record in ast.literal_eval(records[0])] == [True, True, False, True]


def test_gradients_are_averaged_as_by_pytorch(found: Found) -> None:
    alone = found.tensors("arithmetic", size=1)
    for found_by_one in found.both("arithmetic"):
        for index in range(4):
            assert torch.equal(found_by_one[f"own.{index}"], found_by_one[f"theirs.{index}"])
            torch.testing.assert_close(found_by_one[f"own.{index}"], alone[f"own.{index}"])


def test_means_have_the_gradient_and_the_norm_of_the_whole(found: Found) -> None:
    alone, both = found.tensors("arithmetic", size=1), found.both("arithmetic")
    rows = torch.stack([part["rows"] for part in both], 1).flatten(0, 1)
    torch.testing.assert_close(rows, alone["rows"])
    for part in both:
        torch.testing.assert_close(part["norm"], alone["norm"])


def test_numbers_are_averaged_or_the_firsts(found: Found) -> None:
    error = found.notes("arithmetic", size=1)["mean_of"]["error"]
    for rank in (0, 1):
        notes = found.notes("arithmetic", rank=rank)
        assert notes["mean_of"] == pytest.approx({"error": error, "rank": 0.5})
        assert notes["agreed"] == {"rank": 0.0}


# --- one process


def test_alone_nothing_changes() -> None:
    values = torch.rand(3), torch.rand(2, 2)
    assert all(a is b for a, b in zip(ALONE.mean(*values), values, strict=True))
    assert ALONE.mean_of({"a": 1.5}) == ALONE.broadcast({"a": 1.5}) == {"a": 1.5}
    assert torch.equal(ALONE.norm(values[0]), values[0].norm())
    rng = torch.Generator().manual_seed(3)
    before = rng.get_state()
    ALONE.offset_seed(rng, 3)
    ALONE.wait()
    assert torch.equal(rng.get_state(), before) and ALONE.first


def test_each_process_draws_its_own_for_each_seed() -> None:
    drawn = set()
    for seed in (0, 1, 2**31 - 1):
        for rank in range(8):
            rng = torch.Generator().manual_seed(seed)
            ProcessGroup(rank, 8).offset_seed(rng, seed)
            drawn.add(torch.rand((), generator=rng).item())
    assert len(drawn) == 3 * 8


def test_without_torchrun_a_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    with process_group_from_environment(torch.device("meta")) as processes:
        assert processes == ProcessGroup(0, 1, torch.device("meta"))


@pytest.mark.parametrize(
    ("variables", "device", "fragment"),
    [
        ({"WORLD_SIZE": "two"}, "cpu", "WORLD_SIZE must be a whole number, got 'two'"),
        ({"WORLD_SIZE": "2", "RANK": "2"}, "cpu", "RANK must be from 0 to WORLD_SIZE - 1 .1., got 2"),
        ({"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1"}, "cuda", "process 2 .* finds 1 CUDA devices"),
    ],
)
def test_an_environment_without_sense_is_told(
    variables: dict[str, str], device: str, fragment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=fragment), process_group_from_environment(torch.device(device)):
        pass


# --- what takes longer


@pytest.mark.slow
def test_weights_are_made_by_two_processes_and_written_by_one(tmp_path: Path) -> None:
    codes = run_groups(tmp_path, "weights")
    assert codes["weights"] == [0, 0], codes["stderr"]
    results = ["vgg_slim.safetensors", "vgg_loss.safetensors", "generator.safetensors", "numbers.json"]
    one, other = (json.loads((tmp_path / f"weights.2.{rank}.json").read_text()) for rank in (0, 1))
    assert (one["made"], other["made"]) == (results, [])
    assert one["there"] == other["there"] == results
    assert one["records"] == other["records"]


@pytest.mark.slow
def test_torchrun_writes_one_style_and_tells_its_verdict_once(tmp_path: Path) -> None:
    rng = torch.Generator().manual_seed(0)
    for name in ("one", "two", "photo"):
        save_image(tmp_path / f"{name}.png", random_picture(rng, 140, 150))
    generator = load_generator()
    styled = StyledGenerator(generator, torch.randn(4, generator.config.latent, generator=rng))
    save_style(tmp_path / "style.safetensors", styled.style(Provenance()))
    settings = {"steps": 2, "warmup": 1, "size_px": 128, "crop_px": 64, "batch": 1, "check_every": 2}
    assert replace(FinetuneConfig(), **settings).steps == 2
    flags = [part for name, value in settings.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += ["-m", "pstyle", "finetune", "style.safetensors", "one.png", "two.png"]
    command += ["-o", "new.safetensors", "--content", "photo.png", "--device", "cpu"]
    command += ["--state", "state.safetensors", *flags]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    before = {path.name for path in tmp_path.iterdir()}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and lines[-1] == "new.safetensors"
    assert re.match(
        r"no equilibrium in 2 steps; (fine-tuned style of step 2|the style is unchanged)", lines[0]
    )
    assert {path.name for path in tmp_path.iterdir()} - before == {"new.safetensors", "state.safetensors"}
    assert load_style(tmp_path / "new.safetensors").generator_id == styled.base_id
