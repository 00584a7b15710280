"""Protects a killed training: what is resumed goes on with the same bits, and nothing else is accepted."""

from __future__ import annotations

import pytest
import torch

from pstyle.core.checkpoint import BadFile, load
from pstyle.core.process_group import ProcessGroup
from pstyle.training.training_state import TrainingState


def new_state(settings: str = "a") -> TrainingState:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    return TrainingState({"net": net}, {"adam": optimizer}, torch.Generator().manual_seed(5), settings)


def train(state: TrainingState, steps: int) -> None:
    net, optimizer = state.modules["net"], state.optimizers["adam"]
    for _ in range(steps):
        x = torch.randn(16, 4, generator=state.rng)
        optimizer.zero_grad()
        (net(x) - x.sum(1, keepdim=True)).square().mean().backward()
        optimizer.step()
        state.step += 1


def same(one: TrainingState, other: TrainingState) -> bool:
    a, b = one.tensors(), other.tensors()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_ten_and_ten_steps_are_twenty_to_the_bit(tmp_path):
    whole, first, second = new_state(), new_state(), new_state()
    train(whole, 20)
    train(first, 10)
    first.save(tmp_path / "state.safetensors")
    assert second.resume(tmp_path / "state.safetensors")
    train(second, 10)
    assert second.step == 20
    assert same(whole, second)


@pytest.mark.parametrize("left_out", ["adam", "rng", "step"])
def test_every_part_of_the_state_matters(tmp_path, left_out):
    whole, first, second = new_state(), new_state(), new_state()
    train(whole, 20)
    train(first, 10)
    first.save(tmp_path / "state.safetensors")
    second.resume(tmp_path / "state.safetensors")
    if left_out == "adam":
        second.optimizers["adam"].state.clear()
    elif left_out == "rng":
        second.rng.manual_seed(5)
    else:
        second.step = 0
    train(second, 10)
    assert not same(whole, second)


def test_no_file_means_a_fresh_start(tmp_path):
    assert not new_state().resume(tmp_path / "none.safetensors")


def test_other_settings_are_refused(tmp_path):
    new_state("a").save(tmp_path / "state.safetensors")
    with pytest.raises(BadFile, match="other settings"):
        new_state("b").resume(tmp_path / "state.safetensors")


def test_a_damaged_file_is_refused_and_changes_nothing(tmp_path):
    path, state = tmp_path / "state.safetensors", new_state()
    train(state, 3)
    state.save(path)
    data = bytearray(path.read_bytes())
    data[-5] ^= 4
    path.write_bytes(data)
    fresh = new_state()
    before = fresh.tensors()
    with pytest.raises(BadFile):
        fresh.resume(path)
    assert all(torch.equal(value, before[name]) for name, value in fresh.tensors().items())


def test_numbers_come_back(tmp_path):
    state = new_state()
    state.numbers["success"] = 0.8125
    state.save(tmp_path / "state.safetensors")
    found = new_state()
    found.resume(tmp_path / "state.safetensors")
    assert found.numbers == {"success": 0.8125}


def test_a_state_of_other_processes_is_refused_and_changes_nothing(tmp_path):
    path, state = tmp_path / "state.safetensors", new_state()
    train(state, 3)
    state.save(path)
    fresh = new_state()
    fresh.processes = ProcessGroup(1, 2)
    before = fresh.tensors()
    with pytest.raises(BadFile, match="from a run with world size 1, but this run has 2"):
        fresh.resume(path)
    assert all(torch.equal(value, before[name]) for name, value in fresh.tensors().items())


def test_another_process_writes_nothing_and_finds_its_own_random_state(tmp_path):
    class Pair(ProcessGroup):
        def gather(self, value):
            return [value, value.roll(1)] if value.numel() > 1 else [value]

    path, first, second = tmp_path / "state.safetensors", new_state(), new_state()
    first.processes, second.processes = Pair(0, 2), Pair(1, 2)
    second.save(path)
    assert not path.exists()
    first.rng.manual_seed(77)
    first.save(path)
    found, _ = load(path, lambda _: None)
    assert torch.equal(found["rng.1"], first.rng.get_state().roll(1)) and first.resume(path)
    assert torch.equal(first.rng.get_state(), found["rng"])
