"""The device that nodes run on when no ComfyUI is there to say: auto, cpu or cuda."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("pstyle_device", default="auto")


def current_device() -> str:
    """The device asked for here: that of the innermost `use_device`, else "auto"."""
    return _current.get()


@contextmanager
def use_device(device: str) -> Iterator[str]:
    """Make `device` the one asked for inside the block (a thread started inside sees "auto")."""
    token = _current.set(device)
    try:
        yield device
    finally:
        _current.reset(token)
