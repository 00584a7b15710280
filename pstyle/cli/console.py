"""Output for people: lines on stdout, and a progress bar on stderr if it is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tqdm import tqdm

from ..core.progress import Progress


def print_line(line: str) -> None:
    """Print a line on stdout at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Follower:
    """An `on_step` that moves a progress bar and shows the losses."""

    def __init__(self, bar: tqdm) -> None:
        self.bar = bar

    def __call__(self, progress: Progress) -> None:
        self.bar.total = progress.steps
        losses = {name: f"{value:.4g}" for name, value in progress.losses.items()}
        self.bar.set_postfix(losses, refresh=False)
        self.bar.update(progress.step - self.bar.n)


@contextmanager
def steps_bar(what: str, shown: bool = True) -> Iterator[Follower]:
    """A progress bar for a loop: pass the yielded callback as its `on_step`."""
    with counter(what, shown=shown) as bar:
        yield Follower(bar)


class StagesBar:
    """An `on_step` and an `on_estimate` for runs of several stages; the bar starts over with each stage."""

    def __init__(self, bar: tqdm, shown: bool) -> None:
        self.bar, self.shown, self.stage = bar, shown, ""

    def __call__(self, stage: str, steps: int, record: Mapping[str, float]) -> None:
        if stage != self.stage:
            self.stage = stage
            self.bar.reset(total=steps)
            self.bar.set_description(stage, refresh=False)
        self.bar.set_postfix(loss=f"{record['loss']:.4g}", refresh=False)
        self.bar.update(record["step"] - self.bar.n)

    def estimate(self, seconds: Mapping[str, float]) -> None:
        """Print the estimated time of each stage and of the whole run on stderr."""
        lines = [f"{duration(value):>10}  {name}" for name, value in seconds.items()]
        whole = f"{duration(sum(seconds.values())):>10}  in all, as measured on a few steps"
        for line in (*lines, whole) if self.shown else ():
            self.bar.write(line, file=sys.stderr)


@contextmanager
def stages_bar(shown: bool = True) -> Iterator[StagesBar]:
    """A progress bar for a run of several stages."""
    with counter("preparing", shown=shown) as bar:
        yield StagesBar(bar, shown)


def duration(seconds: float) -> str:
    """A duration for people: 12 s, 34 min, 5.6 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


@contextmanager
def counter(what: str, total: int | None = None, unit: str = "step", shown: bool = True) -> Iterator[tqdm]:
    """A progress bar on stderr; hidden if stderr is not a terminal, and in all processes but the first."""
    disable = None if shown else True
    with tqdm(total=total, desc=what, unit=unit, file=sys.stderr, disable=disable, leave=False) as bar:
        yield bar
