"""Protects the learning of a style: it gets nearer, repeats itself, resumes to the bit, and survives being
stopped.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pstyle.core import checkpoint
from pstyle.core.checkpoint import BadFile
from pstyle.core.config import describe
from pstyle.losses.perceptual import Perceptual
from pstyle.samples import content_pictures, paint_as
from pstyle.style.provenance import Provenance
from pstyle.style.style import load_style, save_style
from pstyle.training.guarded_optimizer import NotFinite
from pstyle.training.learning import LearnConfig, Learning, learn
from tests.conftest import random_picture

QUICK = LearnConfig(steps=6, size_px=128, crop_px=64, batch=2)


class Stopped(Exception):  # noqa: N818
    pass


@pytest.fixture(scope="module")
def contents():
    return content_pictures(2, 128, seed=3)


@pytest.fixture(scope="module")
def style(contents):
    return paint_as("hatching", contents[0].clamp(0, 1), seed=1)


@pytest.fixture
def start(tiny_generator, tiny_vgg, contents, style):
    def make(config=QUICK, pictures=None, weights=None):
        pictures = [style] if pictures is None else pictures
        return Learning(pictures, contents, tiny_generator, tiny_vgg, Perceptual([tiny_vgg]), config, weights)

    return make


def numbers(style) -> torch.Tensor:
    parts = [style.latent, *style.offsets.values(), *style.weights.values()]
    return torch.cat([part.float().flatten() for part in parts])


def test_the_style_loss_falls(start):
    learning = start(dataclasses.replace(QUICK, steps=40))
    learning.run()
    losses = [record["style"] for record in learning.history]
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


@pytest.mark.parametrize("term", ["structure", "patch", "light"])
def test_a_term_ends_lower_where_its_weight_is_high(start, term):
    ends = []
    for weight in (0.0, 100.0):
        config = dataclasses.replace(QUICK, steps=30, style_weight=1.0, **{f"{term}_weight": weight})
        learning = start(config)
        learning.run()
        name = {"patch": "patches"}.get(term, term)
        ends.append(sum(record[name] for record in learning.history[-5:]))
    assert ends[1] < 0.9 * ends[0]


def test_the_same_seed_gives_the_same_style_and_another_does_not(start):
    found = []
    for seed in (0, 0, 1):
        learning = start(dataclasses.replace(QUICK, seed=seed))
        learning.run()
        found.append(numbers(learning.result().style))
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def bits(learning) -> str:
    """The digest of all that a run has come to: weights, moments of Adam, random state, step."""
    return checkpoint.digest(learning.state.tensors())


@pytest.fixture
def ended(start) -> str:
    """The bits of a run that nothing came between."""
    whole = start()
    whole.run()
    return bits(whole)


def test_stopped_at_any_step_it_keeps_a_style_and_resumes_to_the_bit(start, tmp_path, ended):
    for at in range(1, QUICK.steps + 1):
        stopped, resumed, state = start(), start(), tmp_path / f"{at}.safetensors"

        def stop(progress, at=at):
            if progress.step == at:
                raise Stopped

        with pytest.raises(Stopped):
            stopped.run(stop, state, save_every=1)
        assert stopped.state.step == at and torch.isfinite(numbers(stopped.styled.style(Provenance()))).all()
        resumed.run(state_path=state)
        assert bits(resumed) == ended
    kept = stopped.result().style
    assert kept.provenance.steps == at and torch.isfinite(numbers(kept)).all()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_10_random_moments_it_goes_on_to_the_same_bits(tmp_path):
    script = Path(__file__).with_name("kill_learning.py")
    command = [sys.executable, str(script), str(tmp_path), "10"]
    environment = {**os.environ, "PYTHONPATH": str(script.parents[2]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=True)
    found = json.loads(done.stdout)
    print(*(f"{name}={count}" for name, count in found.items()))  # noqa: T201
    assert found["equal"] == 10 and found["interrupted"] > 0


FULL = OSError(28, "No space left on device")
FAULTS = [  # where memory may run out, or the disk be full, in a step
    ("pstyle.losses.perceptual.Perceptual.terms", torch.cuda.OutOfMemoryError("CUDA out of memory"), 2),
    ("torch.Tensor.backward", RuntimeError("can't allocate memory: you tried to allocate 9 bytes"), 2),
    ("torch.optim.Adam.step", MemoryError(), 2),
    ("pstyle.core.checkpoint.write_atomically", FULL, 3),
]


def failing_at(monkeypatch, name, error, which) -> None:
    """Let calls of a function fail whose numbers, from 1, are these."""
    usual, calls = pkgutil.resolve_name(name), itertools.count(1)

    def call(*args, **more):
        if next(calls) in which:
            raise error
        return usual(*args, **more)

    monkeypatch.setattr(name, call)


def test_a_run_that_fails_keeps_its_style_and_goes_on_to_the_same_bits(start, tmp_path, monkeypatch, ended):
    for name, error, steps in FAULTS:
        failing, resumed, state = start(), start(), tmp_path / f"{name}.safetensors"
        with monkeypatch.context() as patch:
            failing_at(patch, name, error, [3])
            with pytest.raises(type(error)):
                failing.run(state_path=state, save_every=1)
        kept = failing.styled.style(Provenance())
        assert failing.state.step == steps and torch.isfinite(numbers(kept)).all()
        resumed.run(state_path=state)  # another process goes on from the file
        assert bits(resumed) == ended
    print(f"faults={len(FAULTS)} equal={len(FAULTS)}")  # noqa: T201
    assert len(os.listdir(tmp_path)) == len(FAULTS)  # and no temporary file


def test_after_three_failing_saves_the_same_run_still_ends_well(start, tmp_path, monkeypatch, ended):
    failing, again, state = start(), start(), tmp_path / "state.safetensors"
    failing_at(monkeypatch, "pstyle.core.checkpoint.write_atomically", FULL, [1, 2, 3])
    for _ in range(3):
        with pytest.raises(OSError, match="No space left"):
            failing.run(state_path=state, save_every=1)
    failing.run(state_path=state, save_every=1)
    again.run(state_path=state)
    assert bits(failing) == bits(again) == ended


def test_the_highest_rates_end_in_a_style_that_can_be_saved_or_a_reason(start, tmp_path):
    rates = {"lr_latent": 1.0, "lr_offset": 1.0, "lr_weight": 1.0}  # up to 1000 times the usual ones
    learning = start(dataclasses.replace(QUICK, steps=10, **rates))
    with contextlib.suppress(NotFinite):
        learning.run()
    style = learning.result().style
    save_style(tmp_path / "s.safetensors", style)
    assert torch.isfinite(numbers(load_style(tmp_path / "s.safetensors"))).all()


@pytest.mark.parametrize("field", [name for name in describe(LearnConfig)])
def test_a_state_of_any_other_setting_is_refused(start, tmp_path, field):
    state = tmp_path / "state.safetensors"
    first = start(dataclasses.replace(QUICK, steps=0))
    first.state.save(state)
    before = state.read_bytes()
    value, most = getattr(first.config, field), describe(LearnConfig)[field]["maximum"]
    other = {"crop_px": 80, "size_px": 136}.get(field, value + 1 if value + 1 <= most else value / 2)
    with pytest.raises(BadFile, match="other settings or pictures"):
        start(dataclasses.replace(first.config, **{field: other})).run(state_path=state)
    assert state.read_bytes() == before


def test_a_state_of_other_pictures_is_refused(start, tmp_path, contents):
    first = start()
    first.run(state_path=tmp_path / "state.safetensors")
    with pytest.raises(BadFile, match="other settings or pictures"):
        start(pictures=[contents[1]]).run(state_path=tmp_path / "state.safetensors")


def test_no_steps_only_encode(start, tiny_generator, tiny_vgg, style):
    learning = start(dataclasses.replace(QUICK, steps=0))
    learning.run()
    found = learning.result().style
    base = tiny_generator.convs.state_dict()
    assert all(torch.equal(value, base[name].half()) for name, value in found.weights.items())
    assert learning.history == []


@pytest.fixture
def learned_from(start, style, rng):
    """Learns in three steps from some of five pictures of different sizes, in the order told."""
    sizes = ((70, 90), (64, 64), (65, 131), (96, 80))
    five = [style, *(random_picture(rng, *size) for size in sizes)]

    def learned(order, weights=None):
        learning = start(dataclasses.replace(QUICK, steps=3), [five[index] for index in order], weights)
        learning.run()
        return learning.result().style

    return learned


def test_pictures_of_several_sizes_in_any_order_teach_the_same(learned_from):
    first, other = learned_from([0, 1, 2, 3, 4]), learned_from([3, 1, 4, 0, 2])
    assert torch.equal(numbers(first), numbers(other)) and first.calibration == other.calibration
    assert first.provenance.pictures == 5 and first.provenance.sizes_px.startswith("128x128, 90x70")
    assert torch.equal(learned_from([3, 4]).preview, other.preview)  # of the first that was given
    assert not torch.equal(first.preview, other.preview)


def test_weights_follow_their_pictures_into_any_order(learned_from):
    first = learned_from([0, 1, 2, 3, 4], [1.0, 0.3, 2.0, 0.7, 5.0])
    moved = learned_from([3, 1, 4, 0, 2], [0.7, 0.3, 5.0, 1.0, 2.0])
    left = learned_from([3, 1, 4, 0, 2], [1.0, 0.3, 2.0, 0.7, 5.0])
    assert torch.equal(numbers(first), numbers(moved)) and not torch.equal(numbers(first), numbers(left))
    twins = [learned_from([2, 2, 1], weights) for weights in ([1.0, 3.0, 0.5], [3.0, 1.0, 0.5])]
    assert torch.equal(*map(numbers, twins))


def test_a_run_goes_on_with_its_pictures_in_another_order(start, style, contents, tmp_path):
    def stop(progress):
        if progress.step == 3:
            raise Stopped

    pair, state = [style, contents[1]], tmp_path / "state.safetensors"
    whole, stopped, resumed = start(pictures=pair), start(pictures=pair), start(pictures=pair[::-1])
    whole.run()
    with pytest.raises(Stopped):
        stopped.run(stop, state, save_every=1)
    resumed.run(state_path=state)
    assert torch.equal(numbers(resumed.result().style), numbers(whole.result().style))


def test_weights_pull_the_target(start, style, contents):
    pair = [style, contents[1]]
    only = start(pictures=[style]).loss.style["relu1_1"].gram
    mostly = start(pictures=pair, weights=[9, 1]).loss.style["relu1_1"].gram
    hardly = start(pictures=pair, weights=[1, 9]).loss.style["relu1_1"].gram
    assert (mostly - only).norm() < (hardly - only).norm()
    assert torch.allclose(start(pictures=pair, weights=[1, 0]).loss.style["relu1_1"].gram, only)


def test_the_base_generator_is_left_alone(start, tiny_generator):
    before = {name: value.clone() for name, value in tiny_generator.state_dict().items()}
    start().run()
    assert all(torch.equal(value, before[name]) for name, value in tiny_generator.state_dict().items())
    assert not any(weight.requires_grad for weight in tiny_generator.parameters())


def test_gray_flat_and_transparent_pictures_learn_finite_numbers(start, rng):
    flat, two = torch.full((1, 1, 64, 64), 0.5), torch.zeros(1, 3, 64, 64)
    two[..., :32] = 1
    for picture in (flat, two, torch.rand(1, 4, 64, 80, generator=rng)):
        learning = start(pictures=[picture])
        learning.run()
        assert torch.isfinite(numbers(learning.result().style)).all()
        assert learning.guarded.skipped == 0


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        ([], "no style picture"),
        ([torch.rand(1, 3, 63, 200)], "200x63 px, at least 64"),
        ([torch.rand(51, 3, 64, 64)], "51 style pictures, 1 to 50 are allowed"),
        ([torch.rand(1, 5, 64, 64)], "5 channels"),
        ([torch.full((1, 3, 64, 64), 128.0)], r"in \[0, 1\]"),
    ],
)
def test_unusable_pictures_are_refused_in_one_sentence(start, pictures, message):
    with pytest.raises(ValueError, match=message):
        start(pictures=pictures)


@pytest.mark.parametrize("weights", [[1.0, 2.0], [-1.0], [0.0], [float("nan")]])
def test_unusable_weights_are_refused(start, weights):
    with pytest.raises(ValueError, match="weights"):
        start(weights=weights)


@pytest.mark.parametrize(
    "change", [{"crop_px": 100}, {"crop_px": 256}, {"steps": -1}, {"lr_latent": float("nan")}]
)
def test_unusable_settings_are_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        dataclasses.replace(QUICK, **change)


def test_training_under_inference_mode_is_possible_from_clones(tiny_generator, tiny_vgg, contents, style):
    with torch.inference_mode():
        wired = [style.clone()]
        with torch.inference_mode(False):
            learned = learn(wired, contents, tiny_generator, tiny_vgg, Perceptual([tiny_vgg]), QUICK)
    assert len(learned.history) == QUICK.steps


def test_progress_tells_losses_and_shows_a_picture(start):
    seen = []
    start().run(seen.append)
    assert [progress.step for progress in seen] == list(range(1, 7))
    last = seen[-1]
    assert {"loss", "style", "content"} <= last.losses.keys()
    assert last.sample.shape == (1, 3, 64, 64) and last.sample.min() >= 0 and last.sample.max() <= 1
