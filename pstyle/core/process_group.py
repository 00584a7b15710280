"""Several processes that train as one: numbers and gradients are averaged, and decisions are shared.

The semantics of PyTorch's DistributedDataParallel (Li et al., arXiv 2006.15704): every process has the whole
model and its own batch, and steps by the mean gradient. We differ in how the gradients are averaged: see
`ProcessGroup.average_gradients`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

STRIDE_OF_SEEDS = 0x9E3779B1  # odd, so that seeds of processes differ; torch's CPU generator takes 32 bits
TIMEOUT = timedelta(days=1)  # the first process sometimes works alone; if one dies, the others end at once


@dataclass(frozen=True)
class ProcessGroup:
    """The processes that train together, as seen by one: its rank (from 0), their number, its device.

    In a group of one, every method returns its argument. All processes must call the same methods in the same
    order.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = torch.device("cpu")

    @property
    def first(self) -> bool:
        """Whether this process writes files and reports progress."""
        return self.rank == 0

    def mean(self, *values: Tensor) -> tuple[Tensor, ...]:
        """Mean over the processes of tensors of any shapes and one dtype, in one message; differentiable."""
        if self.size == 1:
            return values
        flat = _Mean.apply(self, torch.cat([value.flatten() for value in values]))
        parts = flat.split([value.numel() for value in values])
        return tuple(offset_seed.view(value.shape) for offset_seed, value in zip(parts, values, strict=True))

    def norm(self, value: Tensor) -> Tensor:
        """Norm of the gradient of a mean over all processes' pictures, from this process's part of it.

        The part (B, ...) belongs to a mean over these B pictures alone, hence is too large by the number of
        processes.
        """
        if self.size == 1:
            return value.norm()
        (square,) = self.mean(value.square().sum())
        return (square / self.size).sqrt()

    def average_gradients(self, weights: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by its mean over the processes; a weight must lack one in all or in none."""
        # DistributedDataParallel's hooks do not fit: they expect one forward() of a wrapped module before
        # each backward(), but a painter is used through several methods, the adaptive weight takes gradients
        # at pixels, and the painter's loss passes through a discriminator that must not be averaged then.
        # There is one bucket: with a million numbers, overlapping communication would gain nothing.
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        if self.size > 1 and gradients:
            for gradient, mean in zip(gradients, self.mean(*gradients), strict=True):
                gradient.copy_(mean)

    def mean_of(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """Means of named numbers; names and order must be the same in all processes."""
        if self.size == 1:
            return dict(numbers)
        values = self._float64(numbers)
        dist.all_reduce(values)
        return dict(zip(numbers, (values / self.size).tolist(), strict=True))

    def broadcast(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """The first process's numbers, so that all processes decide alike."""
        if self.size == 1:
            return dict(numbers)
        values = self._float64(numbers)
        dist.broadcast(values, src=0)
        return dict(zip(numbers, values.tolist(), strict=True))

    def gather(self, value: Tensor) -> list[Tensor]:
        """The tensors of all processes by rank, on the CPU; they must have one shape."""
        if self.size == 1:
            return [value]
        own = value.to(self.device)
        found = [torch.empty_like(own) for _ in range(self.size)]
        dist.all_gather(found, own)
        return [offset_seed.cpu() for offset_seed in found]

    def broadcast_parameters(self, modules: Iterable[nn.Module]) -> None:
        """Copy the first process's weights and buffers to every process."""
        if self.size > 1:
            for module in modules:
                for value in module.state_dict().values():
                    plain = value.contiguous()
                    dist.broadcast(plain, src=0)
                    value.copy_(plain)

    def offset_seed(self, rng: torch.Generator, seed: int) -> None:
        """Make the generator draw differently in each process from here on; the first one's is unchanged."""
        if self.rank:
            rng.manual_seed((seed + self.rank * STRIDE_OF_SEEDS) % 2**32)

    @contextmanager
    def first_ahead(self) -> Iterator[None]:
        """The first process runs the block before the others, which then find the files that it wrote."""
        if not self.first:
            self.wait()
        yield
        if self.first:
            self.wait()

    def wait(self) -> None:
        """Wait until every process arrives here, so that files the first one wrote exist for all."""
        self.gather(torch.zeros(1))

    def _float64(self, numbers: Mapping[str, float]) -> Tensor:
        return torch.tensor(list(numbers.values()), dtype=torch.float64, device=self.device)


ALONE = ProcessGroup()


@contextmanager
def process_group_from_environment(device: torch.device) -> Iterator[ProcessGroup]:
    """The group that `torchrun` started this process in, or a group of one, on a device of this kind.

    Processes communicate by NCCL on CUDA, each with its own device, and by gloo otherwise. Raises ValueError
    if the environment is inconsistent or there are too few devices.
    """
    rank, size, local = (_number(name, default) for name, default in VARIABLES.items())
    if not 0 <= rank < size:
        raise ValueError(f"RANK must be from 0 to WORLD_SIZE - 1 ({size - 1}), got {rank}: start by torchrun")
    if size == 1:
        yield ProcessGroup(device=device)
        return
    own = _own_device(local) if device.type == "cuda" else None
    backend = "nccl" if own else "gloo"
    dist.init_process_group(backend, rank=rank, world_size=size, timeout=TIMEOUT, device_id=own)
    try:
        yield ProcessGroup(rank, size, own or device)
    finally:
        dist.destroy_process_group()


VARIABLES = {"RANK": 0, "WORLD_SIZE": 1, "LOCAL_RANK": 0}  # as torchrun sets them


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    if not text.isdecimal():
        raise ValueError(f"the environment's {name} must be a whole number, got {text!r}: start by torchrun")
    return int(text)


def _own_device(local: int) -> torch.device:
    count = torch.cuda.device_count()
    if local >= count:
        raise ValueError(
            f"process {local + 1} of this machine finds {count} CUDA devices: "
            "start as many processes as there are devices, or add --device cpu"
        )
    return torch.device("cuda", local)


class _Mean(torch.autograd.Function):
    """Mean over the processes. All losses depend on it, so its gradient is the mean of their gradients."""

    @staticmethod
    def forward(ctx, processes: ProcessGroup, value: Tensor) -> Tensor:
        ctx.processes = processes
        found = value.clone()
        dist.all_reduce(found)
        return found / processes.size

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[None, Tensor]:
        found = gradient.contiguous().clone()
        dist.all_reduce(found)
        return None, found / ctx.processes.size
