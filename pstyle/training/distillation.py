"""Distillation of a VGG from teachers: the loop that makes vgg_slim and vgg_loss.safetensors.

Wang et al., Collaborative Distillation, arXiv 2003.08436: a linear map per layer takes the student's features
to the teacher's. We differ in the loss, which is relative per layer (each divided by the teacher's own
energy), and in learning deep layers from a second teacher where the first one ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..core.config import check_settings, choice, setting, to_json
from ..core.process_group import ALONE, ProcessGroup
from ..image.crops import Crops
from ..image.padding import pad
from ..nets.layers import conv
from ..nets.vgg import LAYERS, VGG
from .guarded_optimizer import GuardedOptimizer, cosine
from .optimizers import BETAS
from .training_state import TrainingState

DEAD = 1e-2  # mean activation below which a filter is left unchanged: scaling it up would amplify noise
WEAKEST = 1e-2  # least relative scale of a filter: the next layer divides by it and must fit in fp16


@dataclass(frozen=True)
class DistillConfig:
    """Settings of the distillation of a slim VGG."""

    steps: int = setting(4000, 1, 1_000_000, "optimization steps")
    batch: int = setting(8, 1, 256, "crops per step and process")
    size_px: int = setting(96, 32, 1024, "side of the training crops in pixels")
    lr: float = setting(5e-4, 1e-6, 1.0, "peak learning rate of Adam, with cosine decay")
    width: float = setting(0.25, 0.05, 1.0, "width of the student relative to VGG-19")
    inner: float = setting(1.0, 0.05, 1.0, "width of the student's layers between style layers, in addition")
    last: str = choice("relu5_1", LAYERS, "deepest layer of the student")
    embed: bool = setting(True, help="map features linearly to the teacher's before comparing them")
    seed: int = setting(0, 0, 2**31 - 1, "random seed for crops and initial weights")

    def __post_init__(self) -> None:
        check_settings(self)


class Embedding(nn.Module):
    """A linear map per layer from the student's channels to the teacher's, used in training only; layers
    without one stay as they are.
    """

    def __init__(self, pairs: Mapping[str, tuple[int, int]]) -> None:
        super().__init__()
        self.maps = nn.ModuleDict({name: nn.Conv2d(a, b, 1) for name, (a, b) in pairs.items()})

    def forward(self, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return dict(features) | {name: layer(features[name]) for name, layer in self.maps.items()}


def layers_by_teacher(
    teachers: list[VGG], layers: Sequence[str] = LAYERS
) -> list[tuple[VGG, tuple[str, ...]]]:
    """Several teachers as one: each layer comes from the first teacher that reaches it."""
    left, plan = list(layers), []
    for teacher in teachers:
        reached = tuple(name for name in left if name in teacher.layers)
        left = [name for name in left if name not in reached]
        if reached:
            plan.append((teacher, reached))
    return plan


def new_student(teacher: VGG, crops: Crops, config: DistillConfig, rng: torch.Generator) -> VGG:
    """A student whose filters start as the teacher's strongest ones (by L1 norm), random where the teacher
    ends.
    """
    student = VGG(config.width, config.last, config.inner)
    for layer in student.features.values():
        nn.init.orthogonal_(layer.weight, gain=2**0.5, generator=rng)
        nn.init.zeros_(layer.bias)
    student.to(_device(teacher))
    _prune_into(student, teacher)
    if config.embed:
        return normalize_activations(student, crops, rng)
    return fit_style_layers(student, teacher, _drawn(crops, 8, config.size_px, rng, student))


def fitted_embedding(
    student: VGG, teachers: list[VGG], crops: Crops, config: DistillConfig, rng: torch.Generator
) -> Embedding:
    """The embedding that maps the student's features to the teachers' best in the least-squares sense."""
    images = _drawn(crops, config.batch, config.size_px, rng, student)
    fits = linear_fits(student, teachers, images)
    embedding = Embedding({name: (len(fit.weight), fit.weight.shape[1]) for name, fit in fits.items()})
    for name, fit in fits.items():
        embedding.maps[name].weight.data.copy_(fit.weight.T[:, :, None, None])
        embedding.maps[name].bias.data.copy_(fit.bias)
    return embedding.to(_device(student))


def _device(network: nn.Module) -> torch.device:
    return next(network.parameters()).device


def _drawn(crops: Crops, count: int, size_px: int, rng: torch.Generator, network: nn.Module) -> list[Tensor]:
    """Eight batches of crops on the network's device."""
    return [crops.draw(count, size_px, rng).to(_device(network)) for _ in range(8)]


