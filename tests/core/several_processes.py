"""Trainings in two processes, and the same alone: `python -m tests.core.several_processes FOLDER GROUP...`.

Run as a process of its own that imports torch once and computes nothing, so that its forks are quick. Each
case leaves in the folder what its processes found; how those of each group ended is one line of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from pstyle.core import files
from pstyle.core.checkpoint import BadFile
from pstyle.core.process_group import ProcessGroup, process_group_from_environment
from pstyle.core.progress import Progress
from pstyle.finetuning import discriminator_step, painter_step, validation
from pstyle.finetuning.finetune_config import FinetuneConfig
from pstyle.finetuning.finetuning import Finetuning
from pstyle.finetuning.validation_split import TrainingSplit
from pstyle.image.crops import Crops
from pstyle.image.writing import save_image
from pstyle.losses.painter_loss import loss_weights
from pstyle.losses.perceptual import Perceptual, weighted
from pstyle.nets.generator import Generator
from pstyle.nets.vgg import VGG, save_vgg
from pstyle.style.provenance import Provenance
from pstyle.style.styled_generator import StyledGenerator
from pstyle.training import base_run, base_training
from pstyle.training.base_run import Material, make_weights, new_generator
from pstyle.training.base_training import BaseConfig, StylePool, style_terms, train_base
from pstyle.training.distillation import relative_error
from pstyle.training.guarded_optimizer import GuardedOptimizer
from tests.conftest import random_picture
from tests.tiny_networks import TINY, tiny_vgg
from tests.training.test_base_run import CONFIG

QUICK = FinetuneConfig(
    steps=4, warmup=1, size_px=128, crop_px=64, batch=1, check_every=2, few=True, patch_weight=0
)
BASE = BaseConfig(
    steps=4, styles=2, contents=2, size_px=48, style_px=56, identity_every=3, pool=4, mixed_share=0.6
)
PATIENCE_SECONDS = 120  # of a machine that is busy with other tests
UNCLIPPED = 1e9

# --- what the cases are made of


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def networks() -> tuple[Generator, VGG, Perceptual]:
    generator, vgg = new_generator(TINY, seed=0), tiny_vgg(last="relu4_1")
    for mod in generator.mods.values():
        torch.nn.init.normal_(mod.linear.weight, std=0.1, generator=seeded(1))
    torch.nn.init.normal_(generator.convs["strokes"].weight, std=0.02, generator=seeded(2))
    return generator.requires_grad_(False), vgg, Perceptual([vgg])


def pictures(count: int, seed: int, side_px: int = 128) -> list[Tensor]:
    rng = seeded(seed)
    return [random_picture(rng, side_px, side_px) for _ in range(count)]


def finetuning(processes: ProcessGroup, **changes: Any) -> Finetuning:
    generator, vgg, perceptual = networks()
    style = StyledGenerator(generator, torch.randn(4, 16, generator=seeded(3))).style(Provenance())
    parts = style, pictures(1, 4), pictures(3, 5), generator, vgg, perceptual
    return Finetuning(*parts, replace(QUICK, **changes), processes=processes)


class Stopped(Exception):  # noqa: N818
    pass


def run_to(run: Finetuning, step: int, note: Callable[[], object] = lambda: None) -> None:
    def on_step(progress: Progress) -> None:
        note()
        if progress.step == step:
            raise Stopped

    with suppress(Stopped):
        run.run(on_step)


@contextmanager
def replaced(module: Any, name: str, value: object) -> Iterator[None]:
    honest = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, honest)


class Given:
    """A supply that hands out the same crops again and again, to each process its share."""

    def __init__(self, processes: ProcessGroup, count: int) -> None:
        real, content = (torch.cat(pictures(count, seed, 64)) for seed in (6, 7))
        real, content = real.double(), content.double()
        self.crops = real[processes.rank :: processes.size], content[processes.rank :: processes.size]

    def draw(self, count: int, size_px: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        return self.crops


def tensors_of(run: Finetuning) -> dict[str, Tensor]:
    """All that processes must have in common: everything but the random generator."""
    return {name: value for name, value in run.state.tensors().items() if name != "rng"}


def leave(
    folder: Path, name: str, processes: ProcessGroup, tensors: Mapping[str, Tensor], **told: Any
) -> None:
    path = folder / f"{name}.{processes.size}.{processes.rank}"
    safetensors.torch.save_file({key: value.contiguous() for key, value in tensors.items()}, f"{path}.st")
    Path(f"{path}.json").write_text(json.dumps(told))


# --- the cases: each is run by every process


def gradients(processes: ProcessGroup, folder: Path) -> None:
    """A step on the same four crops, in double precision, where rounding takes no ReLU over its kink."""
    settings = {"warmup": 0, "photo_share": 0.5, "lr_discriminator": 0.0, "check_every": 100}
    for name in ("together", "apart"):
        run = finetuning(processes, batch=4 // processes.size, **settings)
        run.training = Given(processes, 4)
        for module in (run.gan.vgg, *run.state.modules.values()):
            module.double()
        if name == "apart":  # a fault: each process with the style statistics of its own crops
            honest = run.perceptual.terms
            run.perceptual.terms = lambda *given, honest=honest, **more: honest(*given[:-1], **more)
        for guarded in run.guarded.values():
            guarded.clip_norm = UNCLIPPED
        with (
            replaced(discriminator_step, "augment", lambda image, rng: image),
            replaced(painter_step, "augment", lambda image, rng: image),
        ):
            run_to(run, 1)
        found = {
            f"{player}.{index}": weight.grad
            for player, guarded in run.guarded.items()
            for index, weight in enumerate(guarded.weights)
        }
        leave(folder, f"gradients_{name}", processes, found, history=run.history[0])


def faults(processes: ProcessGroup, folder: Path) -> None:
    """A NaN in the gradient of the second process, one in the first one's loss, one in its discriminator."""
    run = finetuning(processes, steps=6, warmup=0, check_every=3)
    terms, hinge, draw, drawn = run.perceptual.terms, discriminator_step.hinge, run.training.draw, []

    def spoiled(*given: Any, **more: Any) -> dict[str, Tensor]:
        found, at = terms(*given, **more), (run.state.step, processes.rank)
        bad = {(1, 1): found["style"] * torch.nan, (3, 0): found["style"] + torch.inf}
        return found | {"style": bad.get(at, found["style"])}

    def spoiled_hinge(logits: dict[str, Tensor], target: int) -> Tensor:
        return hinge(logits, target) * (torch.nan if (run.state.step, processes.rank) == (4, 1) else 1)

    class Watched(TrainingSplit):
        def draw(self, *given: Any) -> tuple[Tensor, Tensor]:
            drawn.append(draw(*given))
            return drawn[-1]

    run.perceptual.terms, run.training = spoiled, Watched(**vars(run.training))
    with replaced(discriminator_step, "hinge", spoiled_hinge):
        run.run()
    skipped = {name: guarded.skipped for name, guarded in run.guarded.items()}
    leave(
        folder, "faults", processes, tensors_of(run) | {"drawn": drawn[0][0]},
        skipped=skipped, history=repr(run.history), checks=repr(run.selection.checks),
    )  # fmt: skip


