"""Protects learning from choices: it leads to what is liked, tells when answers mean little, and resumes."""

from __future__ import annotations

import pytest
import torch

from pstyle.style.answers import SUFFIX, History, Question, parse_history
from pstyle.style.provenance import Provenance
from pstyle.style.style import describe_style, load_style, preview_of, save_style
from pstyle.style.styled_generator import StyledGenerator
from pstyle.taste.space import TasteSpace
from pstyle.taste.taste import Taste, TasteConfig, open_taste
from tests.conftest import random_picture

SIZE = 4


def colors(points: torch.Tensor) -> torch.Tensor:
    """Pictures (K, 3, 8, 8) that differ wherever the first three coordinates do."""
    return (0.5 + points[:, :3] / 6).clamp(0, 1)[:, :, None, None].expand(-1, -1, 8, 8)


@pytest.fixture
def origin(tiny_generator):
    latent = torch.randn(4, 16, generator=torch.Generator().manual_seed(2))
    preview = preview_of(random_picture(torch.Generator().manual_seed(3), 64, 64))
    return StyledGenerator(tiny_generator, latent).style(Provenance(note="learned"), preview)


@pytest.fixture
def taste(origin):
    directions = torch.randn(SIZE, 16, generator=torch.Generator().manual_seed(1))
    return Taste(TasteSpace(origin, directions), History(directions, "x"), TasteConfig(directions=SIZE))


def choose(taste: Taste, wanted: torch.Tensor, count: int) -> None:
    for _ in range(count):
        points = taste.next_question(colors).points
        taste.history.answer(int((points - wanted).square().sum(1).argmin()))


def test_without_answers_the_style_stays(taste, origin):
    assert torch.equal(taste.style().latent, origin.latent) and taste.report() == "0 answers so far."


@pytest.mark.parametrize("seed", range(4))
def test_choices_lead_to_what_is_liked(taste, seed):
    wanted = 1.5 * torch.nn.functional.normalize(
        torch.randn(SIZE, generator=torch.Generator().manual_seed(seed)), dim=0
    )
    choose(taste, wanted, 16)
    assert (taste.best() - wanted).norm() < 0.55 * wanted.norm()
    assert taste.agreement()[0] > taste.agreement()[1]


def test_the_style_moves_to_the_best_point_and_keeps_its_answers(taste, origin, tmp_path):
    choose(taste, torch.tensor([1.5, 0.0, 0.0, 0.0]), 8)
    found = taste.style()
    moved = taste.best() @ taste.space.directions
    assert torch.allclose(found.latent.float(), origin.latent.float() + moved, atol=0.02)
    assert found.provenance.note == "learned, chosen by 8 answers"
    save_style(tmp_path / "s.safetensors", found)
    again = load_style(tmp_path / "s.safetensors")
    assert describe_style(again)["answers"] == 8
    kept = parse_history(again.taste)
    assert [a.best for a in kept.answers] == [a.best for a in taste.answers]
    begun = again.latent.float() - kept.at @ kept.directions  # the way back is in the file
    assert torch.allclose(begun, origin.latent.float(), atol=0.02)


def test_recent_answers_count_more(taste):
    left, right = torch.tensor([[-1.0, 0, 0, 0], [1.0, 0, 0, 0]])
    for best in [0] * 30 + [1] * 30:
        taste.history.ask(Question(torch.stack([left, right])))
        taste.history.answer(best)
    assert taste.best()[0] > 0
    even = Taste(taste.space, taste.history, TasteConfig(directions=SIZE, recency=1.0))
    assert abs(even.belief().mean[0]) < 0.1 < taste.belief().mean[0]


def test_same_pulls_together_what_it_was_said_of(taste):
    pair = torch.tensor([[-1.0, 0, 0, 0], [1.0, 0, 0, 0]])
    taste.history.ask(Question(pair))
    taste.history.answer(0)
    sure = taste.belief().mean[0].item()
    for _ in range(6):
        taste.history.ask(Question(pair))
        taste.history.answer(None)
    assert sure < taste.belief().mean[0].item() < 0


def test_the_worst_counts_against_what_it_was_said_of(taste):
    points = torch.tensor([[1.0, 0, 0, 0], [0.0, 1, 0, 0], [0.0, 0, 1, 0]])
    taste.history.ask(Question(points))
    taste.history.answer(0, worst=2)
    mean = taste.belief().mean
    assert mean[0] > 0 > mean[2] and mean[1] > mean[2]


def test_every_few_questions_one_repeats_an_earlier_choice_with_its_sides_exchanged(taste):
    choose(taste, torch.tensor([1.0, 0.0, 0.0, 0.0]), 5)
    found = taste.next_question(colors)
    assert found.check and len(found.points) == 2
    chosen = [a.question.points[a.best].tolist() for a in taste.answers]
    assert found.points[1].tolist() in chosen


def test_whoever_contradicts_themselves_is_told_so_and_keeps_the_style(taste, origin):
    for _ in range(18):
        asked = taste.next_question(colors)
        taste.history.answer(0)  # always the first: in a repetition that is the other one
        assert not asked.check or len(asked.points) == 2
    assert taste.checks() == 3 and taste.consistency() == 0
    assert taste.contradicts() and "too few to learn what you like" in taste.report()
    assert torch.equal(taste.style().latent, origin.latent)


def test_agreement_counts_only_what_was_foreseen_before(taste):
    points = torch.eye(SIZE)[:2]
    for best in (0, 0, 0, 0, 1):
        taste.history.ask(Question(points))
        taste.history.answer(best)
    assert taste.agreement() == (0.5, 0.5)  # answers 4 and 5: one foreseen, one not


def test_the_same_answers_ask_the_same_questions(origin, tiny_generator, tiny_vgg, tmp_path):
    def asked(path, stops):
        for _ in range(stops):
            taste = open_taste(origin, [], tiny_generator, tiny_vgg, TasteConfig(apart=0), path)
            for _ in range(6 // stops):
                taste.next_question(colors)
                taste.history.answer(1)
        return [a.question.points.tolist() for a in taste.answers]

    in_one_go, with_breaks = (asked(tmp_path / f"{n}{SUFFIX}", n) for n in (1, 3))
    assert in_one_go == with_breaks


def test_no_question_holds_a_point_twice(taste):
    for _ in range(12):
        points = taste.next_question(colors).points
        assert len(points.unique(dim=0)) == len(points)
        taste.history.answer(0)
