"""Speed of learning: steps a second, seconds until the style distance is 0.05, and where a step's time goes.

    python benchmarks/learn_speed.py --images FOLDER --vgg FOLDER [--steps 300]

For held-out pairs, one painting is learned and every 20 steps the photograph is painted and judged, off the
clock. Then ten steps run under torch's profiler: the share of their time that is spent within operations.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from judge import load_judge_vgg, open_picture
from split import held_out_pairs
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from pstyle.cli.inputs import open_contents, perceptual
from pstyle.core.progress import Progress
from pstyle.evaluation.metrics import STYLE_LAYERS, style_score
from pstyle.nets.generator import load_generator
from pstyle.nets.vgg import VGG, load_vgg
from pstyle.painting.painter import Painter
from pstyle.style.provenance import Provenance
from pstyle.training.learning import LearnConfig, Learning

WANTED = 0.05
EVERY = 20


def learning_of(painting: Tensor, steps: int) -> Learning:
    """A learning with default settings but for its steps."""
    config, slim = LearnConfig(steps=steps), load_vgg()
    contents = open_contents(None, config.size_px, config.seed)
    return Learning([painting], contents, load_generator(), slim, perceptual("loss", slim), config)


class Stopwatch:
    """Judges a learning every few steps, and leaves that out of its time."""

    def __init__(self, learning: Learning, photo: Tensor, painting: Tensor, judging: VGG) -> None:
        self.learning, self.photo, self.judging = learning, photo, judging
        with torch.inference_mode():
            self.target = judging(painting, STYLE_LAYERS)
        self.seconds, self.since, self.curve = 0.0, time.perf_counter(), []

    def __call__(self, progress: Progress) -> None:
        self.seconds += time.perf_counter() - self.since
        if progress.step % EVERY == 0:
            style = self.learning.styled.style(Provenance())
            painter = Painter(style, self.learning.generator, self.learning.vgg, "cpu")
            with torch.inference_mode():
                distance = style_score(self.judging(painter(self.photo), STYLE_LAYERS), self.target)
            self.curve.append((progress.step, self.seconds, distance))
        self.since = time.perf_counter()


def busy_share(painting: Tensor) -> float:
    """Share of the time of ten steps that operations take, the rest being Python between them."""
    learning = learning_of(painting, 13)
    marks: list[float] = []
    with profile(activities=[ProfilerActivity.CPU]) as found:
        learning.run(lambda progress: marks.append(time.perf_counter()))
    operations = [event for event in found.events() if event.cpu_parent is None]
    busy = sum(event.cpu_time_total for event in operations) / 1e6
    return busy / ((marks[-1] - marks[2]) * len(marks) / (len(marks) - 3))


def main() -> None:
    """Print a row for each pair, then the profile."""
    parser = argparse.ArgumentParser(description="Speed of learning.")
    parser.add_argument("--images", type=Path, required=True, help="folder with paintings/ and photos/")
    parser.add_argument("--vgg", type=Path, required=True, help="folder with vgg19_relu3_1.safetensors")
    parser.add_argument("--steps", type=int, default=LearnConfig().steps, help="steps of learning")
    parser.add_argument("--count", type=int, default=8, help="held-out pairs, 1 to 15")
    given = parser.parse_args()
    torch.set_num_threads(2)
    judging = load_judge_vgg(given.vgg)
    print(f"| painting | steps/s | seconds to {WANTED} | style distance by step |\n|---|---|---|---|")  # noqa: T201
    for painting_path, photo_path in held_out_pairs(given.images, given.count):
        painting, photo = open_picture(painting_path), open_picture(photo_path)
        learning = learning_of(painting, given.steps)
        watch = Stopwatch(learning, photo, painting, judging)
        learning.run(watch)
        reached = next((f"{seconds:.0f}" for _, seconds, far in watch.curve if far <= WANTED), "not reached")
        curve = ", ".join(f"{step}: {distance:.3f}" for step, _, distance in watch.curve)
        rate = f"{given.steps / watch.seconds:.2f}"
        print(f"| {painting_path.parent.name} | {rate} | {reached} | {curve} |", flush=True)  # noqa: T201
    print(f"share of a step's time within operations: {busy_share(painting):.2f}")  # noqa: T201


if __name__ == "__main__":
    main()
