"""A cache of the values that painting computes from a picture, keyed by content and bounded in bytes."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from threading import Lock
from typing import Any, TypeVar

import torch
from torch import Tensor

KEPT_BYTES = 256 << 20  # a 1024x1024 px picture in float32 takes some 100 MiB
LARGEST_SHARE = 1 / 4  # of the limit; pictures that need more are not cached at all
Value = TypeVar("Value")


class ActivationCache:
    """Values computed once per picture; above `limit_bytes`, the least recently used are evicted.

    A value is a tensor, or tuples and mappings of tensors, and must not be modified. A limit of 0 disables
    the cache.
    """

    def __init__(self, limit_bytes: int = KEPT_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self.bytes = 0
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = Lock()

    def of(self, picture: Tensor | None, *context: Hashable) -> CacheView:
        """The cached values of a picture (any shape) in a context, such as the networks that read it.

        None, and pictures that take more than a quarter of the limit, get a view that caches nothing.
        """
        if picture is None or picture.nbytes > self.limit_bytes * LARGEST_SHARE:
            return CacheView(None, ())
        return CacheView(self, (digest(picture), *context))

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The cached value of a key, computed by `make` if it is missing."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
        value = make()  # outside the lock: this takes long and may look up other values
        self._keep(key, value)
        return value

    def clear(self) -> None:
        """Drop all values."""
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
    """The cached values of one picture: `view(name, make)` looks up a name and computes it if missing."""

    def __init__(self, memory: ActivationCache | None, key: tuple[Hashable, ...]) -> None:
        self._memory, self._key = memory, key

    def __call__(self, name: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a name, computed by `make` if it is missing."""
        return make() if self._memory is None else self._memory.get((*self._key, name), make)


NO_CACHE = CacheView(None, ())  # caches nothing: every value is computed anew


def digest(picture: Tensor) -> bytes:
    """SHA-256 of a picture's shape, dtype and values."""
    numbers = picture.detach().cpu().contiguous()
    header = f"{tuple(numbers.shape)} {numbers.dtype}".encode()
    found = hashlib.sha256(header)
    found.update(numbers.view(torch.uint8).numpy())
    return found.digest()


def bytes_of(value: Any) -> int:
    """Total bytes of the tensors in a value."""
    if isinstance(value, Tensor):
        return value.nbytes
    parts = value.values() if isinstance(value, Mapping) else value
    return sum(bytes_of(part) for part in parts)
