"""Everything about a style on one HTML page: paintings, a map, scores, losses and settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from torch import Tensor

from ..nets.vgg import VGG, load_loss_vgg
from ..painting.painter import Painter
from ..plots.curves import Record
from ..samples import content_pictures
from ..taste.style_map import map_of
from ..training.style_pictures import MAX_PICTURES
from .html_page import grid, page, picture_tag, section
from .report_sections import (
    Pair,
    curves,
    header_of,
    learned_from,
    pair_tag,
    reduced,
    scores_of,
    settings_of,
    strength_tag,
    verdict,
)

MAX_SHOWN, MAX_PHOTOS = MAX_PICTURES, 12
SIZE_PX = 512  # short side of paintings at most
SCENES = 3  # drawn in place of photographs
STRENGTHS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)


def report_of(
    painter: Painter,
    name: str,
    pictures: Sequence[Tensor] = (),
    photos: Sequence[tuple[str, Tensor]] = (),
    history: Sequence[Record] = (),
    figures: Mapping[str, Tensor] | None = None,
    vgg: VGG | None = None,
    judge: str = "loss (shipped)",
    follow: Callable[[Sequence[Tensor]], Iterable[Tensor]] = iter,
) -> str:
    """The page about a painter's style: paints photographs, scores the paintings and draws the losses.

    The style's pictures, photos (by name) and figures (by title) are (1, 3, H, W) in [0, 1]. Without photos,
    drawn scenes are painted; with pictures, a map shows their places and the style's. `vgg`, by default the
    shipped one, computes the scores, and `judge` is its name. Photographs are painted one by one as `follow`
    yields them. Raises ValueError as painting does.
    """
    scenes = [] if photos else content_pictures(SCENES, SIZE_PX, 0)
    photos = photos or [(f"scene {number}", scene) for number, scene in enumerate(scenes, start=1)]
    befores = [reduced(photo, SIZE_PX) for _, photo in photos]
    afters = [painter(before) for before in follow(befores)]
    titles = [title for title, _ in photos]
    pairs = [Pair(*found) for found in zip(titles, befores, afters, strict=True)]
    strip = {strength: painter(befores[0], strength=strength) for strength in STRENGTHS}
    styles = [reduced(picture, SIZE_PX) for picture in pictures]
    judging = (vgg or load_loss_vgg()).to(painter.device)
    figures = dict(figures or {})
    if styles:
        place = map_of(styles, {name: painter.style}, painter.generator, painter.vgg)
        figures = {"Where it lies": place} | figures
    sections = [
        learned_from(painter.style, styles),
        section("Before and after", grid([pair_tag(pair) for pair in pairs], "pairs")),
        section("Strength", grid([strength_tag(*one) for one in strip.items()], "strip")),
        *(section(title, picture_tag(shown, title, "PNG")) for title, shown in figures.items()),
        scores_of(pairs, styles, judging, judge),
        verdict(painter.style),
        curves(history),
        settings_of(painter.style),
    ]
    return page(f"{name}: a style", header_of(name, painter.style), sections)
