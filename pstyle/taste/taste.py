"""A person's taste around one style: the next question, the preferences so far, and the resulting style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ..core import checkpoint
from ..core.config import check_settings, setting
from ..core.seeding import generator_of
from ..nets.generator import Generator
from ..nets.vgg import VGG
from ..samples import content_pictures
from ..style.answers import Answer, History, Question
from ..style.style import PREVIEW_PX, Style
from .preference import Belief, Pick, Prior, laplace_posterior
from .questions import best_point, candidates, features, question
from .space import Paint, TasteSpace, find_directions

PRIOR_SQUARES = (1.0, 2.0)  # prior mean and precision: utility falls with distance from the origin
SMALLEST_WEIGHT = 1e-3  # older answers that weigh less are dropped
ENOUGH_CHECKS, FAIR_CONSISTENCY = 3, 0.65
LEARNED_FROM = 3  # answers before a prediction counts
MAX_NOTE = 2000  # characters of a provenance's note
KEPT_ANSWERS = 60  # in a style file; older ones count less than a sixth


@dataclass(frozen=True)
class TasteConfig:
    """Settings of learning a person's taste from choices."""

    directions: int = setting(6, 4, 8, "number of directions in which the style can change")
    options: int = setting(4, 2, 4, "candidates shown at once")
    lapse: float = setting(0.05, 0.0, 0.5, "share of answers assumed to be mistakes")
    recency: float = setting(0.97, 0.5, 1.0, "how much weight an answer keeps each time a new one is given")
    check_every: int = setting(6, 2, 100, "an earlier choice is repeated every so many questions")
    blind_every: int = setting(3, 1, 100, "a randomly drawn candidate is included every so many questions")
    spread: float = setting(0.7, 0.05, 2.0, "how far from the current best candidates are drawn")
    apart: float = setting(
        4.0, 0.0, 20.0, "how different candidates must look, in CIE Lab units; 2.3 is just noticeable"
    )
    seed: int = setting(0, 0, 2**31 - 1, "random seed for the candidates")

    def __post_init__(self) -> None:
        check_settings(self)


