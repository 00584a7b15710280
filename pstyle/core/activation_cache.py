"""What painting needs of a picture, kept for the next painting of it: found by content, bounded in bytes."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from threading import Lock
from typing import Any, TypeVar

import torch
from torch import Tensor

KEPT_BYTES = 256 << 20  # some 100 MiB are kept of a picture of 1024x1024 px in float32
LARGEST_SHARE = 1 / 4  # of the limit that one picture may take and still have anything kept
Value = TypeVar("Value")


class ActivationCache:
    """Values made once for a picture and kept, those least recently used let go when all take more than
    `limit_bytes`; with a limit of 0 nothing is kept.

    A value is a tensor, or tuples and mappings of them; whoever takes one must not change it.
    """

    def __init__(self, limit_bytes: int = KEPT_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self.bytes = 0
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = Lock()

    def of(self, picture: Tensor | None, *context: Hashable) -> CacheView:
        """What is known of a picture's content (any shape) in a context, such as the networks that read it.

        Nothing is ever known of None, nor of a picture that takes more than a quarter of the limit.
        """
        if picture is None or picture.nbytes > self.limit_bytes * LARGEST_SHARE:
            return CacheView(None, ())
        return CacheView(self, (digest(picture), *context))

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key: the one kept, or `make`'s, which is then kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
        value = make()  # outside of the lock: it takes long, and may ask for other values
        self._keep(key, value)
        return value

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._values.clear()
            self.bytes = 0

    def _keep(self, key: Hashable, value: Any) -> None:
        size = bytes_of(value)
        with self._lock:
            if size > self.limit_bytes or key in self._values:
                return
            self._values[key] = value, size
            self.bytes += size
            while self.bytes > self.limit_bytes:
                self.bytes -= self._values.popitem(last=False)[1][1]


class CacheView:
    """What is known of one picture: `known(name, make)` gives the value of a name, made if it is not kept."""

    def __init__(self, memory: ActivationCache | None, key: tuple[Hashable, ...]) -> None:
        self._memory, self._key = memory, key

    def __call__(self, name: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a name."""
        return make() if self._memory is None else self._memory.get((*self._key, name), make)


NO_CACHE = CacheView(None, ())  # is known: everything is made anew


def digest(picture: Tensor) -> bytes:
    """SHA-256 of a picture's shape, type and numbers."""
    numbers = picture.detach().cpu().contiguous()
    header = f"{tuple(numbers.shape)} {numbers.dtype}".encode()
    found = hashlib.sha256(header)
    found.update(numbers.view(torch.uint8).numpy())
    return found.digest()


def bytes_of(value: Any) -> int:
    """Bytes of all tensors in a value."""
    if isinstance(value, Tensor):
        return value.nbytes
    parts = value.values() if isinstance(value, Mapping) else value
    return sum(bytes_of(part) for part in parts)