def decisions(processes: ProcessGroup, folder: Path) -> None:
    """Processes of which each alone would decide otherwise: on waiting, on stopping, on giving up."""
    waiting = finetuning(processes, warmup=0, steps=100, check_every=100)
    waiting.state.numbers["success"] = 0.79
    heads = waiting.state.modules["discriminator"].heads
    seen = [heads["relu2_1"].weight.detach().clone()]
    with replaced(discriminator_step, "accuracy", lambda real, painted: (1.0, 0.7)[processes.rank]):
        run_to(waiting, 7, lambda: seen.append(heads["relu2_1"].weight.detach().clone()))
    moved = [not torch.equal(*pair) for pair in pairwise(seen)]

    ending, honest = finetuning(processes, warmup=0), validation.diagnose
    known = {"held_out_accuracy": 0.5, "train_accuracy": 1.0, "logit_gap": 1.0, "overfitting": 0.9}
    with replaced(validation, "diagnose", lambda *given: known if processes.first else honest(*given)):
        ending.run()

    lost = finetuning(processes, warmup=0, steps=100, check_every=100)
    terms = lost.perceptual.terms

    def spoiled(*given: Any, **more: Any) -> dict[str, Tensor]:
        found = terms(*given, **more)
        return found if processes.first else found | {"content": found["content"] * torch.nan}

    lost.perceptual.terms = spoiled
    lost.run()
    leave(
        folder, "decisions", processes, {}, moved=moved,
        ending=ending.selection.ending(), ended=ending.state.step, lost=lost.failure, gave_up=lost.state.step,
    )  # fmt: skip