def _prune_into(student: VGG, teacher: VGG) -> None:
    kept = torch.arange(3)
    for index, layer in student.features.items():
        if index not in teacher.features:
            return
        source = teacher.features[index]
        strength = source.weight.abs().sum((1, 2, 3))
        rows = strength.topk(layer.out_channels).indices.sort().values
        gain = source.weight.shape[1] / len(kept)  # fewer inputs carry the same sum
        layer.weight.data.copy_(source.weight[rows][:, kept] * gain**0.5)
        layer.bias.data.copy_(source.bias[rows])
        kept = rows


def distill(
    crops: Crops,
    teachers: list[VGG],
    config: DistillConfig,
    student: VGG | None = None,
    state_path: Path | None = None,
    on_step: Callable[[dict[str, float]], None] = lambda record: None,
    save_every: int = 250,
    processes: ProcessGroup = ALONE,
) -> VGG:
    """Train a small VGG to carry the teachers' features; resumes from `state_path` if that file exists.

    Teachers are ordered from the most to the least trusted; all read the same picture in [0, 1]. If a
    `student` is given, its training continues. Returns the frozen student, its embedded filters scaled by
    `weigh_channels`.
    """
    rng = torch.Generator().manual_seed(config.seed)
    student = student or new_student(teachers[0], crops, config, rng)
    embedding = fitted_embedding(student, teachers, crops, config, rng) if config.embed else Embedding({})
    student.requires_grad_(True)
    weights = [*student.parameters(), *embedding.parameters()]
    optimizer = torch.optim.Adam(weights, lr=config.lr, betas=BETAS)
    modules = {"student": student, "embedding": embedding}
    processes.broadcast_parameters(modules.values())
    processes.offset_seed(rng, config.seed)
    state = TrainingState(modules, {"adam": optimizer}, rng, to_json(config), processes=processes)
    if state_path:
        state.resume(state_path)
    guarded = GuardedOptimizer(optimizer, processes=processes)
    plan = layers_by_teacher(teachers, student.layers)
    while state.step < config.steps:
        # batch
        image = crops.draw(config.batch, config.size_px, rng).to(_device(student))
        image = image.contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            taught = {name: value for teacher, names in plan for name, value in teacher(image, names).items()}
        # forward, losses
        found = embedding(student(image, isolate=True))  # or deep layers' errors drown the shallow filters
        losses = {name: relative_error(found[name], taught[name], processes) for name in taught}
        loss = torch.stack(list(losses.values())).sum()
        # backward, guard, step
        guarded.step(loss, cosine(state.step, config.steps, warmup=50), losses)
        # record
        state.step += 1
        record = {"loss": loss.item()} | {name: value.item() for name, value in losses.items()}
        on_step({"step": state.step} | processes.mean_of(record))
        if state_path and (state.step % save_every == 0 or state.step == config.steps):
            state.save(state_path)
    return weigh_channels(student, embedding)


def relative_error(output: Tensor, target: Tensor, processes: ProcessGroup = ALONE) -> Tensor:
    """Squared error divided by the target's variance around its channel means: 1 means nothing was learned.

    The channel means are taken over the batches of all processes.
    """
    (center,) = processes.mean(target.mean((0, 2, 3), keepdim=True))
    (variance,) = processes.mean((target - center).square().mean())
    return F.mse_loss(output, target) / (variance + 1e-8)


@torch.no_grad()
def fit_style_layers(student: VGG, teacher: VGG, images: Sequence[Tensor]) -> VGG:
    """Set the student's filters in style layers to a least-squares fit of the teacher's pre-activations.

    The fit is from the student's own features below; both have the same channels in style layers. Without it,
    the few pruned filters that never fire would have no gradient and stay dead for the whole training.
    """
    previous = None
    for name, index in student.plan:
        if name in student.layers and name in teacher.layers and previous is not None:
            sums = [_layer_sums(student, teacher, previous, index, image) for image in images]
            fit = _solve(*(sum(parts) for parts in zip(*sums, strict=True)))
            layer = student.features[str(index)]
            layer.weight.copy_(fit.weight.T.reshape(layer.weight.shape))
            layer.bias.copy_(fit.bias)
        previous = name
    return student


