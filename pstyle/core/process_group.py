"""Several processes that train as one: numbers and gradients averaged, decisions made alike.

The semantics of PyTorch's DistributedDataParallel (Li et al., arXiv 2006.15704): every process has the whole
model and a batch of its own, and moves by the mean gradient. We differ in how: see
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
TIMEOUT = timedelta(days=1)  # the first process works alone at times; one that dies ends the others at once


@dataclass(frozen=True)
class ProcessGroup:
    """The processes that train together, as one of them sees it: its rank from 0, their number, its device.

    Alone, every method returns what it was given. All processes must call the same methods in the same order.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = torch.device("cpu")

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes files and tells people."""
        return self.rank == 0

    def mean(self, *values: Tensor) -> tuple[Tensor, ...]:
        """Means over the processes, of tensors of any shapes and one type, in one message; differentiable."""
        if self.size == 1:
            return values
        flat = _Mean.apply(self, torch.cat([value.flatten() for value in values]))
        parts = flat.split([value.numel() for value in values])
        return tuple(offset_seed.view(value.shape) for offset_seed, value in zip(parts, values, strict=True))

    def norm(self, value: Tensor) -> Tensor:
        """Norm of the gradient of a mean over all processes' pictures, from its part for this process's own.

        The part (B, ...) is that of a mean over these B pictures alone, hence as many times too large.
        """
        if self.size == 1:
            return value.norm()
        (square,) = self.mean(value.square().sum())
        return (square / self.size).sqrt()

    def average_gradients(self, weights: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by its mean over the processes; a weight must lack one in all or in none."""
        # Not by DistributedDataParallel's hooks: they want one forward() of a wrapped module before each
        # backward(). A painter is used by its methods, the adaptive weight takes gradients at pixels,
        # and the painter's loss goes through a discriminator that must not be averaged then. The buckets are
        # one: a million numbers leave nothing to gain by sending some while others are computed.
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        if self.size > 1 and gradients:
            for gradient, mean in zip(gradients, self.mean(*gradients), strict=True):
                gradient.copy_(mean)

    def mean_of(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """Means of named numbers, whose names and order are the same in all processes."""
        if self.size == 1:
            return dict(numbers)
        values = self._float64(numbers)
        dist.all_reduce(values)
        return dict(zip(numbers, (values / self.size).tolist(), strict=True))

    def broadcast(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """The first process's numbers: what decisions are taken by."""
        if self.size == 1:
            return dict(numbers)
        values = self._float64(numbers)
        dist.broadcast(values, src=0)
        return dict(zip(numbers, values.tolist(), strict=True))

    def gather(self, value: Tensor) -> list[Tensor]:
        """The tensor of every process, by rank, on the CPU; all of one shape."""
        if self.size == 1:
            return [value]
        own = value.to(self.device)
        found = [torch.empty_like(own) for _ in range(self.size)]
        dist.all_gather(found, own)
        return [offset_seed.cpu() for offset_seed in found]

    def broadcast_parameters(self, modules: Iterable[nn.Module]) -> None:
        """Give every process the first one's weights and buffers."""
        if self.size > 1:
            for module in modules:
                for value in module.state_dict().values():
                    plain = value.contiguous()
                    dist.broadcast(plain, src=0)
                    value.copy_(plain)

    def offset_seed(self, rng: torch.Generator, seed: int) -> None:
        """From here on the generator draws differently in each process; in the first it goes on."""
        if self.rank:
            rng.manual_seed((seed + self.rank * STRIDE_OF_SEEDS) % 2**32)

    @contextmanager
    def first_ahead(self) -> Iterator[None]:
        """The first process does what is inside before the others, which find there what it wrote."""
        if not self.first:
            self.wait()
        yield
        if self.first:
            self.wait()

    def wait(self) -> None:
        """Go on when every process has come here, so when what the first one wrote before is there."""
        self.gather(torch.zeros(1))

    def _float64(self, numbers: Mapping[str, float]) -> Tensor:
        return torch.tensor(list(numbers.values()), dtype=torch.float64, device=self.device)


ALONE = ProcessGroup()


@contextmanager
def process_group_from_environment(device: torch.device) -> Iterator[ProcessGroup]:
    """The world that `torchrun` started this process in, or a process alone, on a device of this kind.

    Processes talk by NCCL on CUDA, each with a device of its own, and by gloo else. Raises ValueError where
    the environment makes no sense or devices do not suffice.
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
    """Mean over the processes. All their losses depend on it, so its gradient is the mean of theirs."""

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