def whole(processes: ProcessGroup, folder: Path) -> None:
    run = finetuning(processes)
    run.run()
    leave(folder, "whole", processes, run.state.tensors())


def second_killed(processes: ProcessGroup, folder: Path) -> None:
    """The second process is killed after step 3, and the state is written every two steps."""

    def kill(progress: Progress) -> None:
        if (progress.step, processes.rank) == (3, 1):
            os.kill(os.getpid(), signal.SIGKILL)

    finetuning(processes).run(kill, folder / "second_killed.safetensors", save_every=2)


def first_killed(processes: ProcessGroup, folder: Path) -> None:
    """The first process is killed while it writes the state of step 3."""
    run, rename = finetuning(processes), os.replace

    def kill(*given: Any) -> None:
        if run.state.step == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        rename(*given)

    files.os.replace = kill
    run.run(state_path=folder / "first_killed.safetensors", save_every=1)


def resumed(processes: ProcessGroup, folder: Path) -> None:
    for name in ("second_killed", "first_killed"):
        run, steps = finetuning(processes), []
        run.run(lambda progress, steps=steps: steps.append(progress.step), folder / f"{name}.safetensors")
        leave(folder, name, processes, run.state.tensors(), steps=steps)


def refused(processes: ProcessGroup, folder: Path) -> None:
    """Alone, the state of two processes; of two, a state that only one of them sees."""
    name = "second_killed" if processes.first else "nowhere"
    try:
        finetuning(processes).state.resume(folder / f"{name}.safetensors")
        said = "nothing"
    except BadFile as error:
        said = str(error)
    leave(folder, "refused", processes, {}, said=said)


def base_gradients(processes: ProcessGroup, folder: Path) -> None:
    """One step on the same four styles with two contents each."""
    generator, vgg, perceptual = networks()
    config = replace(BASE, styles=4 // processes.size)
    pool = StylePool(Crops(pictures(2, 8)), vgg, perceptual, BASE)
    pool.fill(0)
    mine = slice(processes.rank * config.styles, (processes.rank + 1) * config.styles)
    pool.config, pool.entries = config, list(pool.entries)[mine]
    images = torch.cat(pictures(8, 9, 48))[2 * mine.start : 2 * mine.stop]
    with replaced(torch, "randperm", lambda count, generator: torch.arange(count)):
        style = pool.draw(seeded(0))
    generator.requires_grad_(True)
    with replaced(base_training, "mixing_shares", lambda config, rng: torch.ones(config.styles)):
        terms = style_terms(generator, perceptual, images, style, config, seeded(10))
    guarded = GuardedOptimizer(torch.optim.Adam(generator.parameters()), UNCLIPPED, processes)
    guarded.step(weighted(terms, loss_weights(config)))
    found = {name: weight.grad for name, weight in generator.named_parameters() if weight.grad is not None}
    leave(folder, "base_gradients", processes, found)


def base(processes: ProcessGroup, folder: Path) -> None:
    """Base training, whole and resumed after its second step."""

    def trained(name: str, steps: int) -> None:
        generator, vgg, perceptual = networks()
        photos, paintings, records = Crops(pictures(2, 11)), Crops(pictures(2, 12)), []

        def note(record: dict[str, float]) -> None:
            records.append(record)
            if len(records) == steps:
                raise KeyboardInterrupt

        parts = generator.requires_grad_(True), vgg, perceptual, photos, paintings, BASE
        found = train_base(*parts, folder / f"{name}.safetensors", note, save_every=2, processes=processes)
        leave(folder, name, processes, found.state_dict(), records=repr(records))

    trained("base_whole", 100)
    try:
        trained("base_resumed", 3)
    except KeyboardInterrupt:
        trained("base_resumed", 100)


def arithmetic(processes: ProcessGroup, folder: Path) -> None:
    """Averages and their gradients, a teacher's variance, and PyTorch's own data parallelism beside ours."""
    rows = torch.randn(4, 5, 3, 3, generator=seeded(13))[processes.rank :: processes.size].requires_grad_(
        True
    )
    mean, square = processes.mean(rows.mean((0, 2, 3)), rows.square().mean())
    (mean.square().sum() * square).backward()
    output, target = torch.randn(2, 4, 5, 3, 3, generator=seeded(14))[:, processes.rank :: processes.size]
    error = relative_error(output, target, processes)
    part = torch.autograd.grad(rows.square().mean(), rows)[0]
    found = {"rows": rows.grad / processes.size, "norm": processes.norm(part)}
    own = plain = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 2))
    for index, weight in enumerate(plain.parameters()):
        torch.nn.init.normal_(weight, generator=seeded(index + 7 * processes.rank))
    own = deepcopy(plain)
    processes.broadcast_parameters([own])
    inputs = torch.randn(6, 5, generator=seeded(15))[processes.rank :: processes.size]
    theirs = torch.nn.parallel.DistributedDataParallel(plain) if processes.size > 1 else deepcopy(own)
    for network in (own, theirs):
        network(inputs).square().mean().backward()
    processes.average_gradients(own.parameters())
    found |= {f"own.{i}": weight.grad for i, weight in enumerate(own.parameters())}
    found |= {f"theirs.{i}": weight.grad for i, weight in enumerate(theirs.parameters())}
    told = {"mean_of": processes.mean_of({"error": error.item(), "rank": float(processes.rank)})}
    told |= {"agreed": processes.broadcast({"rank": float(processes.rank)})}
    leave(folder, "arithmetic", processes, found, **told)


