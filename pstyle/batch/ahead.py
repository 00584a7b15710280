"""Work that overlaps: one stage computes in a thread of its own while the next uses what came before."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def ahead(work: Callable[[Given], Made], items: Iterable[Given], count: int = 1) -> Iterator[Made]:
    """What `work` makes of items, in their order; a thread is ahead of what is asked for by `count` items.

    Items are drawn in the caller's thread, so stages can be put into one another: the caller computes what
    lies between two of them. No more than `count` + 1 results wait. What `work` raises is raised here, after
    the items already begun are done.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        waiting: deque[Future[Made]] = deque()
        for item in items:
            waiting.append(thread.submit(work, item))
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