class Taste:
    """Questions, answers and the style so far; all state is in the history."""

    def __init__(self, space: TasteSpace, history: History, config: TasteConfig | None = None) -> None:
        self.space, self.history, self.config = space, history, config or TasteConfig()

    @property
    def answers(self) -> list[Answer]:
        """All answers that count."""
        return self.history.answers

    def belief(self, answers: list[Answer] | None = None) -> Belief:
        """The posterior of the person's preferences after the given answers, by default all."""
        c, answers = self.config, self.answers if answers is None else answers
        size = self.space.size
        linear, squares = Prior.even(size), Prior.even(size, PRIOR_SQUARES[1])
        prior = Prior(
            torch.cat([linear.mean, squares.mean + PRIOR_SQUARES[0]]),
            torch.cat([linear.precision, squares.precision]),
        )
        picks = []
        for age, answer in enumerate(reversed(answers)):
            if (weight := c.recency**age) >= SMALLEST_WEIGHT:
                picks += picks_of(answer, weight)
        return laplace_posterior(picks, prior, c.lapse)

    def next_question(self, paint: Paint) -> Question:
        """The next question: the pending one, sometimes a repeated earlier choice, else new candidates."""
        if self.history.pending is None:
            number = len(self.answers)
            rng = generator_of(self.config.seed, number)
            self.history.ask(self._repetition(number, rng) or self._new_question(number, paint, rng))
        return self.history.pending

    def best(self) -> Tensor:
        """The point (d,) with the highest expected utility; the origin if answers contradict each other."""
        if not self.answers or self.contradicts():
            return torch.zeros(self.space.size)
        rng = torch.Generator().manual_seed(self.config.seed)
        belief = self.belief()
        best = best_point(belief, self._pool(torch.zeros(self.space.size), rng))
        for spread in (self.config.spread, self.config.spread / 3):
            around = candidates(best, 512, spread, rng)
            best = best_point(belief, torch.cat([best[None], around]))
        return best

    def style(self) -> Style:
        """The style at the best point, with the answers that led there."""
        best = self.best()
        style = self.space.style_at(best)
        note = f"{style.provenance.note}, chosen by {len(self.answers)} answers".removeprefix(", ")
        return replace(
            style,
            taste=self.history.text(KEPT_ANSWERS, best),
            provenance=replace(style.provenance, note=note[-MAX_NOTE:]),
        )

    def report(self) -> str:
        """The state of the test in a few sentences."""
        count = len(self.answers)
        sentences = [f"{count} answer{'' if count == 1 else 's'} so far."]
        if self.contradicts():
            sentences.append(
                f"Repeated choices came out alike in {self.consistency():.0%} of {self.checks()} cases: too "
                "few to learn what you like. The original style is kept; undo, or answer 'same' where "
                "you see no better one."
            )
        elif found := self.agreement():
            hit, guess = found
            sentences.append(f"{hit:.0%} of your last choices were foreseen (by guessing {guess:.0%}).")
        if not self.contradicts() and self.checks():
            sentences.append(
                f"Repeated choices came out alike in {self.consistency():.0%} of {self.checks()} cases."
            )
        return " ".join(sentences)

    def checks(self) -> int:
        """How many answers repeated an earlier choice."""
        return sum(answer.question.check for answer in self.answers)

    def consistency(self) -> float | None:
        """Share of repeated choices that came out the same, 'same' counting half; None without any."""
        found = [answer for answer in self.answers if answer.question.check]
        if not found:
            return None
        return sum(0.5 if answer.best is None else float(answer.best == 1) for answer in found) / len(found)

    def contradicts(self) -> bool:
        """Whether repeated choices come out so differently that answers mean little."""
        return self.checks() >= ENOUGH_CHECKS and self.consistency() < FAIR_CONSISTENCY

    def agreement(self) -> tuple[float, float] | None:
        """Share of answers predicted correctly in advance, and the share by guessing; None if too few."""
        hits, guesses = [], []
        for number, answer in enumerate(self.answers):
            if number < LEARNED_FROM or answer.best is None or answer.question.check:
                continue
            found = self.belief(self.answers[:number]).utility(features(answer.question.points))
            hits.append(float(found.argmax() == answer.best))
            guesses.append(1 / len(found))
        return (sum(hits) / len(hits), sum(guesses) / len(guesses)) if hits else None

    def _new_question(self, number: int, paint: Paint, rng: torch.Generator) -> Question:
        c, belief = self.config, self.belief()
        blind = number % c.blind_every == c.blind_every - 1
        pool = self._pool(self.best(), rng)
        return Question(question(belief, pool, c.options, c.apart, paint, rng, blind))

    def _pool(self, around: Tensor, rng: torch.Generator) -> Tensor:
        """New candidates, and those that were chosen before."""
        liked = [a.question.points[a.best] for a in self.answers if a.best is not None]
        fresh = candidates(around, 256, self.config.spread, rng)
        return torch.cat([fresh, *[point[None] for point in liked], torch.zeros(1, self.space.size)]).unique(
            dim=0
        )

    def _repetition(self, number: int, rng: torch.Generator) -> Question | None:
        """An earlier choice as a pair, the liked one now second."""
        if number % self.config.check_every != self.config.check_every - 1:
            return None
        known = [
            a
            for a in self.answers
            if a.best is not None and not a.question.check and len(a.question.points) > 1
        ]
        if not known:
            return None
        earlier = known[int(torch.randint(len(known), (), generator=rng))]
        others = [index for index in range(len(earlier.question.points)) if index != earlier.best]
        other = others[int(torch.randint(len(others), (), generator=rng))]
        return Question(earlier.question.points[[other, earlier.best]], check=True)


def picks_of(answer: Answer, weight: float) -> list[Pick]:
    """The picks in an answer: the best of all, then the worst of the rest; 'same' is shared among all."""
    found = features(answer.question.points)
    if answer.best is None:
        return [Pick(found, index, weight / len(found)) for index in range(len(found))]
    picks = [Pick(found, answer.best, weight)]
    if answer.worst is not None:
        rest = [index for index in range(len(found)) if index != answer.best]
        picks.append(Pick(-found[rest], rest.index(answer.worst), weight))
    return picks


def open_taste(
    style: Style,
    pictures: Sequence[Tensor],
    generator: Generator,
    vgg: VGG,
    config: TasteConfig | None = None,
    path: Path | None = None,
) -> Taste:
    """Start a taste test around a style, or continue the file at `path` if it exists.

    The directions come from the pictures, each (1, 3, H, W); without any, from the style's preview or a drawn
    scene. Raises BadFile for a damaged file, or one of another style.
    """
    config = config or TasteConfig()
    seen = list(pictures)
    if not seen and style.preview is not None:
        seen = [style.preview[None].float() / 255]
    seen = seen or content_pictures(1, 2 * PREVIEW_PX, 0)
    directions = find_directions(seen, generator, vgg, config.directions)
    history = History(directions, origin_of(style), path)
    return Taste(TasteSpace(style, history.directions), history, config)


def origin_of(style: Style) -> str:
    """A digest of all numbers of a style, which binds a taste to the style that it began with."""
    offsets = {f"offset.{name}": value for name, value in style.offsets.items()}
    weights = {f"weight.{name}": value for name, value in style.weights.items()}
    return checkpoint.digest({"latent": style.latent, **offsets, **weights})
