"""Do choices lead to what a person likes? Simulated people with a hidden utility, ours beside others' ways.

    python benchmarks/taste.py [--people 40] [--answers 20] [STYLE.safetensors PICTURE...]

* latent: likes what is near a hidden point of the space.
* picture: likes a hidden colorfulness, stroke size and contrast of the painted picture, which are no
  coordinates of the space.

One answer in ten is wrong, and what is liked drifts. After 8 and 20 answers the chosen style is compared with
the starting one on pictures that were never shown; regret is what the best reachable style would still gain,
in parts of what it gains over the start, both summed over people. Random: the best so far among three new
random points. Sliders: the best of four positions of one direction after the other.

Without a style, one is encoded of a procedural artist's pictures; contents are drawn scenes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean

import torch
from torch import Tensor

from pstyle.image.colors import luma
from pstyle.image.reading import open_image
from pstyle.image.resizing import resize_short_side
from pstyle.losses.perceptual import perceptual_with
from pstyle.nets.generator import Generator, load_generator
from pstyle.nets.vgg import VGG, load_vgg
from pstyle.samples import content_pictures, paint_as
from pstyle.style.answers import History
from pstyle.style.style import Style, load_style
from pstyle.taste.space import Paint, TasteSpace, find_directions
from pstyle.taste.taste import Taste, TasteConfig
from pstyle.training.learning import LearnConfig, learn

WRONG, DRIFT = 0.1, 0.05  # share of wrong answers; how far what is liked moves with each, in steps
SIDE_PX, HELD_OUT = 128, 4
STRATEGIES = ("choices", "random", "sliders")
POSITIONS = (-1.5, -0.5, 0.5, 1.5)

Utility = Callable[[Tensor], Tensor]  # points (K, d) -> (K,)


def colorfulness(image: Tensor) -> Tensor:
    """Colorfulness (B,) of pictures (B, 3, H, W) after Hasler & Suesstrunk, 2003."""
    red, green, blue = image.unbind(1)
    opponents = torch.stack([red - green, (red + green) / 2 - blue], dim=1).flatten(2)
    return opponents.var(2).sum(1).sqrt() + 0.3 * opponents.mean(2).square().sum(1).sqrt()


def contrast(image: Tensor) -> Tensor:
    """Deviation (B,) of the luma."""
    return luma(image).flatten(1).std(1)


def stroke_size(image: Tensor) -> Tensor:
    """Mean wavelength (B,) of the luma, as the log of its deviation over that of its slopes."""
    gray = luma(image)
    slopes = (
        (gray[..., 1:] - gray[..., :-1]).flatten(1).std(1),
        (gray[..., 1:, :] - gray[..., :-1, :]).flatten(1).std(1),
    )
    return (gray.flatten(1).std(1) / (slopes[0] * slopes[1]).sqrt().clamp_min(1e-6)).log()


def look(image: Tensor) -> Tensor:
    """(B, 3): what people who judge pictures see of pictures (B, 3, H, W)."""
    return torch.stack([colorfulness(image), stroke_size(image), contrast(image)], dim=1)


class LatentPerson:
    """Likes what is near a hidden point."""

    def __init__(self, size: int, paints: Sequence[Paint], rng: torch.Generator) -> None:
        self.wanted, self.rng = torch.randn(size, generator=rng).clamp(-2, 2), rng

    def utilities(self) -> list[Utility]:
        """Of the picture shown, and of those that are not: the same."""
        wanted = self.wanted.clone()
        return [lambda points: -(points - wanted).square().sum(1)] * (1 + HELD_OUT)

    def drift(self) -> None:
        """What is liked moves a little."""
        self.wanted += DRIFT * torch.randn(len(self.wanted), generator=self.rng)


class PicturePerson:
    """Likes a hidden change of color, strokes and contrast against what the starting style paints."""

    def __init__(self, size: int, paints: Sequence[Paint], rng: torch.Generator) -> None:
        self.paints, self.rng = paints, rng
        self.wanted = torch.randn(3, generator=rng)
        self.start = [look(paint(torch.zeros(1, size))) for paint in paints]
        spread = look(paints[0](torch.randn(24, size, generator=torch.Generator().manual_seed(0))))
        self.unit = spread.std(0)

    def utilities(self) -> list[Utility]:
        """Of the picture shown, and of those that are not."""
        wanted = self.wanted.clone()

        def of(paint: Paint, start: Tensor) -> Utility:
            return lambda points: -((look(paint(points)) - start) / self.unit - wanted).square().sum(1)

        return [of(*both) for both in zip(self.paints, self.start, strict=True)]

    def drift(self) -> None:
        """What is liked moves a little."""
        self.wanted += DRIFT * torch.randn(3, generator=self.rng)


PEOPLE = {"latent": LatentPerson, "picture": PicturePerson}


def pick(utility: Utility, points: Tensor, rng: torch.Generator) -> int:
    """The number of the point liked most, or of another in one case of ten."""
    best = int(utility(points).argmax())
    if len(points) == 1 or torch.rand((), generator=rng) >= WRONG:
        return best
    others = [index for index in range(len(points)) if index != best]
    return others[int(torch.randint(len(others), (), generator=rng))]


def choices(
    person, space: TasteSpace, paint: Paint, answers: int, rng: torch.Generator, seed: int
) -> list[Tensor]:
    """The point led to after each answer, by our questions."""
    taste = Taste(
        space, History(space.directions, "simulated"), TasteConfig(seed=seed, directions=space.size)
    )
    path = [taste.best()]
    for _ in range(answers):
        asked = taste.next_question(paint)
        taste.history.answer(pick(person.utilities()[0], asked.points, rng))
        person.drift()
        path.append(taste.best())
    return path


def at_random(
    person, space: TasteSpace, paint: Paint, answers: int, rng: torch.Generator, seed: int
) -> list[Tensor]:
    """... by the best so far beside three random points."""
    path = [torch.zeros(space.size)]
    for _ in range(answers):
        points = torch.cat([path[-1][None], torch.randn(3, space.size, generator=rng).clamp(-2, 2)])
        path.append(points[pick(person.utilities()[0], points, rng)])
        person.drift()
    return path


def by_sliders(
    person, space: TasteSpace, paint: Paint, answers: int, rng: torch.Generator, seed: int
) -> list[Tensor]:
    """... by four positions of one direction after the other."""
    path = [torch.zeros(space.size)]
    for number in range(answers):
        points = path[-1].repeat(len(POSITIONS), 1)
        points[:, number % space.size] = torch.tensor(POSITIONS)
        path.append(points[pick(person.utilities()[0], points, rng)])
        person.drift()
    return path


WAYS = dict(zip(STRATEGIES, (choices, at_random, by_sliders), strict=True))


def life(kind: str, way: str, space: TasteSpace, paints: Sequence[Paint], answers: int, seed: int):
    """One person asked by one way: utility still missing after each answer, the most there was to gain, and
    the share of unseen pictures on which the point led to beats the start.
    """
    rng = torch.Generator().manual_seed(1000 + seed)
    person = PEOPLE[kind](space.size, paints, rng)
    path = WAYS[way](person, space, paints[0], answers, rng, seed)
    shown, *held_out = person.utilities()
    start = torch.zeros(1, space.size)
    reachable = torch.cat([torch.stack(path), torch.randn(200, space.size, generator=rng).clamp(-2, 2)])
    low, high = shown(start).item(), shown(reachable).max().item()
    missing = [high - shown(point[None]).item() for point in path]
    wins = [mean(float(utility(point[None]) > utility(start)) for utility in held_out) for point in path]
    return missing, high - low, wins


def start_of(
    given: argparse.Namespace, generator: Generator, vgg: VGG
) -> tuple[Style, list[Tensor], list[Tensor]]:
    """The starting style, the person's pictures and the contents."""
    scenes = [
        resize_short_side(scene, SIDE_PX)[..., :SIDE_PX, :SIDE_PX]
        for scene in content_pictures(1 + HELD_OUT, 256, 0)
    ]
    if given.files:
        return load_style(given.files[0]), [open_image(path) for path in given.files[1:]], scenes
    pictures = [paint_as("oil", content_pictures(1, 256, seed)[0], seed) for seed in (1, 2, 3)]
    perceptual = perceptual_with(vgg)
    return learn(pictures, scenes, generator, vgg, perceptual, LearnConfig(steps=0)).style, pictures, scenes


