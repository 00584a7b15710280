"""Speed of fine-tuning: steps a second beside the cost of a run's parts, and peak memory.

    python benchmarks/finetune_speed.py --images FOLDER [--artist monet] [--steps 300] [--threads 2]

A style is learned from up to five pictures of the artist and fine-tuned with default settings, on drawn
scenes and photographs. Time within a part counts for the innermost one that is named, so that parts add up.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from finetuning import contents_of, pictures_of

from pstyle.finetuning.discriminator_step import DiscriminatorStep
from pstyle.finetuning.equilibrium import GANState
from pstyle.finetuning.finetune_config import FinetuneConfig
from pstyle.finetuning.finetuning import Finetuning
from pstyle.finetuning.fisher_critic import FisherCritic
from pstyle.finetuning.painter_step import PainterStep
from pstyle.finetuning.two_sample_test import TwoSample
from pstyle.finetuning.validation_split import TrainingSplit
from pstyle.losses.perceptual import Perceptual, perceptual_with
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import VGG, load_vgg
from pstyle.training.guarded_optimizer import GuardedOptimizer
from pstyle.training.learning import LearnConfig, learn

PARTS = {
    "crops": (TrainingSplit, "draw"),
    "painting": (GANState, "paint"),
    "VGG": (VGG, "forward"),
    "discriminator's step, else": (DiscriminatorStep, "take"),
    "painter's step, else": (PainterStep, "take"),
    "gradients and Adam": (GuardedOptimizer, "step"),
    "style and content, else": (Perceptual, "terms"),
    "critic": (FisherCritic, "forward"),
    "classifiers of checks": (TwoSample, "two_sample_accuracy"),
    "checks, else": (Finetuning, "_check"),
}


class Stopwatch:
    """Seconds within each part, without those of parts inside it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.open: list[str] = []
        self.since = time.perf_counter()

    def lap(self) -> None:
        """Count the time since the last lap for the innermost open part."""
        now = time.perf_counter()
        if self.open:
            self.seconds[self.open[-1]] += now - self.since
        self.since = now

    def around(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, timed."""

        def timed(*given: Any, **more: Any) -> Any:
            self.lap()
            self.open.append(part)
            try:
                return call(*given, **more)
            finally:
                self.lap()
                self.open.pop()

        return timed


def peak_mib() -> float:
    """Most memory this process has held so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Print steps a second, then a row for each part."""
    parser = argparse.ArgumentParser(description="Speed of fine-tuning.")
    parser.add_argument("--images", type=Path, required=True, help="folder with paintings/ and photos/")
    parser.add_argument("--artist", default="monet", help="folder of paintings, or a procedural artist")
    parser.add_argument("--steps", type=int, default=300, help="steps of fine-tuning at most")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    generator, slim = load_generator(), load_vgg()
    perceptual = perceptual_with(slim)
    contents, (known, _) = contents_of(given.images), pictures_of(given.artist, given.images)
    style = learn(known, contents, generator, slim, perceptual, LearnConfig(steps=20)).style
    watch = Stopwatch()
    for part, (owner, name) in PARTS.items():
        setattr(owner, name, watch.around(part, getattr(owner, name)))
    start = time.perf_counter()
    run = Finetuning(style, known, contents, generator, slim, perceptual, FinetuneConfig(steps=given.steps))
    begun = time.perf_counter() - start
    watch.seconds.clear()
    run.run()
    seconds = time.perf_counter() - start - begun
    found = run.result()
    total = time.perf_counter() - start
    rate = f"{run.state.step / seconds:.2f} steps/s"
    print(f"{run.state.step} steps: {begun:.0f} s to begin, {seconds:.0f} s ({rate}), {total:.0f} s in all")  # noqa: T201
    print(f"peak memory {peak_mib():.0f} MiB; {found.verdict}\n\n| part | ms a step | share |\n|---|---|---|")  # noqa: T201
    for part, spent in sorted(watch.seconds.items(), key=lambda item: -item[1]):
        print(f"| {part} | {1000 * spent / run.state.step:.0f} | {spent / seconds:.0%} |")  # noqa: T201


if __name__ == "__main__":
    main()
