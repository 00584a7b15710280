"""What the engine asks of Ray, done in this process: rows, one worker, and its loss after some shards."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any


class Rows:
    """A dataset of rows, as far as it is used; its worker is lost, once, after `lost_after` shards."""

    def __init__(self, rows: list[dict[str, str]], seen: dict[str, Any]) -> None:
        self.rows, self.seen = rows, seen

    def map_batches(self, worker: type, *, fn_constructor_args: tuple, **options: Any) -> Rows:
        self.seen.update(options, job=fn_constructor_args[0])
        self.new_worker = lambda: worker(*fn_constructor_args)
        return self

    def iter_rows(self) -> Iterator[dict[str, str]]:
        worker = self.new_worker()
        for number, row in enumerate(self.rows):
            if number == self.seen.get("lost_after"):
                worker({"shard": [row["shard"]]})  # done, and lost with the worker before it is told
                worker = self.new_worker()
            yield {name: values[0] for name, values in worker({"shard": [row["shard"]]}).items()}


def stand_in(cores: int, lost_after: int | None = None) -> tuple[SimpleNamespace, dict[str, Any]]:
    """The module, and what it was asked for."""
    seen: dict[str, Any] = {"lost_after": lost_after, "begun": 0, "ended": 0}

    def count(what: str) -> None:
        seen[what] += 1

    data = SimpleNamespace(
        DataContext=SimpleNamespace(get_current=lambda: SimpleNamespace()),
        ActorPoolStrategy=lambda size: size,
        from_items=lambda rows, override_num_blocks: Rows(rows, seen),
    )
    module = SimpleNamespace(
        data=data,
        is_initialized=lambda: False,
        init=lambda **given: count("begun"),
        shutdown=lambda: count("ended"),
        cluster_resources=lambda: {"CPU": float(cores)},
    )
    return module, seen