def main() -> None:
    """Print a row for each kind of person and way of asking."""
    parser = argparse.ArgumentParser(description="Simulated people.")
    parser.add_argument(
        "files", type=Path, nargs="*", help="a style file, and the pictures it was learned from"
    )
    parser.add_argument("--people", type=int, default=40, help="people of each kind")
    parser.add_argument("--answers", type=int, default=20, help="answers of each")
    parser.add_argument("--kinds", nargs="+", choices=PEOPLE, default=list(PEOPLE))
    parser.add_argument("--ways", nargs="+", choices=STRATEGIES, default=list(STRATEGIES))
    given = parser.parse_args()
    generator, vgg = load_generator(), load_vgg()
    style, pictures, scenes = start_of(given, generator, vgg)
    space = TasteSpace(style, find_directions(pictures, generator, vgg, TasteConfig().directions))
    paints = [space.painter(scene, generator) for scene in scenes]
    shown = sorted({0, 4, 8, 12, 16, given.answers} & set(range(given.answers + 1)))
    heads = [f"regret {n}" for n in shown] + ["wins 8", f"wins {given.answers}"]
    print("| people | asked by | " + " | ".join(heads) + " |\n" + "|---" * (2 + len(heads)) + "|")  # noqa: T201
    for kind in given.kinds:
        for way in given.ways:
            lives = [life(kind, way, space, paints, given.answers, seed) for seed in range(given.people)]
            regrets = [
                sum(missing[n] for missing, _, _ in lives) / sum(most for _, most, _ in lives) for n in shown
            ]
            wins = [mean(won[n] for _, _, won in lives) for n in (min(8, given.answers), given.answers)]
            cells = [f"{value:.2f}" for value in regrets] + [f"{value:.0%}" for value in wins]
            print("| " + " | ".join([kind, way, *cells]) + " |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
