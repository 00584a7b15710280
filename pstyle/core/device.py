"""The device that nodes run on without ComfyUI: auto, cpu or cuda."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

_current: ContextVar[str] = ContextVar("pstyle_device", default="auto")


def current_device() -> str:
    """The device of the innermost `use_device`, else "auto"."""
    return _current.get()


@contextmanager
def use_device(device: str) -> Iterator[str]:
    """Use `device` inside the block (a thread started inside sees "auto")."""
    token = _current.set(device)
    try:
        yield device
    finally:
        _current.reset(token)


def choose_device(device: str | torch.device = "auto") -> torch.device:
    """Resolve "auto" (CUDA if available, else CPU), "cpu" or "cuda".

    Raises ValueError if the device is not available.
    """
    if str(device) == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    chosen = torch.device(device)
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' was requested, but torch finds no CUDA device: use 'cpu' or 'auto'")
    return chosen
