"""Everything a loop needs to resume, in one safetensors file: weights, Adam moments, random state, step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from ..core import checkpoint
from ..core.process_group import ALONE, ProcessGroup

KEYS = ("settings",)  # metadata of its file
ADAM_KEYS = ("exp_avg", "exp_avg_sq", "step")


@dataclass
class TrainingState:
    """Modules and Adam optimizers by name, a random generator, and the number of steps done.

    `settings` identifies the run, usually as the JSON of its config; a file with other settings is refused.
    Of several `processes`, the first writes the file, with the random states of all, and every one reads it.
    """

    modules: Mapping[str, nn.Module]
    optimizers: Mapping[str, torch.optim.Adam]
    rng: torch.Generator
    settings: str
    step: int = 0
    numbers: dict[str, float] = field(default_factory=dict)
    processes: ProcessGroup = ALONE

    def tensors(self) -> dict[str, Tensor]:
        """The whole state as named CPU tensors."""
        found = {"rng": self.rng.get_state(), "step": torch.tensor(self.step, dtype=torch.int64)}
        found |= {
            f"number.{name}": torch.tensor(value, dtype=torch.float64) for name, value in self.numbers.items()
        }
        for name, module in self.modules.items():
            found |= {f"module.{name}.{key}": value for key, value in module.state_dict().items()}
        for name, optimizer in self.optimizers.items():
            found |= {f"adam.{name}.{key}": value for key, value in _adam_tensors(optimizer).items()}
        return {key: value.detach().cpu().contiguous().clone() for key, value in found.items()}

    def save(self, path: Path) -> None:
        """Write the state atomically: a kill at any moment leaves the old or the new file whole."""
        metadata = {"format": "pstyle.training", "settings": self.settings}
        generators = self.processes.gather(self.rng.get_state())
        if self.processes.first:
            tensors = self.tensors() | {_rng_of(rank): state for rank, state in enumerate(generators)}
            checkpoint.save(path, tensors, metadata, overwrite=True)

    def resume(self, path: Path) -> bool:
        """Load the state if the file exists; True if it did.

        Raises BadFile if the file is damaged, or from another run or number of processes, or if the processes
        do not all see the same file.
        """
        found = Path(path).exists() and self._load(path)
        if len({int(step) for step in self.processes.gather(torch.tensor(self.step))}) > 1:
            raise checkpoint.BadFile(
                f"{str(path)!r} is not the same for all processes: choose a file that all of them can see"
            )
        return found

    def _load(self, path: Path) -> bool:
        tensors, metadata = checkpoint.load(path, lambda _: None, kind="pstyle.training", keys=KEYS)
        if metadata["settings"] != self.settings:
            raise checkpoint.BadFile(
                f"{str(path)!r} is from a run with other settings or pictures: "
                "continue with those, or choose another file"
            )
        if (processes := sum(name.split(".")[0] == "rng" for name in tensors)) != self.processes.size:
            raise checkpoint.BadFile(
                f"{str(path)!r} is from a run with world size {processes}, but this run has "
                f"{self.processes.size}: continue with as many processes, or choose another file"
            )
        self._restore(tensors)
        return True

    def _restore(self, tensors: Mapping[str, Tensor]) -> None:
        for name, module in self.modules.items():
            module.load_state_dict(_under(tensors, f"module.{name}."))
        for name, optimizer in self.optimizers.items():
            _restore_adam(optimizer, _under(tensors, f"adam.{name}."))
        self.numbers = {name: float(value) for name, value in _under(tensors, "number.").items()}
        self.rng.set_state(tensors[_rng_of(self.processes.rank)])
        self.step = int(tensors["step"])


def _rng_of(rank: int) -> str:
    return f"rng.{rank}" if rank else "rng"


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _adam_tensors(optimizer: torch.optim.Adam) -> dict[str, Tensor]:
    state = optimizer.state_dict()["state"]
    return {
        f"{index}.{key}": torch.as_tensor(slot[key]) for index, slot in state.items() for key in ADAM_KEYS
    }


def _restore_adam(optimizer: torch.optim.Adam, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split(".")
        state.setdefault(int(index), {})[key] = value.clone()
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
