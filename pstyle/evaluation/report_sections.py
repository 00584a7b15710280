"""The sections of a report: origin of the style, paintings, scores, losses and settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from ..core.config import parse_json
from ..image.resizing import resize_short_side
from ..nets.vgg import VGG
from ..plots.curves import Record, discriminator_plot, loss_plot
from ..style.style import Style
from .html_page import figure, grid, paragraph, picture_tag, section, table, text
from .metrics import score
from .score_words import meaning
from .scoring import Scored, mean_of, score_all

STRIP_PX, THUMB_PX = 256, 160  # short sides at most: of the strip of strengths, of style pictures
PLAIN = (str, int, float)
FINETUNED = "fine-tuned"  # starts the note of a style that fine-tuning improved


class Pair(NamedTuple):
    """A named photograph and its painting, (1, 3, H, W) in [0, 1]."""

    name: str
    before: Tensor
    after: Tensor


def header_of(name: str, style: Style) -> str:
    """The style's preview, its name, and a sentence on how it was learned."""
    shown = "" if style.preview is None else picture_tag(style.preview[None] / 255, "preview", "PNG")
    origin = style.provenance
    count = "1 picture" if origin.pictures == 1 else f"{origin.pictures} pictures"
    learned = f"A style learned from {count} in {origin.steps} steps. {origin.date}"
    heading = f"<h1>{text(name)}</h1>"
    return f"{shown}<div>{heading}{paragraph(learned)}{paragraph(style.license, 'quiet')}</div>"


def learned_from(style: Style, pictures: Sequence[Tensor]) -> str:
    """The pictures that the style was learned from, if given, and the provenance in its file."""
    origin, thumbs = style.provenance, [reduced(picture, THUMB_PX) for picture in pictures]
    tags = [picture_tag(thumb, f"style picture {number}") for number, thumb in enumerate(thumbs, start=1)]
    rows = {
        "pictures": origin.pictures,
        "sizes in pixels": origin.sizes_px,
        "seed": origin.seed,
        "steps": origin.steps,
        "day": origin.date,
        "versions": origin.versions,
        "note": origin.note,
        "generator": style.generator_id,
    }
    return section(
        "Learned from",
        grid(tags, "thumbs") if tags else paragraph("The style file holds only the preview above."),
        table(None, [pair for pair in rows.items() if pair[1] != ""]),
    )


def settings_of(style: Style) -> str:
    """The settings it was learned with; as raw text, if they are not a JSON object of plain values."""
    raw = style.provenance.settings
    try:
        found = parse_json(raw)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, PLAIN) for value in found.values()):
        return section("Settings", paragraph(raw))
    knots = " ".join(f"{amount:.2f}" for amount in style.calibration.knots())
    rows = [(key.replace("_", " "), value) for key, value in sorted(found.items())]
    return section("Settings", table(None, [*rows, ("amounts at strength 0, 0.25, ... 1", knots)]))


def curves(history: Sequence[Record]) -> str:
    """The losses of every step as a plot, and a discriminator's curves if any; "" without losses."""
    if not history:
        return ""
    plots = [loss_plot(history)]
    if any("accuracy" in name for record in history for name in record):
        plots.append(discriminator_plot(history))
    return section("Curves", *(picture_tag(plot, "losses over steps", "PNG") for plot in plots))


def scores_of(pairs: Sequence[Pair], styles: Sequence[Tensor], vgg: VGG, judge: str) -> str:
    """Mean scores of the paintings next to those of the photographs, with their meaning in words."""
    if not styles:
        missing = "Scores compare paintings with the style pictures; none were given for this page."
        return section("Scores", paragraph(missing))
    device = next(vgg.parameters()).device
    styles = [style.to(device) for style in styles]
    found, start = [], []
    for pair in pairs:
        before, after = pair.before.to(device), pair.after.to(device)
        found.append(score_all(after, before, styles, vgg))
        start.append(Scored(score(before, before, styles, vgg)))
    painted, photo = mean_of(found), mean_of(start)
    rows = [
        (name, f"{value:.3f}", _shown(photo.scores.get(name)), meaning(name, value, photo.scores.get(name)))
        for name, value in painted.scores.items()
    ]
    notes = [f"{name}: absent ({reason})" for name, reason in painted.absent.items()]
    count = "1 painting" if len(pairs) == 1 else f"{len(pairs)} paintings"
    notes = [f"Means over {count}, judged by the network {judge}.", *notes]
    head = ("score", "painted", "photograph", "in words")
    return section("Scores", table(head, rows), *(paragraph(note, "quiet") for note in notes))


def verdict(style: Style) -> str:
    """The result of adversarial fine-tuning, as far as the file records it."""
    if style.provenance.note.startswith(FINETUNED):
        words = f"It improved the style on held-out pictures: {style.provenance.note}"
    else:
        words = "The file records none. Fine-tuning that brings no improvement leaves a style unchanged."
    return section("Adversarial fine-tuning", paragraph(words))


def pair_tag(pair: Pair) -> str:
    """A photograph and its painting side by side, with the name below."""
    tags = picture_tag(pair.before, f"{pair.name}, before") + picture_tag(pair.after, f"{pair.name}, after")
    return figure(f"<div>{tags}</div>", pair.name)


def strength_tag(strength: float, painted: Tensor) -> str:
    """A painting with its strength below."""
    return figure(picture_tag(reduced(painted, STRIP_PX), f"strength {strength:g}"), f"{strength:g}")


def reduced(image: Tensor, size_px: int) -> Tensor:
    """A picture (1, 3, H, W) whose short side is at most `size_px`."""
    return resize_short_side(image, size_px) if min(image.shape[2:]) > size_px else image


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
