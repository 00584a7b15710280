"""What a person sees: lines on stdout, a progress bar on stderr where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from ..core.progress import Progress


def tell(line: str) -> None:
    """A line on stdout."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Follower:
    """An `on_step` that moves a bar and shows the losses behind it."""

    def __init__(self, bar: tqdm) -> None:
        self.bar = bar

    def __call__(self, progress: Progress) -> None:
        self.bar.total = progress.steps
        losses = {name: f"{value:.4g}" for name, value in progress.losses.items()}
        self.bar.set_postfix(losses, refresh=False)
        self.bar.update(progress.step - self.bar.n)


@contextmanager
def steps_bar(what: str, shown: bool = True) -> Iterator[Follower]:
    """A bar that follows a loop: pass what this yields as its `on_step`."""
    with counter(what, shown=shown) as bar:
        yield Follower(bar)


@contextmanager
def counter(what: str, total: int | None = None, unit: str = "step", shown: bool = True) -> Iterator[tqdm]:
    """A bar on stderr; none at all where stderr is no terminal, or in another process than the first."""
    disable = None if shown else True
    with tqdm(total=total, desc=what, unit=unit, file=sys.stderr, disable=disable, leave=False) as bar:
        yield bar
