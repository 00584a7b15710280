"""Protects the parts of a report: every text escaped, scores in the right columns."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pstyle.evaluation import report_sections
from pstyle.evaluation.html_page import page, picture_tag, section
from pstyle.losses.perceptual import Perceptual
from pstyle.painting.painter import Painter
from pstyle.style.provenance import Provenance
from pstyle.style.style import preview_of
from pstyle.training.learning import LearnConfig, Learning
from tests.conftest import random_picture
from tests.evaluation.html_reading import HOSTILE, Page


@pytest.fixture
def photos(rng: torch.Generator) -> dict[str, torch.Tensor]:
    return {"one": random_picture(rng, 64, 80), "two": random_picture(rng, 72, 66)}


@pytest.fixture
def written(painter: Painter, rng: torch.Generator) -> Painter:
    """A painter whose style tells where it came from."""
    told = Provenance(
        2, "80x64, 90x70", 3, 85, '{"steps": 85, "lr_latent": 0.02}', "2026-11-25", "pstyle 1", ""
    )
    painter.style = replace(painter.style, provenance=told, preview=preview_of(random_picture(rng, 96, 96)))
    return painter


def test_a_stranger_cannot_write_into_the_page(written, tiny_vgg, photos) -> None:
    """Every text of a style file, the names and the figures' titles; also settings that are no JSON."""
    for settings in (HOSTILE, '{"%s": "%s"}' % ((HOSTILE.replace('"', "'"),) * 2)):
        told = Provenance(
            sizes_px=HOSTILE, settings=settings, date="<b>now", versions=HOSTILE, note=f"fine-tuned {HOSTILE}"
        )
        written.style = replace(written.style, provenance=told, license=HOSTILE, generator_id=HOSTILE)
        figures = {HOSTILE: photos["one"]}
        source = page(
            HOSTILE,
            report_sections.header_of(HOSTILE, written.style),
            [
                report_sections.learned_from(written.style, []),
                report_sections.settings_of(written.style),
                report_sections.verdict(written.style),
                report_sections.pair_tag(report_sections.Pair(HOSTILE, *photos.values())),
                *(section(title, picture_tag(one, title)) for title, one in figures.items()),
            ],
        )
        found = Page(source)
        assert {tag for tag, _ in found.tags}.isdisjoint(
            {"script", "b", "a", "link", "iframe", "base", "form"}
        )
        assert all(image["src"].startswith("data:image/") for image in found.all("img"))
        assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
        assert HOSTILE in found.texts and "<script" not in source and 'alert(1)"' not in source


def test_settings_of_any_shape_are_shown_as_they_are(written) -> None:
    for settings in ('{"a": [[1]]}', "[1, 2]", "not JSON", '{"a": ' + 1000 * "[" + 1000 * "]" + "}"):
        written.style = replace(written.style, provenance=Provenance(settings=settings))
        assert settings in Page(report_sections.settings_of(written.style)).texts


def test_a_verdict_is_shown_where_the_file_tells_one(written) -> None:
    won = replace(written.style, provenance=Provenance(note="fine-tuned after 85 steps"))
    assert "It improved the style on held-out pictures: fine-tuned after 85 steps" in report_sections.verdict(
        won
    )
    assert "The file records none" in report_sections.verdict(written.style)


def test_a_history_is_that_of_a_learning(tiny_generator, tiny_vgg, rng) -> None:
    config = LearnConfig(steps=2, size_px=128, crop_px=64, batch=1)
    picture, content = random_picture(rng, 80, 96), random_picture(rng, 96, 96)
    learning = Learning([picture], [content], tiny_generator, tiny_vgg, Perceptual([tiny_vgg]), config)
    learning.run()
    assert "<h2>Curves</h2>" in report_sections.curves(learning.history) and report_sections.curves([]) == ""


def test_a_header_counts_pictures_and_shows_a_preview_if_there_is_one(written) -> None:
    for count, words in ((1, "from 1 picture in"), (3, "from 3 pictures in")):
        told = replace(written.style.provenance, pictures=count)
        found = Page(report_sections.header_of("name", replace(written.style, provenance=told)))
        assert any(words in text for text in found.texts) and len(found.all("img")) == 1
    assert Page(report_sections.header_of("name", replace(written.style, preview=None))).all("img") == []


@pytest.mark.parametrize(("size", "shown"), [((48, 96), (24, 48)), ((24, 90), (24, 90)), ((7, 5), (7, 5))])
def test_pictures_are_reduced_and_never_enlarged(rng, size, shown) -> None:
    image = torch.rand(1, 3, *size, generator=rng)
    found = report_sections.reduced(image, 24)
    assert tuple(found.shape[2:]) == shown and (size != shown or found is image)


def test_scores_stand_beside_those_of_the_photograph_and_need_style_pictures(tiny_vgg, pictures, rng) -> None:
    """A painting that is the photograph has the photograph's own scores."""
    same = random_picture(rng, 64, 72)
    source = report_sections.scores_of([report_sections.Pair("a", same, same)], pictures, tiny_vgg, "judge")
    words = [word for word in Page(source).texts if word.strip()]
    for name in ("style", "patch_swd", "color", "ssim"):
        place = words.index(name)
        assert words[place + 1] == words[place + 2]
    assert float(words[words.index("ssim") + 1]) == pytest.approx(1, abs=1e-3)
    assert "Means over 1 painting, judged by the network judge." in words
    assert "none were given" in report_sections.scores_of([], [], tiny_vgg, "judge")


def test_a_pair_and_a_strength_are_named_under_their_pictures(rng) -> None:
    before, after = torch.rand(2, 1, 3, 20, 30, generator=rng)
    found = Page(report_sections.pair_tag(report_sections.Pair("the lake", before, after)))
    assert [image["alt"] for image in found.all("img")] == ["the lake, before", "the lake, after"]
    assert found.texts == ["the lake"]
    assert Page(report_sections.strength_tag(0.25, after)).texts == ["0.25"]
