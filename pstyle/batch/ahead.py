"""Overlapping work: one stage computes in its own thread while the next consumes its earlier results."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def ahead(work: Callable[[Given], Made], items: Iterable[Given], count: int = 1) -> Iterator[Made]:
    """Map `work` over items in order, in a thread that runs ahead of the consumer by `count` items.

    Items are drawn in the caller's thread, so stages can be nested, with the caller's own work between them.
    At most `count` + 1 results wait. Exceptions in `work` are raised here, after the items already started
    are done.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        waiting: deque[Future[Made]] = deque()
        for item in items:
            waiting.append(thread.submit(work, item))
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