def _layer_sums(student: VGG, teacher: VGG, below: str, index: int, image: Tensor) -> list[Tensor]:
    source = teacher.features[str(index)]
    own, taught = (F.max_pool2d(network(image, [below])[below], 2) for network in (student, teacher))
    patches = F.unfold(pad(own, 1, "reflect"), 3)  # (B, C * 9, M)
    return _sums(patches[..., None], conv(taught, source.weight, source.bias).flatten(2)[..., None])


@torch.no_grad()
def normalize_activations(vgg: VGG, crops: Crops, rng: torch.Generator, batches: int = 8) -> VGG:
    """Scale each filter so that its mean activation over pictures and positions is 1, leaving the function's
    shape.

    ReLU is positively homogeneous, so dividing a filter and multiplying the next layer's input by the same
    number changes nothing but units (Gatys et al., arXiv 1508.06576).
    """
    image = torch.cat([crops.draw(4, 128, rng) for _ in range(batches)]).to(_device(vgg))
    previous = None
    for name, index in vgg.plan:
        layer = vgg.features[str(index)]
        if previous is not None:
            layer.weight.mul_(previous.view(1, -1, 1, 1))
        average = vgg(image, [name])[name].mean((0, 2, 3))
        average = torch.where(average > DEAD, average, torch.ones_like(average))
        layer.weight.div_(average.view(-1, 1, 1, 1))
        layer.bias.div_(average)
        previous = average
    return vgg.eval().requires_grad_(False)


@torch.no_grad()
def weigh_channels(student: VGG, embedding: Embedding) -> VGG:
    """Scale the filters of every embedded layer by how strongly the teacher's features follow them.

    Distances in the student's features then weight channels as the teacher does. With all channels scaled to
    one mean instead, a few that hardly ever fire would dominate a Gram matrix, and no style could be matched.
    """
    before = None
    for name, index in student.plan:
        layer = student.features[str(index)]
        if before is not None:
            layer.weight.div_(before.view(1, -1, 1, 1))
        before = None
        if name in embedding.maps:
            strength = embedding.maps[name].weight.flatten(1).norm(dim=0)  # (C,)
            before = (strength / strength.mean()).clamp_min(WEAKEST)
            layer.weight.mul_(before.view(-1, 1, 1, 1))
            layer.bias.mul_(before)
    return student.eval().requires_grad_(False)


class LinearFit(NamedTuple):
    """Least squares from a student's channels to a teacher's: weight (C, K), bias (K,), share of variance
    explained.
    """

    weight: Tensor
    bias: Tensor
    explained: float


@torch.no_grad()
def linear_fits(student: VGG, teachers: list[VGG], images: Iterable[Tensor]) -> dict[str, LinearFit]:
    """By layer, the best linear map from the student's features to the teacher's over pictures (B, 3, H,
    W).
    """
    totals: dict[str, list[Tensor]] = {}
    for image in images:
        own = student(image)
        for teacher, names in layers_by_teacher(teachers, student.layers):
            for name, target in teacher(image, names).items():
                sums = _sums(own[name], target)
                old = totals.get(name, [0.0] * len(sums))
                totals[name] = [a + b for a, b in zip(old, sums, strict=True)]
    return {name: _solve(*sums) for name, sums in totals.items()}


def _sums(own: Tensor, target: Tensor) -> list[Tensor]:
    x = own.double().transpose(0, 1).flatten(1).T  # (M, C)
    x = torch.cat([x, x.new_ones(len(x), 1)], 1)
    y = target.double().transpose(0, 1).flatten(1).T  # (M, K)
    return [x.T @ x, x.T @ y, y.square().sum(0), y.sum(0)]


def _solve(xx: Tensor, xy: Tensor, yy: Tensor, y: Tensor) -> LinearFit:
    ridge = 1e-6 * xx.diagonal().mean() * torch.eye(len(xx), dtype=xx.dtype, device=xx.device)
    fit = torch.linalg.solve(xx + ridge, xy)
    unexplained = (yy - (fit * xy).sum(0)).sum() / (yy - y.square() / xx[-1, -1]).sum()
    return LinearFit(fit[:-1].float(), fit[-1].float(), float(1 - unexplained))