def weights(processes: ProcessGroup, folder: Path) -> None:
    """The whole making of weights; `made` notes who wrote what."""
    base_run.PROCEDURAL_PX, made = 128, []
    base_run.write_atomically = note_writing(base_run.write_atomically, made)
    files_of = {name: folder / f"{name}.png" for name in ("photo", "painting", "print")}
    teachers = [folder / f"{name}_teacher.safetensors" for name in ("first", "second")]
    with processes.first_ahead():
        if processes.first:
            for seed, path in enumerate(files_of.values()):
                save_image(path, random_picture(seeded(seed), 130, 140))
            save_vgg(teachers[0], tiny_vgg(0.125, "relu3_1"), "random")
            save_vgg(teachers[1], tiny_vgg(0.0625, "relu5_1", seed=1), "random")
    material = Material(teachers, [files_of["photo"]], [files_of["painting"], files_of["print"]])
    records: list[dict[str, float]] = []
    told = make_weights(
        material, folder / "out", folder / "state", CONFIG,
        lambda stage, steps, record: records.append(record), processes=processes,
    )  # fmt: skip
    there = [path.name for path in told if path.exists()]
    leave(folder, "weights", processes, {}, there=there, made=made, records=repr(records))


def note_writing(write: Callable, made: list[str]) -> Callable:
    def noted(path: Path, *given: Any, **options: Any) -> None:
        made.append(Path(path).name)
        write(path, *given, **options)

    return noted


# Group of cases that the same processes run one after another -> the cases, and how many processes. The first
# two leave states for the others.
GROUPS = {
    "second_killed": ((second_killed,), 2),
    "first_killed": ((first_killed,), 2),
    "two": (
        (arithmetic, gradients, faults, decisions, whole, resumed, refused, base_gradients, base),
        2,
    ),
    "one": ((arithmetic, gradients, refused, base_gradients), 1),
    "weights": ((weights,), 2),
}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def fork(
    cases: Sequence[Callable[[ProcessGroup, Path], None]], folder: Path, rank: int, size: int, port: int
) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_PORT": port}
        os.environ |= {name: str(value) for name, value in names.items()} | {"MASTER_ADDR": "127.0.0.1"}
        torch.set_num_threads(1)
        validation.DUALITY_STEPS = 1
        with process_group_from_environment(torch.device("cpu")) as processes:
            for case in cases:
                case(processes, folder)
        status = 0
    except BaseException:
        traceback.print_exc()
    os._exit(status)


def ended(children: list[int]) -> list[int | None]:
    """Exit codes, negative for signals; None for a process that had to be killed since it never ended."""
    deadline, codes = time.monotonic() + PATIENCE_SECONDS, dict.fromkeys(children)
    while None in codes.values() and time.monotonic() < deadline:
        for child in [child for child, code in codes.items() if code is None]:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                codes[child] = os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    for child in [child for child, code in codes.items() if code is None]:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return list(codes.values())


def main(folder: Path, *names: str) -> None:
    found = {}
    for name in names:
        (cases, size), port = GROUPS[name], free_port()
        found[name] = ended([fork(cases, folder, rank, size, port) for rank in range(size)])
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
